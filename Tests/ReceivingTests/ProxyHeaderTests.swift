// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import Testing

@testable import Receiving

/// The header of the PROXY protocol, wherever its octets are cut.
@Suite struct ProxyHeaderTests {
    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 0xFF)] + rest
    }

    static let ports: [UInt8] = [0xDC, 0x04, 0x02, 0x4B]
    static let ipv4: [UInt8] = [192, 0, 2, 7, 192, 0, 2, 1] + ports
    static let ipv6: [UInt8] =
        [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9] + [UInt8](repeating: 1, count: 16) + ports

    static let sound: [([UInt8], ProxyHeader)] = [
        (Array("PROXY TCP4 192.0.2.7 192.0.2.1 56324 587\r\n".utf8), .client("192.0.2.7")),
        (Array("PROXY TCP6 2001:db8::9 ::1 0 65535\r\n".utf8), .client("2001:db8::9")),
        (Array("PROXY UNKNOWN\r\n".utf8), .own),
        (Array("PROXY UNKNOWN ffff::1 ffff::2 1 whatever\r\n".utf8), .own),
        (binary(0x21, 0x11, ipv4), .client("192.0.2.7")),
        (binary(0x21, 0x11, ipv4 + [UInt8](repeating: 4, count: 508)), .client("192.0.2.7")),
        (binary(0x21, 0x21, ipv6), .client("2001:db8:0:0:0:0:0:9")),
        (binary(0x20, 0x00, []), .own),
        (binary(0x20, 0x11, ipv4), .own),
        (binary(0x21, 0x00, [1, 2, 3]), .own),
        (binary(0x21, 0x31, [UInt8](repeating: 47, count: 216)), .own),
    ]

    @Test("a header is found whole, never before its last octet", arguments: sound)
    func found(_ octets: [UInt8], _ header: ProxyHeader) {
        for length in octets.indices { #expect(ProxyHeader.parse(octets[..<length]) == .needsMore, "\(length) octets") }
        #expect(ProxyHeader.parse(octets) == .header(header, length: octets.count))
        // What follows is the client's.
        #expect(ProxyHeader.parse(octets + Array("EHLO x\r\n".utf8)) == .header(header, length: octets.count))
    }

    @Test(
        "what is not a header is none",
        arguments: [
            "EHLO app.example\r\n", "PROXY\r\n", "PROXY TCP4\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n",
            "PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 1 -2\r\n",
            "PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 192.0.2.7 ::1 1 2\r\n",
            "PROXY TCP4  192.0.2.7 192.0.2.1 1 2\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n",
            "PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3\r\n", "PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n",
            "proxy TCP4 192.0.2.7 192.0.2.1 1 2\r\n", "PROXY TCP4 localhost 192.0.2.1 1 2\r\n",
            "PROXY UNKNOWN " + String(repeating: "x", count: 100) + "\r\n", "\r\n\r\nEHLO", "\u{16}\u{3}\u{1}",
        ])
    func none(_ text: String) {
        #expect(ProxyHeader.parse(Array(text.utf8)) == .malformed)
    }

    @Test(
        "a binary header that lies is none",
        arguments: [
            binary(0x11, 0x11, ipv4), binary(0x22, 0x11, ipv4), binary(0x21, 0x11, Array(ipv4.dropLast())),
            binary(0x21, 0x21, ipv4), binary(0x21, 0x41, ipv4), binary(0x21, 0x13, ipv4),
            binary(0x21, 0x11, ipv4 + [UInt8](repeating: 4, count: 509)),
        ])
    func binaryNone(_ octets: [UInt8]) {
        #expect(ProxyHeader.parse(octets) == .malformed)
    }

    @Test func ofLoopbackOnlyAProxyOnThisMachineCanTell() throws {
        let near = try #require(try? Peer(.init(ipAddress: "127.0.0.1", port: 1)))
        let far = try #require(try? Peer(.init(ipAddress: "192.0.2.4", port: 1)))
        #expect(near.speakingFor(.client("127.0.0.1")).isLoopback)
        #expect(!far.speakingFor(.client("127.0.0.1")).isLoopback)
        #expect(!near.speakingFor(.client("192.0.2.7")).isLoopback)
        #expect(near.speakingFor(.client("192.0.2.7")).address == "192.0.2.7")
        // A check of the proxy's, or a client of whom it knows nothing.
        #expect(!near.speakingFor(.own).isLoopback)
        #expect(near.speakingFor(.own).address == "127.0.0.1")
    }
}
