// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A tag list (RFC 6376 §3.2): `name=value` pairs with semicolons between, as in signatures and key records.
struct TagList {
    struct Tag {
        var name: String
        /// Between the equals sign and the semicolon, white space included.
        var octets: Range<Int>
        /// The same without white space at its ends.
        var value: Range<Int>
    }

    /// Why octets are not a tag list.
    enum Problem: Error, Hashable {
        /// "Tags with duplicate names MUST NOT occur within a single tag-list".
        case duplicate(String)
        /// Completes "not a list of tags: …".
        case malformed(String)

        var text: String {
            switch self {
            case .duplicate(let name): "the tag \(name)= stands there twice"
            case .malformed(let reason): "not a list of tags: \(reason)"
            }
        }
    }

    let bytes: [UInt8]
    let tags: [Tag]

    /// - Parameter range: the octets of the list; positions in the tags are positions in `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>) throws(Problem) {
        var tags: [Tag] = []
        // A set: a stranger's list can have as many tags as a message has room for.
        var names: Set<String> = []
        var position = range.lowerBound
        while true {
            let end = bytes[position..<range.upperBound].firstIndex(of: UInt8(ascii: ";")) ?? range.upperBound
            let specification = TagList.trim(position..<end, of: bytes)
            if specification.isEmpty {
                // A semicolon may stand at the very end, and nowhere else without a tag before it.
                guard end == range.upperBound, !tags.isEmpty else {
                    throw .malformed(end == range.upperBound ? "it is empty" : "a semicolon without a tag before it")
                }
                break
            }
            let tag = try TagList.tag(specification, end: end, of: bytes)
            guard names.insert(tag.name).inserted else { throw .duplicate(tag.name) }
            tags.append(tag)
            if end == range.upperBound { break }
            position = end + 1
        }
        self.bytes = bytes
        self.tags = tags
    }

    /// A list that is the whole of some octets.
    init(_ bytes: [UInt8]) throws(Problem) {
        try self.init(bytes, 0..<bytes.count)
    }

    /// Tag names differ by case (RFC 6376 §3.2: "Tags MUST be interpreted in a case-sensitive manner").
    subscript(name: String) -> Tag? {
        tags.first { $0.name == name }
    }

    /// The value as it stands, without white space at its ends; nil if there is no such tag.
    func text(_ name: String) -> String? {
        self[name].map { String(decoding: bytes[$0.value], as: UTF8.self) }
    }

    /// The value without any white space.
    func compactText(_ name: String) -> String? {
        self[name].map {
            String(decoding: bytes[$0.value].filter { !HeaderCanonicalization.isFolding($0) }, as: UTF8.self)
        }
    }

    /// The elements of a list with colons between, each without white space (RFC 6376 §3.5 `h=`, §3.6.1).
    func elements(_ name: String) -> [String]? {
        compactText(name)?.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }

    private static func tag(_ range: Range<Int>, end: Int, of bytes: [UInt8]) throws(Problem) -> Tag {
        guard let equals = bytes[range].firstIndex(of: UInt8(ascii: "=")) else {
            throw .malformed("\(excerpt(bytes[range])) has no equals sign")
        }
        let name = trim(range.lowerBound..<equals, of: bytes)
        // RFC 6376 §3.2: tag-name = ALPHA *ALNUMPUNC
        guard let first = name.first, isLetter(bytes[first]),
            bytes[name].allSatisfy({ isLetter($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") })
        else { throw .malformed("\(excerpt(bytes[name])) is not the name of a tag") }
        return Tag(
            name: String(decoding: bytes[name], as: UTF8.self), octets: equals + 1..<end,
            value: trim(equals + 1..<end, of: bytes))
    }

    /// As much of what a stranger wrote as an error may repeat.
    private static func excerpt(_ octets: ArraySlice<UInt8>) -> String {
        let text = octets.prefix(20).map { (33...126).contains($0) ? $0 : UInt8(ascii: "?") }
        return "\"\(String(decoding: text, as: UTF8.self))\(octets.count > 20 ? "\u{2026}" : "")\""
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func trim(_ range: Range<Int>, of bytes: [UInt8]) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, HeaderCanonicalization.isFolding(bytes[start]) { start += 1 }
        while end > start, HeaderCanonicalization.isFolding(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}
