// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Configuration {
    /// The annotated file with every setting and its default; it reads back as the defaults.
    package static var example: String {
        var text = """
            # Every setting of Waxwing with its default. A setting that is left out keeps it; relative paths
            # start at the directory of this file. Check a file with `waxwing config check --config FILE`.

            """
        let defaults = Configuration(directory: "/")
        for table in tables {
            let values = table.values(defaults)
            let isAbsent = values.isEmpty
            text += "\n" + comment(table.words)
            if !table.name.isEmpty { text += (isAbsent ? "# " : "") + header(of: table) + "\n" }
            for (index, key) in table.keys.enumerated() {
                text += comment(key.words + range(of: key.kind))
                if let value = isAbsent ? nil : values[0][index] {
                    text += "\(key.name) = \(value)\n"
                } else {
                    text += "# \(key.name) = \(key.example ?? key.defaultText ?? TOMLText.quoted(""))\n"
                }
            }
        }
        return text
    }

    /// The settings in effect, as a file that reads back as this configuration.
    package var effectiveText: String {
        var text = "# " + (file.map { "Settings in effect with \($0)" } ?? "No configuration file: the defaults") + "\n"
        for table in Configuration.tables {
            for values in table.values(self) {
                let lines = zip(table.keys, values).compactMap { key, value in value.map { "\(key.name) = \($0)\n" } }
                if lines.isEmpty { continue }
                text += table.name.isEmpty ? "" : "\n" + Configuration.header(of: table) + "\n"
                text += lines.joined()
            }
        }
        return text
    }

    private static func header(of table: SettingTable) -> String {
        table.isArray ? "[[\(table.name)]]" : "[\(table.name)]"
    }

    /// What else an operator needs to know to fill the setting in.
    private static func range(of kind: SettingKind) -> String {
        switch kind {
        case .text, .path, .flag, .list: ""
        case .word, .wordOrList, .number, .size, .duration, .durationOrWord, .percent: " (\(kind.summary))"
        }
    }

    /// Comment lines of at most 100 octets; each line of the words starts one of its own.
    private static func comment(_ words: String) -> String {
        words.split(separator: "\n").map(paragraph).joined()
    }

    private static func paragraph(_ words: Substring) -> String {
        var lines: [String] = []
        for word in words.split(separator: " ") {
            if let last = lines.last, last.utf8.count + word.utf8.count < 100 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append("# " + word)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
