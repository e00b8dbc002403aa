// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ImportTable is in charge of which module may import what.
///
/// Stages are named by gerunds, what they speak by nouns; no
/// arrow points back up the path of a message.
enum ImportTable {
    /// Parts of the platform that any module but Mail may use.
    static let platform: Set<String> = ["Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization"]

    private static let nio: Set<String> = ["NIOCore", "NIOPosix", "NIOTLS"]
    private static let service: Set<String> = ["Logging", "ServiceLifecycle"]
    private static let modules: Set<String> = [
        "DKIM", "DNS", "Forwarding", "Mail", "Receiving", "Reporting", "SMTP", "Signing", "Spooling", "Systemd",
    ]

    static let permitted: [String: Set<String>] = [
        // The standard library by its name, for its normalization of Unicode.
        "Mail": ["Swift"],
        "SMTP": ["Mail", "NIOCore"],
        "DKIM": ["COpenSSL"],
        "DNS": ["CLdns", "CUnbound", "Logging", "NIOCore"],
        "Receiving": nio.union(service).union([
            "Crypto", "CryptoExtras", "Mail", "NIOSSL", "SMTP", "SwiftASN1", "X509",
        ]),
        "Spooling": service.union(["GRDB", "Mail"]),
        "Signing": service.union(["DKIM", "DNS", "Mail", "Subprocess"]),
        "Forwarding": nio.union(service).union([
            "AsyncHTTPClient", "DNS", "Mail", "NIOSSL", "SMTP", "Spooling", "Subprocess", "X509",
        ]),
        "Reporting": service.union(["Mail", "Metrics", "Spooling", "Subprocess"]),
        "Systemd": ["CSystemd", "Logging"],
        "Relay": nio.union(service).union(modules).union([
            "HTTPTypes", "Hummingbird", "Metrics", "NIOHTTP1", "NIOSSL", "TOMLKit", "UnixSignals",
        ]),
        "CLI": modules.union(["ArgumentParser", "Logging", "Relay"]),
    ]

    /// What only one module may import, so that one wrapper stands between it and the rest.
    static let soleImporters = [
        "CLdns": "DNS", "COpenSSL": "DKIM", "CSystemd": "Systemd", "CUnbound": "DNS", "GRDB": "Spooling",
    ]

    /// The modules that a file imports, by the first component of each import.
    static func imports(in text: String) -> [String] {
        let code = String(decoding: CodeScanner.code(of: text), as: UTF8.self)
        return code.split(whereSeparator: { $0 == "\n" || $0 == ";" }).compactMap { line in
            var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })[...]
            while let word = words.first, word.hasPrefix("@") || accessLevels.contains(word) { words.removeFirst() }
            guard words.popFirst() == "import", var module = words.popFirst() else { return nil }
            if kinds.contains(module), let next = words.popFirst() { module = next }
            return module.split(separator: ".").first.map(String.init)
        }
    }

    private static let accessLevels: Set<Substring> = ["fileprivate", "internal", "package", "private", "public"]
    private static let kinds: Set<Substring> = [
        "actor", "class", "enum", "func", "let", "protocol", "struct", "typealias", "var",
    ]
}
