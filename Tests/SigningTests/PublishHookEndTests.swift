// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import Signing

@Suite("Hooks: no process outlives its run")
struct PublishHookEndTests {
    @Test(
        "a hook that takes too long is ended",
        arguments: [
            "echo $$ > $here/process; exec sleep 600",
            "echo $$ > $here/process; exec >&- 2>&-; exec sleep 600",
            "echo $$ > $here/process; cat; echo waiting >&2; sleep 600",
        ])
    func timeLimit(script: String) async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let failure = try #require(try await fixture.run(script: script, limit: 3).failure)
        #expect(failure.contains("did not end within 3 s"))
        #expect(failure.contains("waiting") == script.contains("waiting"))
        #expect(try await PublishHookFixture.isGone(try fixture.process("process")))
    }

    @Test("a hook that ignores SIGTERM is killed, with what it started")
    func stubborn() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let failure = try await fixture.run(
            script: """
                trap '' TERM
                echo $$ > $here/process
                sleep 600 &
                echo $! > $here/child
                while :; do sleep 1; done
                """, limit: 3, grace: .milliseconds(300)
        ).failure
        #expect(failure?.contains("did not end within 3 s") == true)
        #expect(try await PublishHookFixture.isGone(try fixture.process("process")))
        #expect(try await PublishHookFixture.isGone(try fixture.process("child")))
    }

    @Test("a hook that ends by itself when told may say why")
    func obedient() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let failure = try await fixture.run(
            script: "trap 'echo was at step 2 >&2; exit 0' TERM; while :; do sleep 0.1; done", limit: 3
        ).failure
        #expect(failure?.hasSuffix("\nwas at step 2") == true)
    }

    @Test("what a hook leaves running is ended with it, and not waited for")
    func leftBehind() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let result = try await fixture.run(script: "sleep 600 & echo $! > $here/child; echo started")
        #expect(result == .submitted("publisher \"own\": started"))
        #expect(try await PublishHookFixture.isGone(try fixture.process("child")))
    }

    @Test(
        "not even a process in a session of its own is waited for, silent or writing for ever",
        arguments: ["sleep 600", "yes"])
    func ownSession(command: String) async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let result = try await fixture.run(
            script: """
                setsid sh -c "echo \\$\\$ > $here/new; mv $here/new $here/child; exec \(command)" &
                while ! test -e $here/child; do sleep 0.01; done
                """)
        let child = try fixture.process("child")
        let evidence = command == "yes" ? ["y", "done"] : ["done"]
        #expect(evidence.map { PublicationResult.submitted("publisher \"own\": \($0)") }.contains(result))
        _ = kill(child, SIGKILL)
        #expect(try await PublishHookFixture.isGone(child))
    }

    @Test("a run that is cancelled ends its hook")
    func cancellation() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = try fixture.hook("echo $$ > $here/new; mv $here/new $here/process; exec sleep 600")
        let task = Task { try await fixture.run([hook], limit: 600, grace: .seconds(5)) }
        var process: pid_t?
        for _ in 0..<3000 where process == nil {
            process = try? fixture.process("process")
            try await Task.sleep(for: .milliseconds(10))
        }
        task.cancel()
        #expect(try await task.value.failure != nil)
        #expect(try await PublishHookFixture.isGone(try #require(process)))
    }
}
