// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// An IPv4 or IPv6 address, as the DNS and the configuration give it.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16, in network order.
    package let octets: [UInt8]

    /// Nil unless there are 4 or 16 octets.
    package init?(octets: some Collection<UInt8>) {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        self.octets = Array(octets)
    }

    /// Nil if `text` is not an address as `inet_pton` reads it; no zone, no brackets.
    package init?(_ text: String) {
        var four = in_addr()
        var sixteen = in6_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self.octets = unsafe withUnsafeBytes(of: &four) { bytes in unsafe Array(bytes) }
        } else if unsafe inet_pton(AF_INET6, text, &sixteen) == 1 {
            self.octets = unsafe withUnsafeBytes(of: &sixteen) { bytes in unsafe Array(bytes) }
        } else {
            return nil
        }
    }

    package var isIPv6: Bool { octets.count == 16 }

    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, octets, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A name server to ask, such as `127.0.0.1@5353`.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    package static let standardPort = 53

    package var address: IPAddress
    package var port: Int

    package init(address: IPAddress, port: Int = ServerAddress.standardPort) {
        self.address = address
        self.port = port
    }

    /// An address, and after an `@` a port other than 53.
    ///
    /// Nil if `text` is anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        self.init(address: address)
        if parts.count == 2 {
            guard let port = UInt16(parts[1]), port > 0 else { return nil }
            self.port = Int(port)
        }
    }

    package var description: String {
        port == ServerAddress.standardPort ? address.description : "\(address)@\(port)"
    }
}
