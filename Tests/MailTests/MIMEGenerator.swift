// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport

/// Makes MIME messages of any shape, as good and as bad programs write them, from a seed.
struct MIMEGenerator {
    var random: SeededGenerator
    private var boundaries = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    /// A message: header section, empty line, body that ends in CRLF.
    mutating func message() -> [UInt8] {
        var octets = lines("From: a@example.com", "Subject: hello")
        if chance(80) { octets += lines("MIME-Version: 1.0") }
        octets += entity(depth: 0)
        if !octets.suffix(2).elementsEqual([13, 10]) { octets += [13, 10] }
        return octets
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }
    private mutating func pick(_ texts: [String]) -> String { texts[number(0...texts.count - 1)] }

    private func lines(_ lines: String...) -> [UInt8] { lines.flatMap { Array($0.utf8) + [13, 10] } }

    /// The MIME fields of an entity, the empty line, and its content.
    private mutating func entity(depth: Int) -> [UInt8] {
        switch number(0...99) {
        case 0..<35 where depth < 5: return multipart(depth: depth)
        case 35..<47 where depth < 5: return message(depth: depth)
        default: return leaf()
        }
    }

    private mutating func multipart(depth: Int) -> [UInt8] {
        boundaries += 1
        let boundary = pick(["=_part", "b", "----=_x.y/z", "in ner"]) + "\(boundaries)"
        let isDigest = chance(10)
        let type = isDigest ? "digest" : pick(["mixed", "alternative", "related", "x-odd"])
        let isQuoted = boundary.contains(" ") || chance(50)
        var octets = lines(
            "Content-Type: multipart/\(type); charset=x;\(chance(30) ? "\r\n\t" : " ")boundary="
                + (isQuoted ? "\"\(boundary)\"" : boundary))
        if chance(30) { octets += lines("Content-Transfer-Encoding: \(pick(["7bit", "8bit", "BINARY", "base64"]))") }
        octets += [13, 10]
        if chance(30) { octets += ignorable() }
        for _ in 0..<number(1...3) {
            octets += lines("--\(boundary)" + (chance(20) ? " \t" : ""))
            octets += isDigest ? lines("") + message(isInDigest: true, depth: depth + 1) : part(depth: depth + 1)
            octets += [13, 10]
        }
        guard chance(90) else { return octets }
        octets += Array("--\(boundary)--".utf8)
        return chance(20) ? octets + [13, 10] + ignorable() : octets
    }

    private mutating func part(depth: Int) -> [UInt8] {
        switch number(0...19) {
        // Without a header, and the empty line may lack too.
        case 0: lines("") + text(isEncoded: false)
        case 1: lines("no header here") + text(isEncoded: false)
        case 2: lines("Content-Type: text/plain", "")
        default: entity(depth: depth)
        }
    }

    private mutating func message(depth: Int) -> [UInt8] {
        var octets = lines("Content-Type: message/rfc822")
        if chance(30) { octets += lines("Content-Transfer-Encoding: \(pick(["7bit", "8bit", "binary"]))") }
        return octets + lines("") + message(isInDigest: false, depth: depth + 1)
    }

    private mutating func message(isInDigest: Bool, depth: Int) -> [UInt8] {
        var octets = lines("From: b@example.com", "To: c@example.com")
        if chance(50) { octets += lines("Subject: " + pick(["gr\u{fc}\u{df}e", "plain", "a \u{65e5}\u{672c} b"])) }
        if chance(50) { octets += lines("MIME-Version: 1.0") }
        return octets + entity(depth: depth)
    }

    private mutating func leaf() -> [UInt8] {
        var octets: [UInt8] = []
        let type = pick(["text/plain; charset=utf-8", "text/html", "application/octet-stream", "image/png", ""])
        if !type.isEmpty { octets += lines("Content-Type: \(type)") }
        if chance(20) { octets += lines("Content-Length: 5") }
        if chance(10) { octets += lines("Content-Disposition: attachment; filename=\"\u{fc}.txt\"") }
        switch number(0...9) {
        case 0...3:
            return octets + lines("") + text(isEncoded: false)
        case 4...5:
            let label = pick(["7bit", "8bit", "Binary", "8BIT (\u{61})"])
            return octets + lines("Content-Transfer-Encoding: \(label)", "") + text(isEncoded: false)
        case 6...7:
            return octets + lines("Content-Transfer-Encoding: quoted-printable", "") + text(isEncoded: true)
        default:
            return octets + lines("Content-Transfer-Encoding: BASE64", "") + base64()
        }
    }

    /// Octets of all kinds; with the signs of quoted-printable, used well and badly, if it is said to be encoded.
    private mutating func text(isEncoded: Bool) -> [UInt8] {
        var octets: [UInt8] = []
        for _ in 0..<number(0...12) {
            let long = chance(8) ? number(900...1100) : 0
            octets += Array(repeating: UInt8(ascii: "x"), count: long)
            if chance(15) { octets += Array(pick([".", "..", "From me", "--", "--b", "-- ", "--=_part1x"]).utf8) }
            for _ in 0..<number(0...40) {
                switch number(0...11) {
                case 0: octets += Array(pick(["\u{fc}", "\u{65e5}", "\u{1f600}"]).utf8)
                case 1: octets.append(UInt8(number(chance(90) ? 128...255 : 1...9)))
                case 2: octets.append(UInt8(chance(70) ? 32 : 9))
                case 3 where isEncoded: octets += Array(pick(["=3D", "=c3=bc", "=\r\n", "=", "= \r\n", "=0D=0A"]).utf8)
                default: octets.append(UInt8(number(33...126)))
                }
            }
            octets += [13, 10]
        }
        // What would be a delimiter is none of the tests' business here.
        return chance(70) ? octets : octets.dropLast(2)
    }

    private mutating func base64() -> [UInt8] {
        let width = chance(30) ? number(250...500) * 4 : 76
        var octets: [UInt8] = []
        for index in 0..<number(0...600) * 4 {
            octets += Array(pick(["A", "b", "9", "+", "/"]).utf8)
            if index % width == width - 1 { octets += chance(5) ? [0xE4, 13, 10] : [13, 10] }
        }
        return octets + Array(pick(["", "QQ==", "QUI=", "QUI=\r\n"]).utf8)
    }

    private mutating func ignorable() -> [UInt8] {
        let octets = lines(pick(["This is a message in MIME format.", "\u{dc}brig", "-- ", ""]))
        return chance(10) ? octets + Array(repeating: UInt8(ascii: "-"), count: 2000) + [13, 10] : octets
    }
}
