// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import Signing

@Suite("Hooks: which are run, and as whom")
struct PublishHookSafetyTests {
    /// Nothing ran, and the operator is told what to do.
    static func expectRefusal(
        _ fixture: PublishHookFixture, _ command: [String], _ parts: String...,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let failure = try #require(try await fixture.run(command).failure, sourceLocation: location)
        for part in parts { #expect(failure.contains(part), "\(failure)", sourceLocation: location) }
        #expect(failure.utf8.allSatisfy { (0x20...0x7e).contains($0) || $0 == 0x0a }, sourceLocation: location)
        #expect(!FileManager.default.fileExists(atPath: fixture.path("ran")), sourceLocation: location)
    }

    @Test("what can't be run is refused with the remedy")
    func unfit() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        try await Self.expectRefusal(fixture, [], "no command is configured")
        try await Self.expectRefusal(fixture, ["hook"], "absolute path")
        try await Self.expectRefusal(fixture, [fixture.path("nothing\u{1b}")], "nothing?", "No such file")
        try await Self.expectRefusal(fixture, [fixture.scratch.path], "is no file")
        let hook = try fixture.hook("echo > $here/ran", mode: 0o644)
        try await Self.expectRefusal(fixture, [hook], "can't be executed", "`chmod 755 \(hook)`")
        for mode: mode_t in [0o775, 0o757, 0o777] {
            try fixture.hook("echo > $here/ran", mode: mode)
            try await Self.expectRefusal(fixture, [hook], "may write to the hook", "`chmod go-w \(hook)`")
        }
    }

    @Test("a file that the system can't run is no disaster")
    func notAProgram() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let path = try fixture.hook("")
        try Data("#!/nonexistent/interpreter\n".utf8).write(to: URL(fileURLWithPath: path))
        _ = unsafe chmod(path, 0o755)
        try await Self.expectRefusal(fixture, [path], "can't be run")
    }

    @Test("through a symbolic link, the program itself is looked at")
    func links() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = try fixture.hook("echo ran", mode: 0o777)
        try FileManager.default.createSymbolicLink(atPath: fixture.path("link"), withDestinationPath: hook)
        try await Self.expectRefusal(fixture, [fixture.path("link")], "`chmod go-w \(hook)`")
        try fixture.hook("echo ran")
        let result = try await fixture.run([fixture.path("link")])
        #expect(result == .submitted("publisher \"own\": ran"), "\(result)")
    }

    @Test("a hook of root's relay runs as the owner of the key directory", .enabled(if: PublishHookFixture.isRoot))
    func keyOwner() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        try fixture.give(fixture.scratch.keys, to: PublishHookFixture.nobody)
        let result = try await fixture.run(script: "echo $(id -u) $(id -ru) $(id -g) $(id -rg) $(id -G)")
        #expect(result == .submitted("publisher \"own\": 65534 65534 65534 65534 65534"))
        let failure = try await fixture.run(script: "echo > /waxwing-hook-test").failure
        #expect(failure?.contains("ended with exit status") == true)
    }

    @Test("a hook that the owner of the keys can't run is refused", .enabled(if: PublishHookFixture.isRoot))
    func notForTheKeyOwner() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        try fixture.give(fixture.scratch.keys, to: PublishHookFixture.nobody)
        let hook = try fixture.hook("echo > $here/ran", mode: 0o700)
        try await Self.expectRefusal(fixture, [hook], "can't be executed by user 65534")
        // His own may do what he may.
        try fixture.give(hook, to: PublishHookFixture.nobody)
        try fixture.hook("id -u", mode: 0o700)
        #expect(try await fixture.run([hook]) == .submitted("publisher \"own\": 65534"))
        try fixture.give(hook, to: 12_345)
        _ = unsafe chmod(hook, 0o755)
        try await Self.expectRefusal(fixture, [hook], "belongs to user 12345", "`chown root \(hook)`")
    }

    @Test("an owner without a group of his own gets nobody else's", .enabled(if: PublishHookFixture.isRoot))
    func groups() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        // A user that no database knows.
        let user: uid_t = 54_321
        #expect(unsafe chown(fixture.scratch.keys, user, 0) == 0)
        let hook = try fixture.hook("echo $(id -u) $(id -G)")
        try await Self.expectRefusal(fixture, [hook], "`chgrp GROUP \(fixture.scratch.keys)`")
        #expect(unsafe chown(fixture.scratch.keys, user, 54_322) == 0)
        #expect(try await fixture.run([hook]) == .submitted("publisher \"own\": 54321 54322"))
    }

    @Test("nothing runs as root that others than root could change", .enabled(if: PublishHookFixture.isRoot))
    func asRoot() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = try fixture.hook("id -u")
        #expect(try await fixture.run([hook]) == .submitted("publisher \"own\": 0"))
        _ = unsafe chmod(fixture.scratch.path, 0o777)
        try await Self.expectRefusal(fixture, [hook], "would run as root", "chmod go-w \(fixture.scratch.path)`")
        // As in /tmp: others can add files, not replace root's.
        _ = unsafe chmod(fixture.scratch.path, 0o1777)
        #expect(try await fixture.run([hook]).failure == nil)
        _ = unsafe chmod(fixture.scratch.path, 0o755)
        try fixture.give(fixture.scratch.path, to: PublishHookFixture.nobody)
        try await Self.expectRefusal(fixture, [hook], "would run as root", "`chown root \(fixture.scratch.path)")
        try fixture.give(fixture.scratch.path, to: 0)
        try fixture.give(hook, to: PublishHookFixture.nobody)
        try await Self.expectRefusal(fixture, [hook], "belongs to user 65534")
    }

    @Test("without a key directory nobody knows whose affair it is", .enabled(if: PublishHookFixture.isRoot))
    func noKeyDirectory() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = try fixture.hook("echo > $here/ran")
        try FileManager.default.removeItem(atPath: fixture.scratch.keys)
        try await Self.expectRefusal(fixture, [hook], "key directory", "No such file")
    }
}
