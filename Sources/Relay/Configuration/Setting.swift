// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// One setting of one table: its name and words, and how its value gets from the file into `Values` and back.
///
/// The annotated example, the check for unknown keys and `config show` are all made from these.
struct Setting<Values: Sendable>: Sendable {
    let key: String
    let kind: SettingKind
    /// One or more sentences for the annotated example.
    let words: String
    /// A value to show where the default is to leave the setting out, as TOML.
    let example: String?
    /// The value as TOML; nil when there is nothing to write.
    let text: @Sendable (Values) -> String?
    let set: @Sendable (inout Values, TOMLNode) throws(SettingFault) -> Void
}

extension Setting {
    typealias Path<Value> = WritableKeyPath<Values, Value> & Sendable

    /// A text, a path or a word.
    ///
    /// Empty stands for absent.
    static func text(
        _ key: String, _ path: any Path<String>, as kind: SettingKind = .text, example: String? = nil, _ words: String
    ) -> Setting {
        Setting(
            key: key, kind: kind, words: words, example: example.map(TOMLText.quoted),
            text: { values in values[keyPath: path].isEmpty ? nil : TOMLText.quoted(values[keyPath: path]) },
            set: { (values, node) throws(SettingFault) in
                guard case .text(let text) = node else { throw mismatch(node, kind, TOMLText.quoted(example ?? "…")) }
                if case .word(let allowed) = kind, !allowed.contains(text) {
                    throw SettingFault(
                        problem: "\"\(text)\" is not one of the words this setting knows",
                        remedy: "Write " + kind.summary)
                }
                guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
                    throw SettingFault(problem: "the text holds a control character", remedy: "Remove it")
                }
                values[keyPath: path] = text
            })
    }

    static func flag(_ key: String, _ path: any Path<Bool>, _ words: String) -> Setting {
        Setting(
            key: key, kind: .flag, words: words, example: nil,
            text: { values in values[keyPath: path] ? "true" : "false" },
            set: { (values, node) throws(SettingFault) in
                guard case .flag(let flag) = node else { throw mismatch(node, .flag, "true") }
                values[keyPath: path] = flag
            })
    }

    /// A flag whose absence means something of its own.
    static func flag(_ key: String, _ path: any Path<Bool?>, example: Bool, _ words: String) -> Setting {
        Setting(
            key: key, kind: .flag, words: words, example: "\(example)",
            text: { values in values[keyPath: path].map { $0 ? "true" : "false" } },
            set: { (values, node) throws(SettingFault) in
                guard case .flag(let flag) = node else { throw mismatch(node, .flag, "true") }
                values[keyPath: path] = flag
            })
    }

    static func number(_ key: String, _ path: any Path<Int>, _ range: ClosedRange<Int>, _ words: String) -> Setting {
        Setting(
            key: key, kind: .number(range), words: words, example: nil,
            text: { values in "\(values[keyPath: path])" },
            set: { (values, node) throws(SettingFault) in
                guard case .number(let number) = node else {
                    throw mismatch(node, .number(range), "\(range.lowerBound)")
                }
                try checkRange(number, "\(number)", .number(range))
                values[keyPath: path] = number
            })
    }

    /// A size or a percentage: a number with a unit.
    static func quantity(_ key: String, _ path: any Path<Int>, _ kind: SettingKind, _ words: String) -> Setting {
        Setting(
            key: key, kind: kind, words: words, example: nil,
            text: { values in kind.quantity.map { TOMLText.quoted($0.text(values[keyPath: path])) } },
            set: { (values, node) throws(SettingFault) in values[keyPath: path] = try quantity(node, kind) })
    }

    static func duration(_ key: String, _ path: any Path<Duration>, _ range: ClosedRange<Int>, _ words: String)
        -> Setting
    {
        Setting(
            key: key, kind: .duration(range), words: words, example: nil,
            text: { values in TOMLText.quoted(Quantity.duration.text(Int(values[keyPath: path].components.seconds))) },
            set: { (values, node) throws(SettingFault) in
                values[keyPath: path] = .seconds(try quantity(node, .duration(range)))
            })
    }

    static func list(_ key: String, _ path: any Path<[String]>, example: [String], _ words: String) -> Setting {
        Setting(
            key: key, kind: .list, words: words, example: TOMLText.list(example),
            text: { values in TOMLText.list(values[keyPath: path]) },
            set: { (values, node) throws(SettingFault) in
                values[keyPath: path] = try texts(node, example: TOMLText.list(example))
            })
    }

    static func texts(_ node: TOMLNode, example: String) throws(SettingFault) -> [String] {
        guard case .list(let nodes) = node else { throw mismatch(node, .list, example) }
        var texts: [String] = []
        for element in nodes {
            guard case .text(let text) = element else { throw mismatch(element, .text, example) }
            texts.append(text)
        }
        return texts
    }

    // MARK: - Faults

    static func quantity(_ node: TOMLNode, _ kind: SettingKind) throws(SettingFault) -> Int {
        guard let quantity = kind.quantity else { throw mismatch(node, kind, "") }
        if case .number(let number) = node {
            let names = quantity.units.map(\.name).joined(separator: ", ")
            throw SettingFault(
                problem: "\(number) has no unit",
                remedy: "Write a number and a unit (\(names)) in quotes, such as \"\(quantity.example)\"")
        }
        guard case .text(let text) = node else { throw mismatch(node, kind, TOMLText.quoted(quantity.example)) }
        let value = try quantity.parse(text)
        try checkRange(value, "\"\(text)\"", kind)
        return value
    }

    private static func checkRange(_ value: Int, _ text: String, _ kind: SettingKind) throws(SettingFault) {
        guard let range = kind.range, !range.contains(value) else { return }
        throw SettingFault(
            problem: "\(text) is too \(value < range.lowerBound ? "small" : "large")",
            remedy: "Write a value of \(kind.summary)")
    }

    static func mismatch(_ node: TOMLNode, _ kind: SettingKind, _ example: String) -> SettingFault {
        SettingFault(
            problem:
                "the value is \(node.kindName), where \(kind.quantity == nil ? kind.summary : "a quantity") belongs",
            remedy: "Write it as in `\(example)`")
    }
}

/// Values as TOML writes them.
enum TOMLText {
    static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    static func list(_ texts: [String]) -> String {
        "[" + texts.map(quoted).joined(separator: ", ") + "]"
    }
}
