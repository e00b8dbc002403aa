// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// EnvelopeText is in charge of how an envelope stands in the database: as text that an operator can read
/// there, one recipient a line.
enum EnvelopeText {
    static func text(of recipients: [Mailbox]) throws(SpoolError) -> String {
        var text = ""
        for recipient in recipients {
            // RFC 5321 §4.1.2: not even a quoted string holds control characters. Somebody who hands us one
            // anyway must not turn one recipient into two.
            guard recipient.localPart.utf8.allSatisfy({ $0 >= 0x20 }) else {
                throw SpoolError(.taken, "A recipient with a control character in the local-part")
            }
            if !text.isEmpty { text += "\n" }
            text += recipient.description
        }
        return text
    }

    static func recipients(in text: String) throws(SpoolError) -> [Mailbox] {
        var recipients: [Mailbox] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            recipients.append(try mailbox(line))
        }
        return recipients
    }

    static func reversePath(in text: String) throws(SpoolError) -> ReversePath {
        text.isEmpty ? .null : .mailbox(try mailbox(text.utf8[...]))
    }

    /// The last @ divides, and before an address literal the last @[: neither a domain name nor a literal's
    /// content holds that (RFC 5321 §4.1.3).
    private static func mailbox(_ text: Substring.UTF8View) throws(SpoolError) -> Mailbox {
        let isLiteral = text.last == UInt8(ascii: "]")
        var position = text.endIndex
        while position > text.startIndex {
            position = text.index(before: position)
            guard text[position] == UInt8(ascii: "@") else { continue }
            let host = text[text.index(after: position)...]
            if isLiteral, host.first != UInt8(ascii: "[") { continue }
            let localPart = String(decoding: text[..<position], as: UTF8.self)
            if isLiteral { return Mailbox(localPart: localPart, host: .literal(String(decoding: host, as: UTF8.self))) }
            guard let domain = Domain(String(decoding: host, as: UTF8.self)) else { break }
            return Mailbox(localPart: localPart, host: .domain(domain))
        }
        throw SpoolError(.failed, "Not a mailbox in the spool: \(String(decoding: text, as: UTF8.self))")
    }

    /// The words of the repairs, with spaces between them.
    static func text(of repairs: [Repair]) -> String {
        repairs.map(\.rawValue).joined(separator: " ")
    }

    /// A word that this version does not know is left out: nobody's mail waits for what is only shown.
    static func repairs(in text: String) -> [Repair] {
        text.split(separator: " ").compactMap { Repair(rawValue: String($0)) }
    }

    static func octets(of bodyHashes: [BodyHash]) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(bodyHashes.count * 33)
        for hash in bodyHashes {
            octets.append(hash.canonicalization.rawValue)
            octets.append(contentsOf: hash.digest)
        }
        return octets
    }

    static func bodyHashes(in octets: some RandomAccessCollection<UInt8>) throws(SpoolError) -> [BodyHash] {
        var hashes: [BodyHash] = []
        var rest = Array(octets)[...]
        while let first = rest.first {
            guard let canonicalization = BodyHash.Canonicalization(rawValue: first), rest.count >= 33 else {
                throw SpoolError(.failed, "Not a body hash in the spool")
            }
            hashes.append(BodyHash(canonicalization: canonicalization, digest: Array(rest.dropFirst().prefix(32))))
            rest = rest.dropFirst(33)
        }
        return hashes
    }
}
