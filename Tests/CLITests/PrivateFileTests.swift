// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Foundation
import Relay
import Signing
import Testing

@testable import CLI

/// Files with secrets, and what is read from the key directory.
@Suite struct PrivateFileTests {
    /// A directory of its own, there while `body` runs.
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "waxwing-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func `an exported key is a new file for its owner alone`() async throws {
        try await withDirectory { directory in
            let path = directory + "/key.pem"
            let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
            try PrivateFile.create(path, content)
            #expect(try Array(Data(contentsOf: URL(filePath: path))) == content)
            #expect(try mode(path) == 0o600)
        }
    }

    @Test func `nothing is overwritten, be it a file or a link to nowhere`() async throws {
        try await withDirectory { directory in
            let path = directory + "/key.pem"
            try Data("mine".utf8).write(to: URL(filePath: path))
            let link = directory + "/link.pem"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory + "/target")
            for place in [path, link] {
                let failure = #expect(throws: PrivateFile.Failure.self) { try PrivateFile.create(place, [1]) }
                #expect(failure?.description.contains("not there yet") == true)
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == Data("mine".utf8))
            #expect(!FileManager.default.fileExists(atPath: directory + "/target"))
            #expect(throws: PrivateFile.Failure.self) { try PrivateFile.create("/nonexistent/key.pem", [1]) }
        }
    }

    @Test(arguments: [
        ("sesame", "sesame"), ("sesame\n", "sesame"), ("se same \r\nsecond line\n", "se same "), ("\u{FC}\n", "\u{FC}"),
    ])
    func `the first line of its file is the passphrase`(text: String, passphrase: String) async throws {
        try await withDirectory { directory in
            try Data(text.utf8).write(to: URL(filePath: directory + "/p"))
            #expect(try Passphrase.read(directory + "/p") == passphrase)
        }
    }

    @Test(arguments: ["", "\n", "\r\n", "\nsecond"])
    func `an empty passphrase is refused`(text: String) async throws {
        try await withDirectory { directory in
            try Data(text.utf8).write(to: URL(filePath: directory + "/p"))
            #expect(throws: ExitCode.self) { try Passphrase.read(directory + "/p") }
        }
    }

    @Test func `a shell is offered the domains of the key directory and the selectors of the one that is named`()
        async throws
    {
        try await withDirectory { directory in
            try Data("[control]\nsocket = \"none\"\n".utf8).write(to: URL(filePath: directory + "/w.toml"))
            let access = KeyAccess(try ConfigurationFile.load(directory + "/w.toml"))
            for (domain, selector) in [("one.test", "a1"), ("one.test", "b1"), ("two.test", "a2")] {
                let made = try await access.perform(
                    KeyRequest(.generate, domain: domain, selector: selector, algorithm: "ed25519"))
                #expect(!made.isError, "\(made.text)")
            }
            func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
            let config = " --config \(directory)/w.toml"
            #expect(Completion.domains(after: words("keys list" + config), from: "") == ["one.test", "two.test"])
            #expect(
                Completion.domains(after: words("keys list --config=\(directory)/w.toml"), from: "t") == ["two.test"])
            let show = words("keys show One.test" + config + " --selector")
            #expect(Completion.selectors(after: show, from: "") == ["a1", "b1"])
            #expect(Completion.selectors(after: show, from: "b") == ["b1"])
            #expect(Completion.selectors(after: words("keys show" + config), from: "a") == ["a1", "a2"])
            #expect(Completion.domains(after: words("keys list --config /nonexistent"), from: "") == [])
        }
    }
}
