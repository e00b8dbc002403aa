// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Signing

/// Kinds of values that only the tables about keys have.
extension Setting {
    /// A time in whole seconds.
    static func seconds(_ key: String, _ path: any Path<Int64>, _ range: ClosedRange<Int>, _ words: String) -> Setting {
        Setting(
            key: key, kind: .duration(range), words: words, example: nil,
            text: { values in TOMLText.quoted(Quantity.duration.text(Int(values[keyPath: path]))) },
            set: { (values, node) throws(SettingFault) in
                values[keyPath: path] = Int64(try quantity(node, .duration(range)))
            })
    }

    /// A time, or `never`; absent stands for what is decided elsewhere.
    static func interval(
        _ key: String, _ path: any Path<RotationInterval?>, _ range: ClosedRange<Int>, example: Int, _ words: String
    ) -> Setting {
        let never = "never"
        let kind = SettingKind.durationOrWord(range, never)
        return Setting(
            key: key, kind: kind, words: words, example: TOMLText.quoted(Quantity.duration.text(example)),
            text: { values in
                values[keyPath: path].map { interval in
                    TOMLText.quoted(interval.seconds.map { Quantity.duration.text(Int($0)) } ?? never)
                }
            },
            set: { (values, node) throws(SettingFault) in
                values[keyPath: path] = node == .text(never) ? .never : .seconds(Int64(try quantity(node, kind)))
            })
    }

    /// How fresh selectors are named; absent stands for what is decided elsewhere.
    static func template(
        _ key: String, _ path: any Path<SelectorTemplate?>, example: String, _ words: String
    ) -> Setting {
        Setting(
            key: key, kind: .text, words: words, example: TOMLText.quoted(example),
            text: { values in values[keyPath: path].map { TOMLText.quoted($0.text) } },
            set: { (values, node) throws(SettingFault) in
                guard case .text(let text) = node else { throw mismatch(node, .text, TOMLText.quoted(example)) }
                guard let template = SelectorTemplate(text) else {
                    throw SettingFault(
                        problem: "\"\(text)\" does not make selectors",
                        remedy:
                            "Write letters, digits and inner hyphens with {letter} once, at most one {date} and one {algorithm}, such as \"\(example)\""
                    )
                }
                values[keyPath: path] = template
            })
    }

    /// The name of something; absent stands for what is decided elsewhere.
    static func name(_ key: String, _ path: any Path<String?>, example: String, _ words: String) -> Setting {
        Setting(
            key: key, kind: .text, words: words, example: TOMLText.quoted(example),
            text: { values in values[keyPath: path].map(TOMLText.quoted) },
            set: { (values, node) throws(SettingFault) in
                guard case .text(let text) = node else { throw mismatch(node, .text, TOMLText.quoted(example)) }
                values[keyPath: path] = text
            })
    }

    /// A list whose absence stands for the example.
    static func names(_ key: String, _ path: any Path<[String]?>, example: [String], _ words: String) -> Setting {
        Setting(
            key: key, kind: .list, words: words, example: TOMLText.list(example),
            text: { values in values[keyPath: path].map(TOMLText.list) },
            set: { (values, node) throws(SettingFault) in
                values[keyPath: path] = try texts(node, example: TOMLText.list(example))
            })
    }
}
