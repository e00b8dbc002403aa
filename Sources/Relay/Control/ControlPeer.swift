// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import NIOCore

/// The process at the other end of a Unix socket, as the kernel knew it when it connected (unix(7)).
package struct ControlPeer: Hashable, Sendable {
    package var processID: Int32
    package var userID: UInt32
    package var groupID: UInt32

    package init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }

    /// The user's name, or `uid` and its number.
    package var userName: String { ControlPeer.userName(of: userID) }

    static func userName(of userID: UInt32) -> String {
        UserEntry(userID)?.name ?? "uid \(userID)"
    }

    /// Reads SO_PEERCRED; nil if the channel is no Unix socket.
    static func of(_ channel: any Channel) async -> ControlPeer? {
        guard let provider = channel as? any SocketOptionProvider else { return nil }
        // `struct ucred` is not visible to Swift: pid, uid and gid are three 32-bit integers.
        let credentials: Credentials? = try? await provider.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED)
        ).get()
        return credentials.map {
            ControlPeer(
                processID: $0.processID, userID: UInt32(bitPattern: $0.userID),
                groupID: UInt32(bitPattern: $0.groupID))
        }
    }

    private struct Credentials: Sendable {
        var processID: Int32
        var userID: Int32
        var groupID: Int32
    }
}

/// `ControlAdmission` is in charge of who may use the control socket: root, the user the relay runs as, and
/// the members of one configured group.
package struct ControlAdmission: Hashable, Sendable {
    /// The relay's own user.
    package var ownUserID: UInt32
    /// Nil: no group.
    package var groupID: UInt32?

    package init(ownUserID: UInt32 = geteuid(), groupID: UInt32?) {
        self.ownUserID = ownUserID
        self.groupID = groupID
    }

    package func admits(_ peer: ControlPeer) -> Bool {
        if peer.userID == 0 || peer.userID == ownUserID { return true }
        guard let groupID else { return false }
        return peer.groupID == groupID || supplementaryGroups(ofUser: peer.userID).contains(groupID)
    }

    private func supplementaryGroups(ofUser userID: UInt32) -> [UInt32] {
        guard let user = UserEntry(userID) else { return [] }
        var groups = [gid_t](repeating: 0, count: 256)
        var count = Int32(groups.count)
        guard unsafe getgrouplist(user.name, user.groupID, &groups, &count) >= 0 else { return [] }
        return Array(groups.prefix(Int(count)))
    }
}

/// What the user database says of a user.
private struct UserEntry {
    var name: String
    var groupID: UInt32

    /// Nil: the database does not have the user.
    init?(_ userID: UInt32) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>? = nil
        var space = [CChar](repeating: 0, count: 16 * 1024)
        // Not getpwuid(3): many threads ask at once, and its answer belongs to all of them.
        // The name lies in the space.
        let name: String? = unsafe space.withUnsafeMutableBufferPointer { space in
            guard let start = space.baseAddress else { return nil }
            let result = unsafe getpwuid_r(userID, &entry, start, space.count, &found)
            guard unsafe result == 0 && found != nil, let name = unsafe entry.pw_name else { return nil }
            return unsafe String(cString: name)
        }
        guard let name else { return nil }
        self.name = name
        groupID = unsafe entry.pw_gid
    }
}
