// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import NIOCore

extension Peer {
    /// `struct ucred`, which is not visible to Swift: three 32-bit integers (unix(7)).
    private struct Credentials: Sendable {
        var processID: Int32
        var userID: UInt32
        var groupID: UInt32
    }

    /// Asks the kernel who connected.
    ///
    /// Asked once, when the connection is accepted: the answer is about whoever called connect(2), however often the
    /// descriptor changes hands later.
    static func onUnixSocket(_ channel: any Channel) -> EventLoopFuture<Peer> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(Peer(nil))
        }
        let credentials: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED))
        return credentials.map { Peer(userID: $0.userID, processID: $0.processID) }
    }
}
