// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TOMLKit

/// A TOML document as plain values, so that nothing behind the parser depends on the parser.
indirect enum TOMLNode: Hashable, Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([TOMLNode])
    case table([String: TOMLNode])
    /// A kind of value that no setting has: a fraction, a date, a time.
    case other(String)

    /// As it is called in an error.
    var kindName: String {
        switch self {
        case .text: "a string"
        case .number: "a number"
        case .flag: "true or false"
        case .list: "a list"
        case .table: "a table"
        case .other(let name): name
        }
    }
}

/// Why a text is not TOML.
struct TOMLSyntaxError: Error, Hashable {
    var line: Int
    var text: String
}

extension TOMLNode {
    /// Parses a document.
    static func parse(_ text: String) throws(TOMLSyntaxError) -> [String: TOMLNode] {
        do {
            return TOMLNode.members(of: try TOMLKit.TOMLTable(string: text))
        } catch let error as TOMLKit.TOMLParseError {
            throw TOMLSyntaxError(line: error.source.begin.line, text: error.description)
        } catch {
            throw TOMLSyntaxError(line: 1, text: "\(error)")
        }
    }

    private static func members(of table: TOMLKit.TOMLTable) -> [String: TOMLNode] {
        var members: [String: TOMLNode] = [:]
        for key in table.keys {
            if let value = table[key] { members[key] = TOMLNode(value.tomlValue) }
        }
        return members
    }

    private init(_ value: TOMLKit.TOMLValue) {
        if let text = value.string {
            self = .text(text)
        } else if let flag = value.bool {
            self = .flag(flag)
        } else if let number = value.int {
            self = .number(number)
        } else if let table = value.table {
            self = .table(TOMLNode.members(of: table))
        } else if let array = value.array {
            self = .list(array.map { TOMLNode($0.tomlValue) })
        } else {
            self = .other("a \(value.type.description)")
        }
    }
}
