// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Forwarding
import NIOCore
import NIOPosix

/// SourceAddresses is in charge of the addresses that mail leaves this machine from.
///
/// The kernel is asked how it would reach a host of the Internet; no packet is sent.
enum SourceAddresses {
    /// Name servers of the root zone, which every routing table leads to.
    private static let destinations = ["198.41.0.4", "2001:503:ba3e::2:30"]
    private static let port = 53

    /// At most one of each family, public or not.
    static func find(_ destinations: [String] = SourceAddresses.destinations) async -> [IPAddress] {
        var found: [IPAddress] = []
        for destination in destinations {
            guard let remote = try? SocketAddress(ipAddress: destination, port: port),
                let channel = try? await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(to: remote).get()
            else { continue }
            if let text = channel.localAddress?.ipAddress, let address = IPAddress(text) { found.append(address) }
            try? await channel.close().get()
        }
        return found
    }
}

extension IPAddress {
    /// Whether a host of the Internet can have it.
    var isGlobal: Bool { AddressPolicy.isGlobal(self) }
}
