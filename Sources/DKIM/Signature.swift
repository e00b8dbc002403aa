// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What became of a signature, or of a message (RFC 8601 §2.7.1).
public enum VerificationResult: String, Hashable, Sendable, CaseIterable {
    /// The message was not signed.
    case none
    /// The signature verifies.
    case pass
    /// The signature does not verify: the message was changed, or the key is another.
    case fail
    /// The signature is there but not acceptable, whether it verifies or not.
    case policy
    /// The signature has errors of syntax.
    case neutral
    /// The key record could not be had now.
    case temperror
    /// The signature can never verify: no key, a revoked key, a tag missing.
    case permerror
}

/// A parsed `DKIM-Signature` field (RFC 6376 §3.5).
public struct Signature: Hashable, Sendable {
    /// The `a=` tag; nil if this library doesn't verify it, as with `rsa-sha1` (RFC 8301 §3.1).
    public let algorithm: SigningAlgorithm?
    /// The `a=` tag as it stands.
    public let algorithmName: String
    /// The SDID: `d=`.
    public let sdid: String
    /// The selector: `s=`.
    public let selector: String
    /// The AUID: `i=`, or `@` and the SDID if there is none.
    public let auid: String
    /// The `c=` tag.
    public let canonicalization: MessageCanonicalization
    /// The names of `h=` in lower case, in their order, repeated where they repeat.
    public let signedFieldNames: [String]
    /// The `bh=` tag.
    public let bodyHash: [UInt8]
    /// The `b=` tag.
    public let value: [UInt8]
    /// The `t=` tag: seconds since 1970.
    public let signedAt: Int64?
    /// The `x=` tag: seconds since 1970.
    public let expiresAt: Int64?
    /// The `l=` tag: how many octets of the canonical body are hashed.
    public let bodyOctets: Int?

    /// The field without the value of `b=`, as it is hashed (RFC 6376 §3.7).
    let unsigned: [UInt8]

    /// Where the key record is (RFC 6376 §3.6.2.1).
    public var keyRecordName: String { "\(selector)._domainkey.\(sdid)" }

    /// What can be wrong with a field before any key is looked at.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The result that such a signature gets.
        public let result: VerificationResult
        /// One line: which tag, and why.
        public let reason: String

        /// The reason.
        public var description: String { reason }
    }

    /// Reads a field: name, colon and value, with or without its final CRLF.
    ///
    /// - Throws: the result that such a signature gets, and why.
    public init(field: [UInt8]) throws(Problem) {
        let field = field.suffix(2) == [13, 10] ? Array(field.dropLast(2)) : field
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { throw Problem(.neutral, "no colon in it") }
        let tags: TagList
        do {
            tags = try TagList(field, colon + 1..<field.count)
        } catch {
            throw Problem(.neutral, error.text)
        }
        // RFC 6376 §6.1.1: what is required, in the order of §3.5.
        guard try Signature.required("v", tags) == "1" else { throw Problem(.permerror, "incompatible version") }
        self.algorithmName = try Signature.required("a", tags)
        self.algorithm = SigningAlgorithm(rawValue: algorithmName)
        self.value = try Signature.base64("b", tags)
        self.bodyHash = try Signature.base64("bh", tags)
        self.sdid = try Signature.required("d", tags)
        self.selector = try Signature.required("s", tags)
        for (name, value) in [("d", sdid), ("s", selector)] where !DomainName.isValid(value) {
            let advice = value.utf8.contains { $0 > 127 } ? ": internationalized names are written as A-labels" : ""
            throw Problem(.neutral, "\(name)= is not a domain name\(advice)")
        }
        self.signedFieldNames = try Signature.required("h", tags).split(
            separator: ":", omittingEmptySubsequences: false
        ).map { $0.lowercased() }
        self.auid = tags.compactText("i").map(Signature.quotedPrintable) ?? "@\(sdid)"
        guard let canonicalization = MessageCanonicalization(tags.compactText("c") ?? "simple/simple") else {
            throw Problem(.permerror, "unknown canonicalization")
        }
        self.canonicalization = canonicalization
        self.signedAt = try Signature.number("t", tags)
        self.expiresAt = try Signature.number("x", tags)
        self.bodyOctets = try Signature.number("l", tags).map { Int($0) }
        guard let data = tags["b"] else { throw Problem(.permerror, "no b= in it") }
        self.unsigned = Array(field[..<data.octets.lowerBound] + field[data.octets.upperBound...])
        try check(queryMethods: tags.elements("q"))
    }

    /// RFC 6376 §6.1.1: what must hold between the tags.
    private func check(queryMethods: [String]?) throws(Problem) {
        guard signedFieldNames.count <= Signature.maximumFieldNames else {
            throw Problem(.policy, "h= has more than \(Signature.maximumFieldNames) names")
        }
        guard signedFieldNames.contains("from") else { throw Problem(.permerror, "From is not signed") }
        guard !signedFieldNames.contains("") else { throw Problem(.neutral, "an empty name in h=") }
        let domain = auid.split(separator: "@", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        guard auid.contains("@"), DomainName.isEqualOrBelow(domain, sdid) else {
            throw Problem(.permerror, "the domain of i= is not in that of d=")
        }
        if let signedAt, let expiresAt, expiresAt <= signedAt {
            throw Problem(.permerror, "x= is not later than t=")
        }
        guard queryMethods?.contains("dns/txt") ?? true else { throw Problem(.permerror, "unknown query method") }
        guard algorithm != nil else {
            // RFC 8301 §3.1: signatures with rsa-sha1 "have permanently failed evaluation".
            throw Problem(.permerror, "the algorithm \(algorithmName) is not accepted")
        }
    }

    /// A bound on the work that a stranger's signature can ask for (RFC 6376 §8.4).
    public static let maximumFieldNames = 1000

    /// RFC 6376 §2.11: `=` and two hexadecimal digits are one octet.
    private static func quotedPrintable(_ text: String) -> String {
        let octets = Array(text.utf8)
        var decoded: [UInt8] = []
        var position = 0
        while position < octets.count {
            if octets[position] == UInt8(ascii: "="), position + 2 < octets.count,
                let high = BodyVariants.digit(octets[position + 1]), let low = BodyVariants.digit(octets[position + 2])
            {
                decoded.append(high << 4 | low)
                position += 3
            } else {
                decoded.append(octets[position])
                position += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func required(_ name: String, _ tags: TagList) throws(Problem) -> String {
        guard let value = tags.compactText(name), !value.isEmpty else { throw Problem(.permerror, "no \(name)= in it") }
        return value
    }

    private static func base64(_ name: String, _ tags: TagList) throws(Problem) -> [UInt8] {
        guard let value = Base64.decode(try required(name, tags).utf8) else {
            throw Problem(.neutral, "the base64 of \(name)= is damaged")
        }
        return value
    }

    private static func number(_ name: String, _ tags: TagList) throws(Problem) -> Int64? {
        guard let text = tags.compactText(name) else { return nil }
        // RFC 6376 §3.5: decimal digits; no value that can be meant needs more than 18 of them.
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw Problem(.neutral, "\(name)= is not a number")
        }
        return Int64(text) ?? .max
    }
}

extension Signature.Problem {
    init(_ result: VerificationResult, _ reason: String) {
        self.init(result: result, reason: reason)
    }
}
