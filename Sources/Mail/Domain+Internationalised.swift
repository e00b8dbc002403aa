// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

@_spi(_Unicode) internal import Swift

/// Internationalised domain names: what people write becomes the A-labels that DNS and mail know.
extension Domain {
    /// The domain of a name whose labels may hold characters outside ASCII (RFC 5890 §2.3.2.1); nil if it is none.
    ///
    /// It follows what RFC 5891 §5 asks before a look-up, after the mapping of RFC 5895 as far as case and the
    /// full stops go. Characters that IDNA 2008 disallows, such as full-width letters, are refused rather than guessed
    /// at.
    package init?(internationalised text: some StringProtocol) {
        if text.utf8.allSatisfy({ $0 < 128 }) {
            self.init(text)
            return
        }
        // RFC 5895 §2: lower case, the full stops of other scripts, normalization form C.
        let lowered = text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\u{3002}", "\u{FF0E}", "\u{FF61}": result += "."
            default: result += scalar.properties.lowercaseMapping
            }
        }
        var name = ""
        for label in lowered.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false) {
            guard let ascii = InternationalLabel.ascii(Array(String(label)._nfc)) else { return nil }
            if !name.isEmpty { name += "." }
            name += ascii
        }
        self.init(name)
    }
}

/// One label of an internationalised name.
private enum InternationalLabel {
    /// As an A-label; nil if IDNA 2008 has none for it.
    static func ascii(_ label: [Unicode.Scalar]) -> String? {
        if label.allSatisfy(\.isASCII) { return String(String.UnicodeScalarView(label)) }
        guard let first = label.first, label.last != "-", first != "-" else { return nil }
        // RFC 5891 §4.2.3.1, §4.2.3.2: nothing that looks like an A-label already, no combining mark in front.
        if label.count > 3, label[2] == "-", label[3] == "-" { return nil }
        switch first.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return nil
        default: break
        }
        for index in label.indices where !isAllowed(label[index], at: index, in: label) { return nil }
        return Punycode.encode(label).map { "xn--\($0)" }
    }

    /// RFC 5892 §3, by the properties that Unicode gives a character.
    private static func isAllowed(_ scalar: Unicode.Scalar, at index: Int, in label: [Unicode.Scalar]) -> Bool {
        switch scalar.value {
        case 0x2D, 0x30...0x39, 0x61...0x7A: return true
        case 0..<0x80: return false
        // §2.6: characters that the rules would treat otherwise.
        case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return true
        case 0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB: return true
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        // Appendix A.1 and A.2: joiners after a virama only.
        case 0x200C, 0x200D:
            return index > 0 && label[index - 1].properties.canonicalCombiningClass == .virama
        // §2.9: conjoining Hangul, and §2.4: blocks for symbols.
        case 0x1100...0x11FF, 0xA960...0xA97F, 0xD7B0...0xD7FF: return false
        case 0x20D0...0x20FF, 0x1D100...0x1D1FF, 0x1D200...0x1D24F: return false
        default: break
        }
        let properties = scalar.properties
        guard !properties.changesWhenNFKCCaseFolded, !properties.isDefaultIgnorableCodePoint else { return false }
        switch properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .otherLetter, .decimalNumber, .modifierLetter, .nonspacingMark,
            .spacingMark:
            return true
        default:
            return false
        }
    }
}

/// Punycode: characters outside ASCII as letters and digits (RFC 3492).
private enum Punycode {
    private static let base = 36
    private static let smallestThreshold = 1
    private static let largestThreshold = 26

    /// Nil for labels that no name can hold.
    static func encode(_ label: [Unicode.Scalar]) -> String? {
        guard label.count <= Domain.maximumLabelOctets else { return nil }
        var output = label.filter(\.isASCII).map { UInt8($0.value) }
        let basicCount = output.count
        var handled = basicCount
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var current = 128
        var delta = 0
        var bias = 72
        while handled < label.count {
            // With at most 63 characters below 0x110000, nothing here comes near an overflow.
            let next = label.lazy.map { Int($0.value) }.filter { $0 >= current }.min() ?? current
            delta += (next - current) * (handled + 1)
            current = next
            for scalar in label {
                if scalar.value < current { delta += 1 }
                guard scalar.value == current else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapt(delta, count: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            current += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// RFC 3492 §6.3: a number in digits of growing weight.
    private static func append(_ delta: Int, bias: Int, to output: inout [UInt8]) {
        var rest = delta
        var weight = base
        while true {
            let threshold = min(max(weight - bias, smallestThreshold), largestThreshold)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            weight += base
        }
        output.append(digit(rest))
    }

    /// RFC 3492 §6.1.
    private static func adapt(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var offset = 0
        while delta > (base - smallestThreshold) * largestThreshold / 2 {
            delta /= base - smallestThreshold
            offset += base
        }
        return offset + (base - smallestThreshold + 1) * delta / (delta + 38)
    }

    private static func digit(_ value: Int) -> UInt8 {
        value < 26 ? UInt8(ascii: "a") + UInt8(value) : UInt8(ascii: "0") + UInt8(value - 26)
    }
}
