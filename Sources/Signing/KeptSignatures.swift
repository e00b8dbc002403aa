// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import FoundationEssentials

/// The signatures that an earlier attempt made, read only as far as to say whether they still serve.
struct KeptSignatures {
    /// A signature nearer to its `x=` than this is made anew.
    static let margin: Int64 = 86_400
    private static let name = Array("dkim-signature:".utf8)

    /// The tags of each field in order, without white space.
    private var signatures: [[UInt8: [UInt8]]] = []
    private var fieldNames: [[String]] = []

    /// Nil if `fields` is anything but DKIM-Signature fields.
    init?(_ fields: [UInt8]) {
        var rest = fields[...]
        while !rest.isEmpty {
            guard let end = Self.end(ofFieldIn: rest) else { return nil }
            let field = rest[..<end]
            rest = rest[end...]
            guard field.count > Self.name.count,
                zip(field, Self.name).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
            else { return nil }
            read(field.dropFirst(Self.name.count))
        }
        guard !signatures.isEmpty else { return nil }
    }

    /// After the CRLF that no white space follows.
    private static func end(ofFieldIn bytes: ArraySlice<UInt8>) -> Int? {
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            if bytes[index] == 13, bytes[index + 1] == 10 {
                let next = index + 2
                if next == bytes.endIndex || (bytes[next] != 32 && bytes[next] != 9) { return next }
            }
            index += 1
        }
        return nil
    }

    /// Keeps the tags of one letter, which are all that count here but `bh`, kept as `B`.
    private mutating func read(_ value: ArraySlice<UInt8>) {
        var tags: [UInt8: [UInt8]] = [:]
        for tag in value.split(separator: UInt8(ascii: ";")) {
            let plain = tag.filter { $0 != 32 && $0 != 9 && $0 != 13 && $0 != 10 }
            guard let equals = plain.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let content = Array(plain[(equals + 1)...])
            switch plain[..<equals] {
            case [UInt8(ascii: "b"), UInt8(ascii: "h")]: tags[UInt8(ascii: "B")] = content
            case let name where name.count == 1: tags[plain[0]] = content
            default: break
            }
        }
        let names = String(decoding: tags[UInt8(ascii: "h")] ?? [], as: UTF8.self).lowercased().split(separator: ":")
        fieldNames.append(names.map(String.init))
        signatures.append(tags)
    }

    /// Whether these are the signatures that would be made now, by keys that still sign, good for another day.
    func serve(_ keys: [ActiveKey], sdid: String, bodyHash: [UInt8], isAmazon: Bool, now: Int64) -> Bool {
        guard signatures.count == keys.count else { return false }
        let hash = Array(Data(bodyHash).base64EncodedString().utf8)
        for (index, key) in keys.enumerated() {
            let tags = signatures[index]
            guard tags[UInt8(ascii: "d")] == Array(sdid.utf8), tags[UInt8(ascii: "s")] == Array(key.selector.utf8),
                tags[UInt8(ascii: "a")] == Array(key.algorithm.rawValue.utf8), tags[UInt8(ascii: "B")] == hash,
                let expiry = tags[UInt8(ascii: "x")].flatMap({ Int64(String(decoding: $0, as: UTF8.self)) }),
                expiry - now > Self.margin
            else { return false }
            // Made for a next hop that rewrites Message-ID and Date, or not.
            guard fieldNames[index].contains("message-id") != isAmazon else { return false }
        }
        return true
    }
}
