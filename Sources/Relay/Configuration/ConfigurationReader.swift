// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ConfigurationReader is in charge of getting from a TOML text to a `Configuration`, or to every fault in it.
struct ConfigurationReader {
    /// As faults name it; nil when the text is no file's.
    let file: String?
    let text: String

    /// - Parameter directory: where relative paths start.
    func read(directory: String) throws(ConfigurationError) -> (Configuration, KeyLocator) {
        let document: [String: TOMLNode]
        do {
            document = try TOMLNode.parse(text)
        } catch {
            throw ConfigurationError([notTOML(error)])
        }
        let locator = KeyLocator(text)
        var configuration = Configuration(directory: directory, file: file)
        configuration.locator = locator
        var faults: [ConfigurationFault] = []
        let topNames = Configuration.tables.filter { !$0.name.isEmpty }.map(\.name)
        for table in Configuration.tables {
            for (members, path) in tables(named: table, in: document, locator, &faults) {
                let reader = TableReader(members, at: path)
                table.read(&configuration, reader)
                faults += reader.faults.map { fault($0.fault, at: $0.path, locator) }
                let known = table.keys.map(\.name) + (table.name.isEmpty ? topNames : [])
                for key in members.keys.sorted() where !known.contains(key) {
                    faults.append(fault(unknown(key, in: table, known), at: path + [.key(key)], locator))
                }
            }
        }
        guard faults.isEmpty else {
            throw ConfigurationError(faults.sorted { ($0.line ?? 0, $0.key ?? "") < ($1.line ?? 0, $1.key ?? "") })
        }
        return (configuration, locator)
    }

    /// What can be read of it; what can't keeps its default.
    ///
    /// - Throws: what keeps the text from being TOML.
    func readLeniently(directory: String) throws(ConfigurationError) -> Configuration {
        do {
            let document = try TOMLNode.parse(text)
            let locator = KeyLocator(text)
            var configuration = Configuration(directory: directory, file: file)
            var faults: [ConfigurationFault] = []
            for table in Configuration.tables {
                for (members, path) in tables(named: table, in: document, locator, &faults) {
                    table.read(&configuration, TableReader(members, at: path))
                }
            }
            return configuration
        } catch {
            throw ConfigurationError([notTOML(error)])
        }
    }

    private func notTOML(_ error: TOMLSyntaxError) -> ConfigurationFault {
        ConfigurationFault(
            file: file, line: error.line, problem: "this is not TOML: \(error.text)",
            remedy: "Compare with the output of `waxwing config example`")
    }

    /// The tables of one name, each with its path.
    private func tables(
        named table: SettingTable, in document: [String: TOMLNode], _ locator: KeyLocator,
        _ faults: inout [ConfigurationFault]
    ) -> [([String: TOMLNode], [KeyLocator.Step])] {
        if table.name.isEmpty { return [(document, [])] }
        let path = [KeyLocator.Step.key(table.name)]
        switch (document[table.name], table.isArray) {
        case (nil, _):
            return []
        case (.table(let members)?, false):
            return [(members, path)]
        case (.list(let nodes)?, true):
            var tables: [([String: TOMLNode], [KeyLocator.Step])] = []
            for (index, node) in nodes.enumerated() {
                guard case .table(let members) = node else { break }
                tables.append((members, path + [.index(index)]))
            }
            if tables.count == nodes.count { return tables }
        default:
            break
        }
        let header = table.isArray ? "[[\(table.name)]]" : "[\(table.name)]"
        let words = SettingFault(
            problem: "\(table.name) is not written as a table", remedy: "Start it with a line `\(header)`")
        faults.append(fault(words, at: path, locator))
        return []
    }

    private func unknown(_ key: String, in table: SettingTable, _ known: [String]) -> SettingFault {
        let place =
            table.name.isEmpty
            ? "at the top of the file" : "in \(table.isArray ? "[[\(table.name)]]" : "[\(table.name)]")"
        let nearest = known.map { ($0, EditDistance.between($0, key)) }.min { $0.1 < $1.1 }
        if let nearest, nearest.1 <= 2 {
            return SettingFault(problem: "there is no such setting \(place)", remedy: "Did you mean `\(nearest.0)`?")
        }
        return SettingFault(
            problem: "there is no such setting \(place)",
            remedy: "Remove it, or choose one of: " + known.joined(separator: ", "))
    }

    private func fault(_ fault: SettingFault, at path: [KeyLocator.Step], _ locator: KeyLocator) -> ConfigurationFault {
        ConfigurationFault(
            file: file, line: locator.line(of: path), key: KeyLocator.text(of: path), problem: fault.problem,
            remedy: fault.remedy)
    }
}

/// How many letters must change to make one word of another.
enum EditDistance {
    static func between(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8), right = Array(right.utf8)
        // A long key is no slip of the hand, and the table below grows with both.
        guard left.count <= 64, right.count <= 64 else { return 64 }
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let substituted = diagonal + (byte == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substituted, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[right.count]
    }
}
