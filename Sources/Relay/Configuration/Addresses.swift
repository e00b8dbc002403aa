// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

extension IPAddress {
    /// 127.0.0.0/8, ::1, or the former inside the latter's mapped form.
    var isLoopback: Bool {
        if octets.count == 4 { return octets[0] == 127 }
        if octets.dropLast().allSatisfy({ $0 == 0 }) { return octets[15] == 1 }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127]
        return Array(octets.prefix(13)) == mapped
    }
}

/// `host`, `host:port`, `192.0.2.1:25` or `[::1]:25`.
package struct HostAndPort: Hashable, Sendable {
    /// A name, or an address without brackets.
    package var host: String
    package var port: Int

    package init?(_ text: String, defaultPort: Int) {
        var host = Substring(text)
        var port = defaultPort
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = Int(rest.dropFirst()) else { return nil }
                port = number
            }
            guard IPAddress(String(host))?.octets.count == 16 else { return nil }
        } else {
            if let colon = text.lastIndex(of: ":") {
                guard let number = Int(text[text.index(after: colon)...]) else { return nil }
                host = text[..<colon]
                port = number
            }
            guard !host.contains(":"), HostAndPort.isHost(String(host)) else { return nil }
        }
        guard (1...65_535).contains(port) else { return nil }
        self.host = String(host)
        self.port = port
    }

    private static func isHost(_ text: String) -> Bool {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isName && (1...253).contains(text.utf8.count) && !text.hasPrefix(".") && !text.contains("..")
    }
}
