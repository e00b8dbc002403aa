// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import DNS

/// What the text records of a name say of a key.
extension KeyProver {
    static func finding(records texts: [[UInt8]], _ key: KeyDescription) -> Finding {
        guard let ours = try? KeyRecord(key.record), let publicKey = ours.publicKey else {
            return Finding(.wrong, "key.json holds no valid record of this key: restore it from a backup")
        }
        guard let text = texts.first, texts.count == 1 else {
            // RFC 6376 §3.6.2.2: with more than one record the result is undefined.
            let isThere = texts.contains { (try? KeyRecord($0))?.publicKey == publicKey }
            let shown = texts.prefix(3).map { excerpt($0, limit: 60) }.joined(separator: ", ")
            return Finding(
                .wrong,
                "\(texts.count) TXT records where one must be: "
                    + (isThere ? "delete all but this key's" : "delete them and publish this key's")
                    + "; found: \(shown)")
        }
        do throws(KeyRecordError) {
            let record = try KeyRecord(text)
            guard let theirs = record.publicKey else { return Finding(.revoked, "the record is revoked (p= is empty)") }
            guard theirs == publicKey else {
                let damage = Damage(text: text, expected: key.record, problem: nil)
                return Finding(.wrong, "\(damage.explanation); found: \(excerpt(text))")
            }
            if let problem = useProblem(record) { return Finding(.wrong, "\(problem); found: \(excerpt(text))") }
            // RFC 6376 §3.6.1: verifiers may treat such mail as unsigned.
            return Finding(
                .published,
                warning: record.isTesting
                    ? "the record says t=y (testing): receivers may ignore signatures until t=y is removed" : nil)
        } catch {
            let damage = Damage(text: text, expected: key.record, problem: "\(error)")
            return Finding(.wrong, "\(damage.explanation); found: \(excerpt(text))")
        }
    }

    /// RFC 6376 §3.6.1 `h=`, `s=`.
    private static func useProblem(_ record: KeyRecord) -> String? {
        guard !record.allowsMail else { return nil }
        let hashes = record.hashAlgorithms ?? ["sha256"]
        if !hashes.contains("sha256") {
            return "h=\(PrintableText.of(hashes.joined(separator: ":"))) lacks sha256: take h= out of the record"
        }
        let services = (record.services ?? []).joined(separator: ":")
        return "s=\(PrintableText.of(services)) lacks email: take s= out of the record"
    }

    private static func excerpt(_ text: [UInt8], limit: Int = 160) -> String { PrintableText.of(text, limit: limit) }
}

/// What happened to a record on its way into a form: found by comparing.
struct Damage {
    private let text: [UInt8]
    private let expected: [UInt8]
    /// Why the text is no key record; nil: it is one.
    private let problem: String?

    /// The beginning that all RSA keys of a size share is shorter.
    private static let tellingCharacters = 60

    init(text: [UInt8], expected: String, problem: String?) {
        self.text = text
        self.expected = Array(expected.utf8)
        self.problem = problem
    }

    /// What is wrong and how to mend it.
    var explanation: String {
        quoting ?? keyType ?? publicKey ?? problem.map { "\(PrintableText.of($0, limit: 300)): enter the value again" }
            ?? "another public key: publish this key's record, or wait until this server has it"
    }

    private var quoting: String? {
        let marks: [(Character, String)] = [
            ("\"", "quotation marks"), ("\\", "backslashes"), ("(", "parentheses"), (")", "parentheses"),
        ]
        if let mark = marks.first(where: { text.contains($0.0.asciiValue ?? 0) })?.1 {
            return "the text itself holds \(mark), as if pasted from a zone file: enter the value without them"
        }
        guard text.contains(where: { $0 > 126 }) else { return nil }
        return "the text holds characters that are not ASCII, such as typographic quotation marks or spaces: "
            + "enter the value again, as plain text"
    }

    /// RFC 6376 §3.6.1 `k=`: without it, `rsa`.
    private var keyType: String? {
        let theirs = Self.tag("k", in: text).map { Self.compact($0) } ?? Array("rsa".utf8)
        let ours = Self.tag("k", in: expected).map { Self.compact($0) } ?? Array("rsa".utf8)
        let isKnown = theirs == Array("rsa".utf8) || theirs == Array("ed25519".utf8)
        guard theirs != ours, !isKnown || hasOurKey else { return nil }
        let shown = Self.tag("k", in: text) == nil ? "k= is missing" : "k=\(PrintableText.of(theirs)) is wrong"
        return "\(shown): the record must say k=\(PrintableText.of(ours))"
    }

    private var hasOurKey: Bool {
        Self.tag("p", in: text).map(Self.compact) == Self.tag("p", in: expected).map(Self.compact)
    }

    private var publicKey: String? {
        guard let raw = Self.tag("p", in: text) else {
            let version = Self.tag("v", in: text).map(Self.trimmed) ?? []
            return version.starts(with: "DKIM".utf8) ? nil : "the text is no key record: publish this key's record"
        }
        guard let expected = Self.tag("p", in: expected).map(Self.compact), !expected.isEmpty else { return nil }
        let theirs = Self.compact(raw)
        guard theirs != expected else { return nil }
        let counts = "\(theirs.count) of \(expected.count) characters of p= are there"
        if expected.starts(with: theirs) {
            return "the key is cut off: \(counts): enter the whole value, in strings of at most 255 characters "
                + "if the form asks for that"
        }
        // In forms that were sent as a URL `+` means a space.
        let spaced = expected.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        if Self.trimmed(raw) == Self.trimmed(spaced) {
            return "each + of p= became a space: enter the value again"
        }
        if Self.lowered(theirs) == Self.lowered(expected) {
            return "capital and small letters of p= were changed: enter the value as it is"
        }
        if let stray = theirs.first(where: { !Self.isBase64($0) }) {
            return "p= holds \(Self.name(of: stray)), which no key has: enter the value again"
        }
        let isOurs =
            Self.common(theirs, expected) >= Self.tellingCharacters
            || Self.common(theirs.reversed(), expected.reversed()) >= Self.tellingCharacters
        guard isOurs else { return nil }
        return theirs.count < expected.count
            ? "a part of the key is missing: \(counts): enter the whole value"
            : "the key is damaged: p= has \(theirs.count) characters and must have \(expected.count): "
                + "enter the value again"
    }

    /// The value of a tag, wherever it stands; the first if there are more.
    private static func tag(_ name: String, in text: [UInt8]) -> [UInt8]? {
        for part in text.split(separator: UInt8(ascii: ";")) {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")),
                trimmed(Array(part[..<equals])) == Array(name.utf8)
            else { continue }
            return Array(part[(equals + 1)...])
        }
        return nil
    }

    private static func trimmed(_ text: [UInt8]) -> [UInt8] {
        Array(Array(text.drop(while: isBlank).reversed()).drop(while: isBlank).reversed())
    }

    /// RFC 6376 §3.6.1 `p=`: white space does not count.
    private static func compact(_ text: [UInt8]) -> [UInt8] { text.filter { !isBlank($0) } }

    private static func isBlank(_ octet: UInt8) -> Bool { [9, 10, 13, 32].contains(octet) }

    private static func lowered(_ text: [UInt8]) -> [UInt8] {
        text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    private static func isBase64(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    private static func name(of octet: UInt8) -> String {
        (33...126).contains(octet) ? "\"\(PrintableText.of([octet]))\"" : "a control character"
    }

    private static func common(_ left: [UInt8], _ right: [UInt8]) -> Int {
        zip(left, right).prefix { $0.0 == $0.1 }.count
    }
}
