// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A table of the configuration file, or an array of them, without the type of its values.
struct SettingTable: Sendable {
    /// Empty for the settings that stand before the first header.
    let name: String
    let isArray: Bool
    /// One or more sentences for the annotated example.
    let words: String
    let keys: [Key]
    /// Reads one table into the configuration; for an array, appends to it.
    let read: @Sendable (inout Configuration, TableReader) -> Void
    /// The values in effect, one list per table, each in the order of `keys`.
    let values: @Sendable (Configuration) -> [[String?]]

    /// What is the same for every table of the name.
    struct Key: Sendable {
        let name: String
        let kind: SettingKind
        let words: String
        let example: String?
        let defaultText: String?
    }

    /// A table that occurs at most once.
    init<Values: Sendable>(
        _ name: String, _ path: any WritableKeyPath<Configuration, Values> & Sendable, defaults: Values,
        _ words: String,
        _ groups: [Setting<Values>]...
    ) {
        let settings = groups.flatMap { $0 }
        self.name = name
        self.isArray = false
        self.words = words
        self.keys = SettingTable.keys(settings, defaults)
        self.read = { configuration, reader in reader.read(settings, into: &configuration[keyPath: path]) }
        self.values = { configuration in [settings.map { $0.text(configuration[keyPath: path]) }] }
    }

    /// A table that may occur many times.
    init<Values: Sendable>(
        each name: String, _ path: any WritableKeyPath<Configuration, [Values]> & Sendable,
        effective: @escaping @Sendable (Configuration) -> [Values], defaults: Values, _ words: String,
        _ groups: [Setting<Values>]...
    ) {
        let settings = groups.flatMap { $0 }
        self.name = name
        self.isArray = true
        self.words = words
        self.keys = SettingTable.keys(settings, defaults)
        self.read = { configuration, reader in
            var values = defaults
            reader.read(settings, into: &values)
            configuration[keyPath: path].append(values)
        }
        self.values = { configuration in
            effective(configuration).map { values in settings.map { $0.text(values) } }
        }
    }

    private static func keys<Values>(_ settings: [Setting<Values>], _ defaults: Values) -> [Key] {
        settings.map { setting in
            Key(
                name: setting.key, kind: setting.kind, words: setting.words, example: setting.example,
                defaultText: setting.text(defaults))
        }
    }
}

/// Reads the keys of one table and collects what is wrong with them.
final class TableReader {
    let members: [String: TOMLNode]
    let path: [KeyLocator.Step]
    private(set) var faults: [(path: [KeyLocator.Step], fault: SettingFault)] = []

    init(_ members: [String: TOMLNode], at path: [KeyLocator.Step]) {
        self.members = members
        self.path = path
    }

    /// Settings that are absent keep their values.
    func read<Values>(_ settings: [Setting<Values>], into values: inout Values) {
        for setting in settings {
            guard let node = members[setting.key] else { continue }
            do {
                try setting.set(&values, node)
            } catch {
                faults.append((path + [.key(setting.key)], error))
            }
        }
    }
}
