// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Which header fields of a message a signature covers; all names are in lower case.
public struct FieldCoverage: Hashable, Sendable {
    /// The fields that are signed, one name for each of them, in the order of `h=`.
    public let signed: [String]
    /// The names that `h=` lists more often than they occur now: nobody can add such a field, and one may have
    /// been taken away.
    public let oversigned: [String]
    /// Those of `oversigned` of which there is no field at all.
    public let absent: [String]
    /// The fields that are not signed, one name for each of them, from the top down, without signatures.
    public let unsigned: [String]
    /// Those of `unsigned` that a reader sees or that decide how the body is shown: anyone can have written them.
    public let exposed: [String]

    init(_ header: HeaderFields, names: [String]) {
        var selection = HeaderSelection(header)
        var taken: Set<Int> = []
        var signed: [String] = []
        var oversigned: [String] = []
        for name in names {
            if let index = selection.next(Array(name.utf8)) {
                taken.insert(index)
                signed.append(name)
            } else if !oversigned.contains(name) {
                oversigned.append(name)
            }
        }
        let present = Set(signed)
        self.signed = signed
        self.oversigned = oversigned
        self.absent = oversigned.filter { !present.contains($0) }
        self.unsigned = header.fields.indices.filter { !taken.contains($0) }.map { header.name(at: $0).lowercased() }
            .filter { $0 != "dkim-signature" }
        self.exposed = unsigned.filter(FieldCoverage.shown.contains)
    }

    /// RFC 6376 §5.4.1, §8.15: what a reader is shown, and what decides how the body is understood.
    private static let shown: Set<String> = [
        "from", "reply-to", "sender", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type",
        "content-transfer-encoding",
    ]
}
