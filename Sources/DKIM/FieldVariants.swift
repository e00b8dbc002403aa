// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// FieldVariants is in charge of undoing what commonly happens to a header field between signer and verifier.
enum FieldVariants {
    struct Variant: Sendable {
        var kind: FailureCause.Kind
        /// Completes "the field matches …".
        var condition: String
        /// The field as it may have been; nil if there is nothing to undo.
        var undo: @Sendable ([UInt8]) -> [UInt8]?
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let colon = UInt8(ascii: ":")
    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")

    /// Changes that software makes to each field that it touches.
    static func everywhere(_ canonicalization: Canonicalization) -> [Variant] {
        canonicalization == .simple ? folds + simpleFolds : folds
    }

    /// Changes of one field: these of white space, and of what a list or a scanner writes into it.
    static func single(_ canonicalization: Canonicalization) -> [Variant] {
        everywhere(canonicalization) + values
    }

    private static func whiteSpace(
        _ condition: String, _ undo: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> Variant {
        Variant(kind: .fieldWhiteSpace, condition: condition) { field in
            let changed = undo(field)
            return changed == field ? nil : changed
        }
    }

    /// What matters with relaxed canonicalization, too.
    private static let folds: [Variant] = [
        whiteSpace("without the white space of its folds: it was folded within a word after signing") { field in
            refold(field) { _ in [] }
        },
        whiteSpace("without the space after its commas: its list was written anew after signing") { field in
            eachComma(field, [])
        },
        whiteSpace("with a space after each comma: its list was written anew after signing") { field in
            eachComma(field, [space])
        },
    ]

    /// What only simple canonicalization sees.
    private static let simpleFolds: [Variant] = [
        whiteSpace("without its folds: it was folded after signing") { field in refold(field) { Array($0) } },
        whiteSpace("with one space for each fold: it was folded after signing") { field in
            refold(field) { _ in [space] }
        },
        whiteSpace("with a tab after each fold, not a space") { field in refold(field) { _ in [13, 10, tab] } },
        whiteSpace("with a space after each fold, not a tab") { field in refold(field) { _ in [13, 10, space] } },
        whiteSpace("with a space after the colon, which was taken away after signing") { field in
            afterColon(field, [space])
        },
        whiteSpace("without the white space after the colon, which was added after signing") { field in
            afterColon(field, [])
        },
        whiteSpace("with its name in lower case") { field in
            let end = field.firstIndex(of: colon) ?? 0
            return field[..<end].map(HeaderCanonicalization.lowercase) + field[end...]
        },
        whiteSpace("without white space at its end, which was added after signing") { field in
            Array(field.prefix((field.lastIndex { !HeaderCanonicalization.isWhiteSpace($0) } ?? -1) + 1))
        },
    ]

    private static let values: [Variant] = [
        Variant(
            kind: .fieldChanged, condition: "without the [tag] at its start: a mailing list put it there",
            undo: { withoutTag($0, open: UInt8(ascii: "["), close: UInt8(ascii: "]")) }),
        Variant(
            kind: .fieldChanged, condition: "without the *mark* at its start: a filter put it there",
            undo: { withoutTag($0, open: UInt8(ascii: "*"), close: UInt8(ascii: "*")) }),
        Variant(
            kind: .fieldChanged, condition: "without quotes: a relay wrote the address anew",
            undo: { field in field.contains(quote) ? field.filter { $0 != quote } : nil }),
        Variant(
            kind: .fieldChanged, condition: "with quotes around the display name: a relay wrote the address anew",
            undo: quotingName),
    ]

    /// Replaces each CRLF and the white space after it.
    private static func refold(_ field: [UInt8], _ fold: (ArraySlice<UInt8>) -> [UInt8]) -> [UInt8] {
        var refolded: [UInt8] = []
        var position = 0
        while position < field.count {
            guard field[position] == 13, position + 1 < field.count, field[position + 1] == 10 else {
                refolded.append(field[position])
                position += 1
                continue
            }
            let start = position + 2
            position = start
            while position < field.count, HeaderCanonicalization.isWhiteSpace(field[position]) { position += 1 }
            refolded += fold(field[start..<position])
        }
        return refolded
    }

    private static func eachComma(_ field: [UInt8], _ separator: [UInt8]) -> [UInt8] {
        var changed: [UInt8] = []
        var position = 0
        while position < field.count {
            changed.append(field[position])
            position += 1
            guard changed.last == comma else { continue }
            while position < field.count, HeaderCanonicalization.isFolding(field[position]) { position += 1 }
            changed += separator
        }
        return changed
    }

    private static func afterColon(_ field: [UInt8], _ separator: [UInt8]) -> [UInt8] {
        guard let end = field.firstIndex(of: colon) else { return field }
        return Array(field[...end]) + separator + field[(end + 1)...].drop(while: HeaderCanonicalization.isWhiteSpace)
    }

    private static func withoutTag(_ field: [UInt8], open: UInt8, close: UInt8) -> [UInt8]? {
        guard let end = field.firstIndex(of: colon) else { return nil }
        let value = field[(end + 1)...].drop(while: HeaderCanonicalization.isFolding)
        guard value.first == open else { return nil }
        var rest = value.drop { $0 == open }
        guard let closing = rest.firstIndex(of: close) else { return nil }
        rest = rest[closing...].drop { $0 == close }.drop(while: HeaderCanonicalization.isFolding)
        return Array(field[...end]) + [space] + rest
    }

    /// `From: A B <a@example.com>` was `From: "A B" <a@example.com>`.
    private static func quotingName(_ field: [UInt8]) -> [UInt8]? {
        guard let end = field.firstIndex(of: colon), !field.contains(quote),
            let angle = field[(end + 1)...].lastIndex(of: UInt8(ascii: "<"))
        else { return nil }
        var name = field[(end + 1)..<angle].drop(while: HeaderCanonicalization.isFolding)
        while let last = name.last, HeaderCanonicalization.isFolding(last) { name.removeLast() }
        guard !name.isEmpty else { return nil }
        return Array(field[...end]) + [space, quote] + name + [quote, space] + field[angle...]
    }
}
