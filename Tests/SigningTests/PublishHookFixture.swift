// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Mail

@testable import Signing

/// A directory with hooks in it and a key directory beside them.
struct PublishHookFixture {
    /// "nobody" of every Linux.
    static let nobody: uid_t = 65_534
    static let isRoot = geteuid() == 0

    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: scratch.keys, withIntermediateDirectories: true)
    }

    func remove() { scratch.remove() }

    func path(_ name: String) -> String { scratch.path + "/" + name }

    func content(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// Writes a script; its directory is `$here`.
    @discardableResult
    func hook(_ script: String, mode: mode_t = 0o755) throws -> String {
        let path = path("hook")
        try Data("#!/bin/sh\nhere=${0%/*}\n\(script)\n".utf8).write(to: URL(fileURLWithPath: path))
        guard unsafe chmod(path, mode) == 0 else { throw KeyError("chmod") }
        return path
    }

    func give(_ path: String, to user: uid_t) throws {
        guard unsafe chown(path, user, user) == 0 else { throw KeyError("chown") }
    }

    static func change(
        _ purpose: RecordChange.Purpose = .publish, wanted: String? = "v=DKIM1; k=rsa; p=AAAA",
        replaceable: [String] = []
    ) throws -> RecordChange {
        guard let selector = Selector("s1") else { throw KeyError("selector") }
        return RecordChange(
            purpose, domain: domain, selector: selector, wanted: wanted, replaceable: replaceable, ttl: 1800)
    }

    func run(
        _ command: [String], limit: Int64 = 600, grace: Duration = .seconds(30), change: RecordChange? = nil
    ) async throws -> PublicationResult {
        let change = try change ?? Self.change()
        let run = HookRun(
            HookSettings(command: command, timeLimit: limit), publisher: "own", keyDirectory: scratch.keys, grace: grace
        )
        return await run.result(of: HookInput(change, name: change.name))
    }

    /// Writes a script and runs it.
    func run(
        script: String, limit: Int64 = 600, grace: Duration = .seconds(30), change: RecordChange? = nil
    ) async throws -> PublicationResult {
        try await run([try hook(script)], limit: limit, grace: grace, change: change)
    }

    /// The process whose number a hook wrote into a file.
    func process(_ name: String) throws -> pid_t {
        guard let process = pid_t(try content(name).trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw KeyError("no process number in \(name)")
        }
        return process
    }

    /// Whether a process is gone, or is about to be: a signal takes its time.
    static func isGone(_ process: pid_t) async throws -> Bool {
        for _ in 0..<3000 {
            let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            // A zombie waits for its parent, which is no longer ours to be.
            if status.isEmpty || status.contains(") Z ") || status.contains(") X ") { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}

extension PublicationResult {
    /// What failed; nil for the rest.
    var failure: String? {
        guard case .failed(let text) = self else { return nil }
        return text
    }
}
