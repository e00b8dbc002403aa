// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Which header fields a signature covers, and which of them it oversigns: it lists those once more than they
/// occur, so that nobody can add another one (RFC 6376 §5.4, §8.15).
public struct SignedFields: Hashable, Sendable {
    /// A field name in lower case, and whether it is oversigned.
    struct Entry: Hashable, Sendable {
        var name: [UInt8]
        var isOversigned: Bool
    }

    /// In the order of `h=`.
    private(set) var entries: [Entry]

    /// A policy of your own.
    ///
    /// `From` is always signed (RFC 6376 §5.4: "The From header field MUST be signed"). `DKIM-Signature` never
    /// is, whatever is named here: signatures are made independently of each other.
    ///
    /// - Parameters:
    ///   - oversigned: names listed once more than they occur.
    ///   - once: names listed as often as they occur.
    public init(oversigned: [String], once: [String]) {
        var entries = oversigned.map { Entry(name: SignedFields.lowercase($0), isOversigned: true) }
        entries += once.map { Entry(name: SignedFields.lowercase($0), isOversigned: false) }
        let from = SignedFields.lowercase("from")
        if !entries.contains(where: { $0.name == from }) {
            entries.insert(Entry(name: from, isOversigned: false), at: 0)
        }
        var seen: Set<[UInt8]> = [SignedFields.lowercase("dkim-signature")]
        self.entries = entries.filter { entry in
            SignedFields.isFieldName(entry.name) && seen.insert(entry.name).inserted
        }
    }

    /// What Waxwing signs: the fields of RFC 6376 §5.4.1 and the ones that came since (RFC 8058 §4, RFC 9477); what a
    /// reader sees and what decides how the body is shown is oversigned.
    ///
    /// Trace fields are not signed, and nothing that a relay on the way adds or takes away.
    public static let standard = SignedFields(
        oversigned: [
            "From", "Reply-To", "Sender", "To", "Cc", "Subject", "Date", "Message-ID",
            "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        ],
        once: [
            "In-Reply-To", "References", "Content-ID", "Content-Description",
            "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Date", "Resent-Message-ID",
            "List-ID", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post",
            "List-Owner", "List-Archive", "Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID",
            "Auto-Submitted", "Autocrypt",
        ])

    /// The same without some fields, for a next hop that writes those itself.
    ///
    /// `From` stays.
    public func removing(_ names: [String]) -> SignedFields {
        let removed = Set(names.map(SignedFields.lowercase)).subtracting([SignedFields.lowercase("from")])
        var copy = self
        copy.entries.removeAll { removed.contains($0.name) }
        return copy
    }

    /// The names of `h=` for a message, and the fields that they mean, both in the order of hashing.
    func select(from header: HeaderFields) -> (names: [[UInt8]], fields: [Int]) {
        var selection = HeaderSelection(header)
        var names: [[UInt8]] = []
        var fields: [Int] = []
        names.reserveCapacity(entries.count + header.fields.count)
        fields.reserveCapacity(header.fields.count)
        for entry in entries {
            while let field = selection.next(entry.name) {
                names.append(entry.name)
                fields.append(field)
            }
            if entry.isOversigned { names.append(entry.name) }
        }
        return (names, fields)
    }

    private static func lowercase(_ name: String) -> [UInt8] {
        name.utf8.map(HeaderCanonicalization.lowercase)
    }

    /// RFC 6376 §3.5 `h=`: a name can't hold a colon, nor a semicolon, which would end the tag.
    private static func isFieldName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.allSatisfy { (33...126).contains($0) && $0 != 0x3A && $0 != 0x3B }
    }
}
