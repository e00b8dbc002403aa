// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Foundation
import Relay
import Testing

@testable import CLI

@Suite("Input of commands") struct InputTests {
    /// A file that is there while `body` runs.
    private func withFile(_ contents: [UInt8], _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "/waxwing-cli-\(UUID().uuidString)"
        try Data(contents).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("A file is read whole and as it is", arguments: [0, 1, 65_535, 65_536, 65_537, 300_000])
    func file(length: Int) throws {
        let contents = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 256) }
        try withFile(contents) { path in
            let read = try Input.contents(of: path)
            #expect(read == contents)
        }
    }

    @Test("What can't be read ends the command with 1", arguments: ["/nonexistent/file", "/"])
    func unreadable(path: String) {
        let error = #expect(throws: ExitCode.self) { _ = try Input.contents(of: path) }
        #expect(error?.rawValue == ExitStatus.failure)
    }

    @Test("A configuration that is good is loaded, with its directory")
    func goodConfiguration() throws {
        try withFile(Array("hostname = \"relay.example.com\"\n".utf8)) { path in
            let option = try ConfigurationOption.parse(["--config", path])
            #expect(try option.load().file == path)
        }
    }

    @Test(
        "A configuration that can't be used ends the command with 78",
        arguments: ["hostname = 5\n", "[nonsense]\n", "[[listener]]\naddress = \"192.0.2.1\"\n", "= ="])
    func badConfiguration(text: String) throws {
        try withFile(Array(text.utf8)) { path in
            let option = try ConfigurationOption.parse(["--config", path])
            let error = #expect(throws: ExitCode.self) { _ = try option.load() }
            #expect(error?.rawValue == ExitStatus.configuration)
        }
    }

    @Test("A named file that is missing is not taken for none")
    func missingConfiguration() throws {
        let option = try ConfigurationOption.parse(["--config", "/nonexistent/waxwing.toml"])
        let error = #expect(throws: ExitCode.self) { _ = try option.load() }
        #expect(error?.rawValue == ExitStatus.configuration)
    }

    @Test("An error of any kind becomes exit 1, and an exit stays what it is")
    func failures() {
        struct Fault: Error {}
        #expect((Output.failure(Fault()) as? ExitCode)?.rawValue == ExitStatus.failure)
        #expect((Output.failure(ExitCode(ExitStatus.configuration)) as? ExitCode)?.rawValue == 78)
    }
}
