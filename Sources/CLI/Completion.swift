// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Mail
import Relay
import Signing

/// What a shell offers for an argument; it reads the key directory and never prints a fault.
enum Completion {
    static let algorithms = CompletionKind.list(KeyAlgorithm.allCases.map(\.rawValue))
    static let domains = CompletionKind.custom { words, _, prefix in domains(after: words, from: prefix) }
    static let selectors = CompletionKind.custom { words, _, prefix in selectors(after: words, from: prefix) }

    static func domains(after words: [String], from prefix: String) -> [String] {
        ((try? store(words)?.domains()) ?? []).map(\.name).filter { $0.hasPrefix(prefix) }
    }

    /// Of the domain that stands among the words; without one, of all domains.
    static func selectors(after words: [String], from prefix: String) -> [String] {
        guard let store = store(words), let domains = try? store.domains() else { return [] }
        let named = Set(words.compactMap { Domain($0) })
        let meant = domains.filter { named.contains($0) }
        return (meant.isEmpty ? domains : meant).flatMap { domain in
            ((try? store.keys(of: domain)) ?? []).map(\.selector.text).filter { $0.hasPrefix(prefix) }
        }
    }

    /// The key directory of the configuration that the words before name.
    private static func store(_ words: [String]) -> KeyStore? {
        var named: String?
        for (index, word) in words.enumerated() {
            if word == "--config", index + 1 < words.count { named = words[index + 1] }
            if word.hasPrefix("--config=") { named = String(word.dropFirst("--config=".count)) }
        }
        guard let configuration = try? ConfigurationFile.load(named) else { return nil }
        return KeyStore(directory: configuration.resolve(configuration.keys.directory))
    }
}
