// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation

@testable import Signing

// MARK: HCL

extension RecordFormatReader {
    /// A quoted template without expressions (HCL's native syntax, "Template Literals" and "Quoted Templates").
    static func template(_ text: some StringProtocol) throws -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { throw Fault("not quoted: \(text)") }
        var rest = Array(text.dropFirst().dropLast())[...]
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": throw Fault("the string ends early")
            case "\\":
                guard let next = rest.popFirst(), next == "\\" || next == "\"" else { throw Fault("unknown escape") }
                value.append(next)
            case "$", "%":
                if rest.first == "{" { throw Fault("an expression begins") }
                // Only `$${` is special: it stands for `${`.
                if rest.first == character, rest.dropFirst().first == "{" {
                    rest = rest.dropFirst(2)
                    value += "\(character){"
                } else {
                    value.append(character)
                }
            default: value.append(character)
            }
        }
        return value
    }

    static func terraform(_ text: String) throws -> [Record] {
        var records: [Record] = []
        var zones: [String: String] = [:]
        var block: [Substring] = []
        var attributes: [String: String] = [:]
        for line in try lines(text) where !line.isEmpty {
            if line.hasSuffix(" {"), !line.hasPrefix(" ") {
                block = line.split(separator: " ").dropLast().map { $0 }
            } else if line == "}" {
                guard block.count == 3 else { throw Fault("no block") }
                let label = try template(block[2])
                guard label.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }),
                    label.first?.isLetter == true
                else { throw Fault("\(label) is no identifier") }
                switch (block[0], try template(block[1])) {
                case ("data", "aws_route53_zone"):
                    guard zones.updateValue(try template(attributes["name"] ?? ""), forKey: label) == nil else {
                        throw Fault("\(label) twice")
                    }
                case ("resource", "aws_route53_record"):
                    records.append(try terraformRecord(attributes, zones))
                default: throw Fault("unknown block")
                }
                attributes = [:]
            } else {
                let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                guard parts.count == 2 else { throw Fault(line) }
                attributes[parts[0]] = parts[1]
            }
        }
        return records
    }

    private static func terraformRecord(_ attributes: [String: String], _ zones: [String: String]) throws -> Record {
        let reference = (attributes["zone_id"] ?? "").split(separator: ".").map(String.init)
        guard reference.count == 4, reference[0] == "data", reference[3] == "zone_id", let zone = zones[reference[2]]
        else { throw Fault("no zone") }
        let name = try template(attributes["name"] ?? "")
        let list = attributes["records"] ?? ""
        guard name.hasSuffix("." + zone) || name == zone, attributes["type"] == "\"TXT\"", list.hasPrefix("["),
            list.hasSuffix("]")
        else { throw Fault("no TXT record of \(zone)") }
        // The provider puts the value into quotes.
        let value = "\"" + (try template(list.dropFirst().dropLast())) + "\""
        return Record(
            name: name, ttl: try number(attributes["ttl"] ?? ""),
            strings: try quotedStrings(value, radix: 8, escapesBackslash: false, mayTouch: true))
    }
}

// MARK: JavaScript

extension RecordFormatReader {
    private enum Token: Hashable {
        case name(String)
        case number(Int64)
        case string(String)
        case sign(Character)
    }

    /// ECMAScript 5 §7, as far as calls with strings and numbers go.
    private static func tokens(_ text: String) throws -> [Token] {
        var tokens: [Token] = []
        var rest = Array(text)[...]
        while let character = rest.popFirst() {
            switch character {
            case " ", "\n": continue
            case "\"":
                var string = ""
                while let next = rest.popFirst(), next != "\"" {
                    guard next != "\n" else { throw Fault("a line end in a string") }
                    guard next == "\\" else {
                        string.append(next)
                        continue
                    }
                    guard let escaped = rest.popFirst(), escaped == "\\" || escaped == "\"" else {
                        throw Fault("unknown escape")
                    }
                    string.append(escaped)
                }
                tokens.append(.string(string))
            case "0"..."9", "A"..."Z", "a"..."z":
                var word = String(character)
                while let next = rest.first, next.isLetter || next.isNumber || next == "_" {
                    word.append(next)
                    rest = rest.dropFirst()
                }
                tokens.append(Int64(word).map(Token.number) ?? .name(word))
            default: tokens.append(.sign(character))
            }
        }
        return tokens
    }

    static func dnsControl(_ text: String) throws -> [Record] {
        var rest = try tokens(text)[...]
        func take(_ token: Token) throws {
            guard rest.popFirst() == token else { throw Fault("\(token) is missing before \(rest.prefix(3))") }
        }
        func takeString() throws -> String {
            guard case .string(let string) = rest.popFirst() else { throw Fault("a string is missing") }
            return string
        }
        var records: [Record] = []
        while !rest.isEmpty {
            try take(.name("D_EXTEND"))
            try take(.sign("("))
            let zone = try takeString()
            while rest.first == .sign(",") {
                try take(.sign(","))
                try take(.name("TXT"))
                try take(.sign("("))
                let host = try takeString()
                try take(.sign(","))
                var strings: [String] = []
                if rest.first == .sign("[") {
                    repeat {
                        rest = rest.dropFirst()
                        strings.append(try takeString())
                    } while rest.first == .sign(",")
                    try take(.sign("]"))
                } else {
                    strings.append(try takeString())
                }
                try take(.sign(","))
                try take(.name("TTL"))
                try take(.sign("("))
                guard case .number(let ttl) = rest.popFirst() else { throw Fault("no TTL") }
                try take(.sign(")"))
                try take(.sign(")"))
                records.append(Record(name: host == "@" ? zone : "\(host).\(zone)", ttl: ttl, strings: strings))
            }
            try take(.sign(")"))
            try take(.sign(";"))
        }
        return records
    }
}
