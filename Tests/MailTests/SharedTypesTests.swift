// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Shared types")
struct SharedTypesTests {
    @Test(
        "names that are domains",
        arguments: [
            ("example.com", "example.com"), ("EXAMPLE.Com.", "example.com"), ("a", "a"),
            ("_domainkey.x", "_domainkey.x"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("1.2.3.4", "1.2.3.4"),
        ])
    func domains(text: String, name: String) {
        #expect(Domain(text)?.name == name)
    }

    @Test(
        "names that are not",
        arguments: ["", ".", "..", ".a", "a..b", "a b", "a/b", "b\u{fc}cher", "a@b", "[1.2.3.4]", "a\u{0}", "*.a"])
    func notDomains(text: String) {
        #expect(Domain(text) == nil)
    }

    @Test("the limits of a domain name hold to the octet")
    func domainLimits() {
        let label = String(repeating: "a", count: 63)
        #expect(Domain(label) != nil)
        #expect(Domain(label + "a") == nil)
        let longest = "\(label).\(label).\(label).\(String(repeating: "b", count: 61))"
        #expect(Domain(longest)?.name.utf8.count == Domain.maximumOctets)
        #expect(Domain(longest + ".") != nil)
        #expect(Domain(longest + "b") == nil)
    }

    @Test("a name below another is found at its label, not at its letters")
    func below() throws {
        let parent = try #require(Domain("example.com"))
        #expect(try #require(Domain("a.b.example.com")).isEqualOrBelow(parent))
        #expect(parent.isEqualOrBelow(parent))
        #expect(try !#require(Domain("notexample.com")).isEqualOrBelow(parent))
        #expect(try !#require(Domain("com")).isEqualOrBelow(parent))
        #expect(parent.parent == Domain("com"))
        #expect(parent.parent?.parent == nil)
    }

    @Test("queue IDs sort by arrival and read back from their text")
    func queueIDs() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let early = Timestamp(milliseconds: Int64.random(in: 1..<1 << 41, using: &generator))
            let late = early.advanced(byMilliseconds: Int64.random(in: 1..<1 << 40, using: &generator))
            let first = QueueID(arrival: early, distinguisher: generator.next())
            let second = QueueID(arrival: late, distinguisher: generator.next())
            #expect(first < second, "seed \(seed)")
            #expect(first.description < second.description, "seed \(seed)")
            #expect(QueueID(first.description) == first, "seed \(seed)")
            #expect(QueueID(first.description.lowercased()) == first, "seed \(seed)")
            #expect(QueueID(rawValue: first.rawValue) == first, "seed \(seed)")
        }
    }

    @Test("two messages of one millisecond differ by the low 21 bits")
    func distinguishers() {
        let now = Timestamp(seconds: 1_795_424_700)
        #expect(QueueID(arrival: now, distinguisher: 1) != QueueID(arrival: now, distinguisher: 2))
        #expect(QueueID(arrival: now, distinguisher: 1) == QueueID(arrival: now, distinguisher: 1 << 21 | 1))
        #expect(QueueID(arrival: Timestamp(milliseconds: -5), distinguisher: 0).rawValue > 0)
    }

    @Test(
        "texts that are not queue IDs",
        arguments: [
            "", "0000000000000", "000000000001", "00000000000001", "000000000000U", "ZZZZZZZZZZZZZ", "00000 0000001",
        ])
    func notQueueIDs(text: String) {
        #expect(QueueID(text) == nil)
    }

    @Test("enhanced status codes are read as RFC 3463 writes them")
    func statusCodes() {
        #expect(EnhancedStatusCode("5.7.1") == EnhancedStatusCode(5, 7, 1))
        #expect(EnhancedStatusCode("4.123.999")?.description == "4.123.999")
        for text in ["", "5", "5.7", "5.7.1.2", "3.0.0", "5.7.", "5..1", "5.1000.1", "5.-1.0", "5.7.1 "] {
            #expect(EnhancedStatusCode(text) == nil, "\(text)")
        }
    }

    @Test("mailboxes compare by octets, their domains without case")
    func mailboxes() throws {
        let domain = try #require(Domain("Example.com"))
        let composed = Mailbox(localPart: "\u{e9}", host: .domain(domain))
        let decomposed = Mailbox(localPart: "e\u{301}", host: .domain(domain))
        #expect(composed.localPart == decomposed.localPart, "a String does not see the difference")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(Mailbox(localPart: "A", host: .domain(domain)) != Mailbox(localPart: "a", host: .domain(domain)))
        #expect(Mailbox(localPart: "a", host: .domain(domain)).description == "a@example.com")
        #expect(Mailbox(localPart: "a", host: .literal("[::1]")).domain == nil)
        #expect(ReversePath.null.description.isEmpty)
    }

    @Test("timestamps round towards the past")
    func timestamps() {
        #expect(Timestamp(milliseconds: 1999).seconds == 1)
        #expect(Timestamp(milliseconds: 0).seconds == 0)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(milliseconds: -1000).seconds == -1)
        #expect(Timestamp(milliseconds: -1001).seconds == -2)
        #expect(Timestamp(seconds: 2).advanced(bySeconds: -3) == Timestamp(milliseconds: -1000))
        #expect(Timestamp(seconds: 2).advanced(byMilliseconds: 1) > Timestamp(seconds: 2))
    }

    @Test("stored content knows its length in either form")
    func storedContent() {
        #expect(StoredContent.inline([1, 2, 3]).length == 3)
        #expect(StoredContent.file(path: "x", length: 300_000).length == 300_000)
    }
}
