// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DNS

@Suite struct RecordDataTests {
    /// `mx1.Example.com` as it stands in a record.
    static let name: [UInt8] = [3] + Array("mx1".utf8) + [7] + Array("Example".utf8) + [3] + Array("com".utf8) + [0]

    @Test func aNameIsReadInLowerCaseWithoutItsFinalDot() {
        #expect(RecordData.name(Self.name) == "mx1.example.com")
        #expect(RecordData.name([0]) == "")
    }

    @Test func everyTruncatedNameIsMalformed() {
        for length in 0..<Self.name.count {
            #expect(RecordData.name(Self.name.prefix(length)) == nil, "\(length) octets")
        }
    }

    @Test func octetsAfterANameMakeItMalformed() {
        #expect(RecordData.name(Self.name + [0]) == nil)
        #expect(RecordData.name(Self.name + Self.name) == nil)
    }

    @Test func aCompressedNameIsMalformedBecauseNothingIsLeftToPointAt() {
        #expect(RecordData.name([0xC0, 0x0C]) == nil)
        #expect(RecordData.name([64] + [UInt8](repeating: 97, count: 64) + [0]) == nil)
    }

    @Test func aNameOfMoreThan255OctetsIsMalformed() {
        let label = [UInt8(63)] + [UInt8](repeating: 97, count: 63)
        let longest = label + label + label + [61] + [UInt8](repeating: 97, count: 61) + [0]
        #expect(longest.count == 255)
        #expect(RecordData.name(longest) != nil)
        #expect(RecordData.name(label + label + label + label + [0]) == nil)
    }

    @Test func aDotInsideALabelCannotPassForABoundary() {
        #expect(RecordData.name([3, 97, 46, 98, 0]) == "a\\046b")
        #expect(RecordData.name([2, 0, 255, 0]) == "\\000\\255")
    }

    @Test func aMailExchangerIsAPreferenceAndAName() {
        #expect(RecordData.mailExchanger([1, 2] + Self.name) == MXRecord(preference: 258, host: "mx1.example.com"))
        #expect(RecordData.mailExchanger([0, 0, 0]) == MXRecord(preference: 0, host: ""))
        for length in 0..<(Self.name.count + 2) {
            #expect(RecordData.mailExchanger(Array(([0, 10] + Self.name).prefix(length))) == nil)
        }
    }

    @Test func stringsOfATextRecordAreJoinedWithNothingBetween() {
        #expect(RecordData.text([2, 97, 98, 1, 99]) == Array("abc".utf8))
        #expect(RecordData.text([0]) == [])
        #expect(RecordData.text([]) == nil)
        #expect(RecordData.text([3, 97, 98]) == nil)
        #expect(RecordData.text([1, 97, 5]) == nil)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func noOctetsFromTheNetworkCanDoHarm(seed: UInt64) {
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<5000 {
            let small = next() % 2 == 0
            let data = (0..<(next() % 300)).map { _ in UInt8(truncatingIfNeeded: small ? next() % 6 : next()) }
            if let name = RecordData.name(data) { #expect(name.utf8.count <= 4 * 255, "seed \(seed)") }
            if let text = RecordData.text(data) { #expect(text.count < data.count, "seed \(seed)") }
            if let exchanger = RecordData.mailExchanger(data) {
                #expect((0...65535).contains(exchanger.preference), "seed \(seed)")
            }
        }
    }
}

@Suite struct AddressTests {
    @Test(arguments: ["192.0.2.1", "127.0.0.1", "2001:db8::1", "::1", "::ffff:192.0.2.1"])
    func anAddressIsWrittenAsItIsRead(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == text)
        #expect(address.isIPv6 == text.contains(":"))
        #expect(IPAddress(octets: address.octets) == address)
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[::1]", "fe80::1%eth0", "example.com", " 127.0.0.1"])
    func otherTextIsNoAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func octetsOfOtherLengthsAreNoAddress() {
        for count in 0..<20 where count != 4 && count != 16 {
            #expect(IPAddress(octets: [UInt8](repeating: 1, count: count)) == nil)
        }
    }

    @Test func aServerHasAPortAfterAnAt() throws {
        #expect(ServerAddress("127.0.0.1@5353")?.port == 5353)
        #expect(ServerAddress("127.0.0.1@5353")?.description == "127.0.0.1@5353")
        #expect(ServerAddress("::1")?.port == 53)
        #expect(ServerAddress("::1")?.description == "::1")
        for text in ["", "@53", "127.0.0.1@", "127.0.0.1@0", "127.0.0.1@65536", "127.0.0.1@53@53", "localhost"] {
            #expect(ServerAddress(text) == nil, "\(text)")
        }
    }
}
