// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Dispatch
import Foundation
import Mail
import Testing

@testable import Spooling

private let strace = "/usr/bin/strace"
private let marker = "WAXWING_SYNC_COUNT"
private let isChild = ProcessInfo.processInfo.environment[marker] != nil
private let hasStrace = isChild || FileManager.default.isExecutableFile(atPath: strace)
private let messages = 40

/// Counts what the kernel was asked, because a pragma that reads back right proves nothing about it: these tests run
/// themselves under strace.
@Suite(.enabled(if: hasStrace, "needs strace"), .timeLimit(.minutes(2)))
struct SyncCountTests {
    @Test(.enabled(if: isChild)) func child() async throws {
        let fixture = try SpoolFixture()
        let spool = try fixture.open()
        for _ in 0..<messages {
            try await spool.enqueue(fixture.message(), content: .inline([UInt8](repeating: 1, count: 4096)))
        }
        await spool.close()
    }

    @Test(.enabled(if: !isChild)) func `Each commit is one sync of the log`() async throws {
        let log = NSTemporaryDirectory() + "/waxwing-strace-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: strace)
        let itself = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.arguments =
            ["-f", "-y", "-e", "trace=fdatasync,fsync", "-o", log, itself]
            + CommandLine.arguments.dropFirst().filter { $0.hasSuffix(".xctest") || $0 == "--test-bundle-path" }
            + ["--testing-library", "swift-testing", "--filter", "SyncCountTests.child"]
        process.environment = ProcessInfo.processInfo.environment.merging([marker: "1"]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                process.waitUntilExit()
                continuation.resume()
            }
        }
        #expect(process.terminationStatus == 0)
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        let syncs = lines.filter { $0.contains("spool.db-wal") }.count
        // One a commit, and a few for opening, migrating and closing.
        #expect(syncs >= messages)
        #expect(syncs <= messages + 15)
    }
}
