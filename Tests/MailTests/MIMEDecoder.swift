// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A reader of MIME messages for the tests: it holds the whole message and shares no line with what it checks.
struct MIMEDecoder {
    /// One leaf, as a reader sees it.
    struct Leaf: Equatable, CustomStringConvertible {
        var path: String
        /// The Content-Type field; nil without one.
        var type: String?
        var content: [UInt8]

        var description: String {
            "\(path) \(type ?? "-"): \(String(decoding: content, as: UTF8.self).debugDescription)"
        }
    }

    private var leaves: [Leaf] = []

    static func leaves(of octets: [UInt8]) -> [Leaf] {
        var decoder = MIMEDecoder()
        decoder.read(lines(of: octets)[...], path: "", standardType: "text/plain")
        return decoder.leaves
    }

    /// Lines with their CRLFs.
    static func lines(of octets: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        for octet in octets {
            let endsLine = octet == 10 && lines[lines.count - 1].last == 13
            lines[lines.count - 1].append(octet)
            if endsLine { lines.append([]) }
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private static func trimmed(_ line: [UInt8]) -> String {
        let text = String(decoding: line, as: UTF8.self)
        return String(text.reversed().drop { $0 == " " || $0 == "\t" || $0 == "\r\n" }.reversed())
    }

    private mutating func read(_ lines: ArraySlice<[UInt8]>, path: String, standardType: String) {
        var fields: [(String, String)] = []
        var rest = lines
        while let line = rest.first {
            let text = String(decoding: line, as: UTF8.self)
            if text == "\r\n" {
                rest = rest.dropFirst()
                break
            }
            if text.hasPrefix(" ") || text.hasPrefix("\t"), !fields.isEmpty {
                fields[fields.count - 1].1 += text
            } else if let colon = text.firstIndex(of: ":"), !text[..<colon].contains(" ") {
                fields.append((text[..<colon].lowercased(), String(text[text.index(after: colon)...])))
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        func value(_ name: String) -> String? {
            fields.first { $0.0 == name }.map { field in
                field.1.split { " \t".contains($0) || $0 == "\r\n" }.joined(separator: " ")
            }
        }
        let type = value("content-type")
        let name = (type ?? standardType).split(separator: ";")[0].lowercased()
        if name.hasPrefix("multipart/"), let boundary = MIMEDecoder.boundary(type ?? "") {
            let parts = MIMEDecoder.split(rest, boundary: boundary)
            for (index, part) in parts.enumerated() {
                read(
                    part[...], path: "\(path)/\(index)",
                    standardType: name == "multipart/digest" ? "message/rfc822" : "text/plain")
            }
        } else if name == "message/rfc822" {
            read(rest, path: path + "/m", standardType: "text/plain")
        } else {
            let encoding = value("content-transfer-encoding")?.lowercased() ?? "7bit"
            leaves.append(Leaf(path: path, type: type, content: MIMEDecoder.decode(Array(rest.joined()), encoding)))
        }
    }

    private static func boundary(_ type: String) -> String? {
        guard let range = type.firstRange(of: "boundary=") else { return nil }
        let rest = type[range.upperBound...]
        return rest.hasPrefix("\"")
            ? String(rest.dropFirst().prefix { $0 != "\"" }) : String(rest.prefix { $0 != ";" && $0 != " " })
    }

    private static func split(_ lines: ArraySlice<[UInt8]>, boundary: String) -> [[[UInt8]]] {
        var parts: [[[UInt8]]] = []
        var isInside = false
        for line in lines {
            let text = line.starts(with: [45, 45]) ? trimmed(line) : ""
            if text == "--\(boundary)--" {
                if isInside { dropLastLineEnd(&parts) }
                return parts
            } else if text == "--\(boundary)" {
                if isInside { dropLastLineEnd(&parts) }
                parts.append([])
                isInside = true
            } else if isInside {
                parts[parts.count - 1].append(line)
            }
        }
        return parts
    }

    /// The CRLF before a delimiter is the delimiter's, unless it ends the header.
    private static func dropLastLineEnd(_ parts: inout [[[UInt8]]]) {
        guard let last = parts[parts.count - 1].popLast() else { return }
        let isHeader = parts[parts.count - 1].allSatisfy { $0.contains(UInt8(ascii: ":")) || $0.first == 9 }
        if last == [13, 10], isHeader, parts[parts.count - 1].first != [13, 10] {
            parts[parts.count - 1].append(last)
        } else if last.count > 2 {
            parts[parts.count - 1].append(last.dropLast(2))
        }
    }

    private static func decode(_ octets: [UInt8], _ encoding: String) -> [UInt8] {
        switch encoding {
        case "quoted-printable": quotedPrintable(octets)
        case "base64": base64(octets) ?? Array("not base64".utf8)
        default: octets
        }
    }

    private static func quotedPrintable(_ octets: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = octets[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "=") else {
                output.append(octet)
                continue
            }
            if rest.isEmpty {
                break
            } else if let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count > 1,
                rest.first != UInt8(ascii: "+")
            {
                output.append(value)
                rest = rest.dropFirst(2)
            } else {
                let blank = rest.prefix { $0 == 32 || $0 == 9 }
                if rest.dropFirst(blank.count).starts(with: [13, 10]) {
                    rest = rest.dropFirst(blank.count + 2)
                } else {
                    output.append(octet)
                }
            }
        }
        return output
    }

    /// Nil if a group is not complete.
    static func base64(_ octets: [UInt8]) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let characters = octets.filter { alphabet.contains($0) || $0 == UInt8(ascii: "=") }
        guard characters.count.isMultiple(of: 4) else { return nil }
        var output: [UInt8] = []
        for start in stride(from: 0, to: characters.count, by: 4) {
            let group = characters[start..<start + 4]
            let bits = group.reduce(0) { $0 * 64 + (alphabet.firstIndex(of: $1) ?? 0) }
            let padding = group.count { $0 == UInt8(ascii: "=") }
            output += [UInt8(bits >> 16), UInt8(bits >> 8 & 255), UInt8(bits & 255)].dropLast(padding)
        }
        return output
    }
}
