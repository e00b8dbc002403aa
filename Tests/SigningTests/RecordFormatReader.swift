// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation

@testable import Signing

/// What a tool would make of a document of records: written after the rules of each format, not after our writer.
enum RecordFormatReader {
    struct Record: Hashable {
        /// With the final dot cut off.
        var name: String
        var ttl: Int64
        /// As they go into DNS; one where the format leaves the splitting to the tool.
        var strings: [String]

        var text: String { strings.joined() }
    }

    struct Fault: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) { self.description = description }
    }

    /// Formats whose tools split long texts themselves.
    static let unsplit: Set<RecordFormat> = [.plain, .octodns, .tinydns]

    static func read(_ text: String, as format: RecordFormat) throws -> [Record] {
        switch format {
        case .plain: try plain(text)
        case .bind: try zoneFile(text)
        case .nsupdate: try updateScript(text)
        case .route53: try route53(text)
        case .cloudflare: try cloudflare(text)
        case .google: try google(text)
        case .azure: try azure(text)
        case .terraform: try terraform(text)
        case .octodns: try octoDNS(text)
        case .dnscontrol: try dnsControl(text)
        case .tinydns: try tinyDNS(text)
        case .json: try json(text)
        }
    }

    static func withoutDot(_ name: String) throws -> String {
        guard name.hasSuffix(".") else { throw Fault("\(name) has no final dot") }
        return String(name.dropLast())
    }

    static func number(_ text: some StringProtocol) throws -> Int64 {
        guard let number = Int64(text) else { throw Fault("\(text) is no number") }
        return number
    }

    /// Quoted strings with `\"` and codes of three digits; a backslash before anything else is refused, unless it
    /// is itself escaped and the format has that.
    static func quotedStrings(
        _ text: some StringProtocol, radix: Int = 10, escapesBackslash: Bool = true, mayTouch: Bool = false
    ) throws -> [String] {
        var strings: [String] = []
        var rest = Array(text.utf8)[...]
        while true {
            let blanks = rest.prefix { $0 == 0x20 }.count
            rest = rest.dropFirst(blanks)
            guard !rest.isEmpty else { return strings }
            guard strings.isEmpty || blanks > 0 || mayTouch else { throw Fault("no space between strings") }
            guard rest.popFirst() == UInt8(ascii: "\"") else { throw Fault("no quotation mark in \(text)") }
            var string: [UInt8] = []
            while let octet = rest.popFirst(), octet != UInt8(ascii: "\"") {
                guard octet == UInt8(ascii: "\\") else {
                    string.append(octet)
                    continue
                }
                if rest.first == UInt8(ascii: "\"") || (escapesBackslash && rest.first == UInt8(ascii: "\\")) {
                    string += rest.prefix(1)
                    rest = rest.dropFirst()
                } else {
                    let digits = String(decoding: rest.prefix(3), as: UTF8.self)
                    guard digits.utf8.count == 3, let code = UInt8(digits, radix: radix) else {
                        throw Fault("\\\(digits) is no code")
                    }
                    string.append(code)
                    rest = rest.dropFirst(3)
                }
            }
            strings.append(String(decoding: string, as: UTF8.self))
        }
    }
}

// MARK: Lines

extension RecordFormatReader {
    static func lines(_ text: String) throws -> [String] {
        guard text.hasSuffix("\n") else { throw Fault("the last line has no end") }
        return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    static func plain(_ text: String) throws -> [Record] {
        try lines(text).map { line in
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Fault("no space in \(line)") }
            return Record(name: String(parts[0]), ttl: 3600, strings: [String(parts[1])])
        }
    }

    /// RFC 1035 §5.1: parentheses join lines, a semicolon outside of quotes begins a comment.
    static func zoneFile(_ text: String) throws -> [Record] {
        var records: [Record] = []
        var entry = ""
        var isQuoted = false
        var isEscaped = false
        var depth = 0
        var isComment = false
        for character in text {
            if isQuoted {
                entry.append(character)
                guard character != "\n" else { throw Fault("a line end in quotes") }
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isQuoted = false
                }
                continue
            }
            if isComment, character != "\n" { continue }
            switch character {
            case ";": isComment = true
            case "(": depth += 1
            case ")": depth -= 1
            case "\n":
                isComment = false
                guard depth == 0 else {
                    entry.append(" ")
                    continue
                }
                records.append(try zoneEntry(entry))
                entry = ""
            default:
                isQuoted = character == "\""
                entry.append(character)
            }
        }
        guard entry.isEmpty else { throw Fault("an entry is cut off") }
        return records
    }

    static func zoneEntry(_ entry: String) throws -> Record {
        let fields = entry.split(separator: " ", maxSplits: 4)
        guard fields.count == 5, fields[2] == "IN", fields[3] == "TXT" else { throw Fault("not a TXT: \(entry)") }
        return Record(
            name: try withoutDot(String(fields[0])), ttl: try number(fields[1]), strings: try quotedStrings(fields[4]))
    }

    /// The state of the names after all commands.
    static func updateScript(_ text: String) throws -> [Record] {
        var waiting: [Record] = []
        var sent: [Record] = []
        for line in try lines(text) {
            if line == "send" {
                sent += waiting
                waiting = []
            } else if line.hasPrefix("update add ") {
                waiting.append(try zoneEntry(String(line.dropFirst("update add ".count))))
            } else if line.hasPrefix("update delete ") {
                let fields = line.split(separator: " ")
                guard fields.count == 4, fields[3] == "TXT" else { throw Fault(line) }
                let name = try withoutDot(String(fields[2]))
                waiting.removeAll { $0.name == name }
            } else {
                guard line.hasPrefix("server ") || line.hasPrefix("zone ") else { throw Fault(line) }
            }
        }
        guard waiting.isEmpty else { throw Fault("an update is never sent") }
        return sent
    }

    /// https://cr.yp.to/djbdns/tinydns-data.html: fields end at colons, `\nnn` is octal, blanks at the end go.
    static func tinyDNS(_ text: String) throws -> [Record] {
        try lines(text).map { line in
            guard line.hasPrefix("'") else { throw Fault(line) }
            var line = line.dropFirst()
            while line.hasSuffix(" ") || line.hasSuffix("\t") { line = line.dropLast() }
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3 else { throw Fault("\(fields.count) fields") }
            var octets: [UInt8] = []
            var rest = Array(fields[1].utf8)[...]
            while let octet = rest.popFirst() {
                guard octet == UInt8(ascii: "\\") else {
                    octets.append(octet)
                    continue
                }
                guard let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) else {
                    throw Fault("no octal code")
                }
                octets.append(code)
                rest = rest.dropFirst(3)
            }
            return Record(
                name: String(fields[0]), ttl: try number(fields[2]), strings: [String(decoding: octets, as: UTF8.self)])
        }
    }
}
