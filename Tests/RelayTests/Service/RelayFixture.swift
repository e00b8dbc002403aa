// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import ServiceLifecycle
import Signing
import Synchronization
import Testing

@testable import Relay

/// A whole relay in a directory of its own: a port of the system's choice, a key, and a capture route.
final class RelayFixture: Sendable {
    let directory: String
    let file: String
    private let log = Mutex("")

    init() async throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "waxwing-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        directory = url.path
        file = directory + "/waxwing.toml"
        try write()
        let access = KeyAccess(try ConfigurationFile.load(file))
        _ = try await access.perform(.init(.generate, domain: "example.com", selector: "e", algorithm: "ed25519"))
        let active = try await access.perform(.init(.activate, domain: "example.com", selector: "e", isForced: true))
        try #require(!active.isError, "\(active.text)")
    }

    /// Writes the configuration file: capture everything, with `more` tables behind.
    func write(_ more: String = "", hostname: String = "relay.example.com", capture: String = "captured") throws {
        let text = """
            hostname = "\(hostname)"
            [[listener]]
            port = 0
            [[route]]
            name = "files"
            capture = "\(capture)"
            \(more)

            """
        try Data(text.utf8).write(to: URL(filePath: file))
    }

    /// Everything that was logged so far.
    var logged: String { log.withLock { $0 } }

    /// The files of a capture directory.
    func captured(in name: String = "captured") -> [String] {
        let path = directory + "/" + name
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".eml") }.sorted().compactMap { file in
            FileManager.default.contents(atPath: path + "/" + file).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Runs the relay while `body` runs, then stops it gracefully.
    ///
    /// - Parameter prepare: called before anything runs.
    func serve(
        preparing prepare: (Stages) throws -> Void = { _ in },
        _ body: @escaping @Sendable (Configuration, StatusDocument) async throws -> Void
    ) async throws {
        let configuration = try ConfigurationFile.load(file)
        let daemon = try await Daemon(configuration) { bytes in
            self.log.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
        try prepare(daemon.stages)
        let group = daemon.makeGroup(stoppingAt: [])
        async let running: Void = daemon.run(group)
        let outcome: Result<Void, any Error>
        do {
            let status = try await eventually { try await DaemonAccess(configuration).status() }
            outcome = .success(try await body(configuration, status))
        } catch {
            outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await running
        try outcome.get()
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The first answer that is no error; gives up after many tries.
    func eventually<Answer>(_ question: () async throws -> Answer) async throws -> Answer {
        for _ in 0..<2000 {
            if let answer = try? await question() { return answer }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await question()
    }
}

/// What a question throws that has no answer yet.
struct NotYet: Error {}
