// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Which header fields a signature covers, and which of them it oversigns: it lists those once more than they
/// occur, so that nobody can add another one (RFC 6376 §5.4, §8.15).
///
/// Take a set and adapt it:
///
/// ```swift
/// let fields = SignedFields.standard.oversigning(.strict)  // nobody adds a List-Unsubscribe either
/// let behindAmazon = SignedFields.standard.removing(["Message-ID", "Date"])
/// let mine = SignedFields.minimal.oversigning(["From", "Subject", "X-Invoice"])
/// ```
public struct SignedFields: Hashable, Sendable {
    /// A field name in lower case, and whether it is oversigned.
    struct Entry: Hashable, Sendable {
        var name: [UInt8]
        var isOversigned: Bool
    }

    /// Which of the signed fields are oversigned.
    public enum Oversigning: Hashable, Sendable {
        /// `From` alone: a second author can't be added, everything else can.
        case from
        /// What a reader sees, and what decides how the body is shown.
        ///
        /// A mailing list can add its `List-` fields.
        case standard
        /// Every signed field but the `Resent-` block, which whoever resends a message writes (RFC 5322 §3.6.6).
        ///
        /// A mailing list that adds a field of the set breaks the signature.
        case strict
    }

    /// In the order of `h=`.
    private(set) var entries: [Entry]

    /// A choice of your own.
    ///
    /// `From` is always signed (RFC 6376 §5.4: "The From header field MUST be signed"). `DKIM-Signature` never
    /// is, whatever is named here: signatures are made independently of each other. What is no field name is left out.
    ///
    /// - Parameters:
    ///   - oversigned: names listed once more than they occur.
    ///   - once: names listed as often as they occur.
    public init(oversigned: [String], once: [String]) {
        var entries = oversigned.map { Entry(name: SignedFields.lowercase($0), isOversigned: true) }
        entries += once.map { Entry(name: SignedFields.lowercase($0), isOversigned: false) }
        if !entries.contains(where: { $0.name == SignedFields.from }) {
            entries.insert(Entry(name: SignedFields.from, isOversigned: false), at: 0)
        }
        var seen: Set<[UInt8]> = [SignedFields.lowercase("dkim-signature")]
        self.entries = entries.filter { entry in
            SignedFields.isFieldName(entry.name) && seen.insert(entry.name).inserted
        }
    }

    /// What Waxwing signs: the fields of RFC 6376 §5.4.1 and the ones that came since (RFC 8058 §4, RFC 9477), with
    /// the oversigning that is called standard.
    ///
    /// Trace fields are not signed, and nothing that a relay on the way adds or takes away.
    public static let standard = SignedFields(
        oversigned: shownFields,
        once: [
            "In-Reply-To", "References", "Content-ID", "Content-Description",
            "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Date", "Resent-Message-ID",
            "List-ID", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post",
            "List-Owner", "List-Archive", "Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID",
            "Auto-Submitted", "Autocrypt",
        ])

    /// Only what a reader sees, what decides how the body is shown, and the links of one-click unsubscription, which
    /// count for nothing unless they are signed (RFC 8058 §4).
    public static let minimal = SignedFields(
        oversigned: shownFields, once: ["List-Unsubscribe", "List-Unsubscribe-Post"])

    /// The names in lower case, in the order of `h=`.
    public var names: [String] { entries.map { String(decoding: $0.name, as: UTF8.self) } }

    /// Those of them that are oversigned.
    public var oversignedNames: [String] {
        entries.filter(\.isOversigned).map { String(decoding: $0.name, as: UTF8.self) }
    }

    /// The same fields, of them oversigned only those of a set.
    public func oversigning(_ set: Oversigning) -> SignedFields {
        var copy = self
        for index in entries.indices {
            let name = entries[index].name
            copy.entries[index].isOversigned =
                switch set {
                case .from: name == SignedFields.from
                case .standard: SignedFields.shown.contains(name)
                case .strict: !name.starts(with: SignedFields.lowercase("resent-"))
                }
        }
        return copy
    }

    /// The same fields, of them oversigned only `From` and the named ones, which are added where they are missing.
    public func oversigning(_ names: [String]) -> SignedFields {
        let wanted = names.map(SignedFields.lowercase)
        var copy = SignedFields(oversigned: [], once: self.names + names)
        for index in copy.entries.indices {
            let name = copy.entries[index].name
            copy.entries[index].isOversigned = name == SignedFields.from || wanted.contains(name)
        }
        return copy
    }

    /// The same without some fields, for a next hop that writes those itself.
    ///
    /// `From` stays.
    ///
    /// - Parameter names: in any case; with a star at the end, all that begin so.
    public func removing(_ names: [String]) -> SignedFields {
        let patterns = names.map(SignedFields.lowercase)
        var copy = self
        copy.entries.removeAll { entry in
            entry.name != SignedFields.from
                && patterns.contains { pattern in
                    pattern.last == UInt8(ascii: "*")
                        ? entry.name.starts(with: pattern.dropLast()) : entry.name == pattern
                }
        }
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

    private static let from = lowercase("from")
    private static let shownFields = [
        "From", "Reply-To", "Sender", "To", "Cc", "Subject", "Date", "Message-ID",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    ]
    private static let shown = Set(shownFields.map(lowercase))

    private static func lowercase(_ name: String) -> [UInt8] {
        name.utf8.map(HeaderCanonicalization.lowercase)
    }

    /// RFC 6376 §3.5 `h=`: a name can't hold a colon, nor a semicolon, which would end the tag.
    private static func isFieldName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.allSatisfy { (33...126).contains($0) && $0 != 0x3A && $0 != 0x3B }
    }
}
