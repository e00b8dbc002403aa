// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import Signing

@Suite("Hooks: what they are told, and what their end means")
struct PublishHookTests {
    @Test("the change is on standard input as one JSON object")
    func input() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let text = "v=DKIM1; k=rsa; p=" + String(repeating: "A", count: 392)
        let change = try PublishHookFixture.change(.revoke, wanted: text, replaceable: ["old \"1\"", "old \\2"])
        let result = try await fixture.run(
            script: "cat > $here/input; echo 'serial 7'; echo more", change: change)
        #expect(result == .submitted("publisher \"own\": serial 7"))
        let line = try fixture.content("input")
        #expect(line.hasSuffix("}\n") && line.split(separator: "\n").count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "version", "action", "domain", "selector", "name", "type", "ttl", "value", "strings", "replaces",
            ])
        #expect(object["version"] as? Int == 1 && object["action"] as? String == "revoke")
        #expect(object["domain"] as? String == "example.com" && object["selector"] as? String == "s1")
        #expect(object["name"] as? String == "s1._domainkey.example.com" && object["type"] as? String == "TXT")
        #expect(object["ttl"] as? Int == 1800 && object["value"] as? String == text)
        #expect(object["strings"] as? [String] == [String(text.prefix(255)), String(text.dropFirst(255))])
        #expect(object["replaces"] as? [String] == ["old \"1\"", "old \\2"])
    }

    @Test("a removal has no value")
    func removal() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let change = try PublishHookFixture.change(.remove, wanted: nil, replaceable: ["v=DKIM1; p="])
        let result = try await fixture.run(script: "cat > $here/input; test -z \"$WAXWING_VALUE\"", change: change)
        #expect(result == .submitted("publisher \"own\": done"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(fixture.content("input").utf8)) as? [String: Any])
        #expect(object["value"] is NSNull && (object["strings"] as? [String])?.isEmpty == true)
        #expect(object["action"] as? String == "remove")
    }

    @Test("the environment holds the change and nothing of ours")
    func environment() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        #expect(try await fixture.run(script: "env > $here/variables; pwd > $here/directory").failure == nil)
        var variables: [String: String] = [:]
        for line in try fixture.content("variables").split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = String(parts[1])
        }
        // The shell's own.
        for name in ["PWD", "OLDPWD", "SHLVL", "_"] { variables[name] = nil }
        #expect(
            variables == [
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                "WAXWING_ACTION": "publish", "WAXWING_DOMAIN": "example.com", "WAXWING_SELECTOR": "s1",
                "WAXWING_NAME": "s1._domainkey.example.com", "WAXWING_VALUE": "v=DKIM1; k=rsa; p=AAAA",
                "WAXWING_TTL": "1800",
            ])
        #expect(try fixture.content("directory") == "/\n")
    }

    @Test("arguments arrive as they are configured, with no shell between")
    func arguments() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let arguments = ["a b", "$(id)", "; exit 9", "*", "", "'\"\\"]
        let hook = try fixture.hook("printf '%s\\n' \"$@\" > $here/arguments")
        #expect(try await fixture.run([hook] + arguments).failure == nil)
        #expect(try fixture.content("arguments") == arguments.map { $0 + "\n" }.joined())
    }

    @Test("only the standard streams are open, and signals are as usual")
    func descriptors() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let file = unsafe open("/etc/passwd", O_RDONLY)
        defer { close(file) }
        // The fourth is the directory that `ls` reads; the signals are the first 31, the rest are the C library's.
        let result = try await fixture.run(
            script: """
                ls /proc/self/fd | tr '\\n' ' '
                for set in SigBlk SigIgn; do
                  mask=$(sed -n "s/^$set:[^0-9a-f]*//p" /proc/$$/status)
                  echo -n "$set $((0x$mask & 0x7fffffff)) "
                done
                """)
        #expect(result == .submitted("publisher \"own\": 0 1 2 3 SigBlk 0 SigIgn 0 "))
    }

    @Test(
        "exit status 0 is done, 75 is later, anything else failed with what it said",
        arguments: [
            ("exit 75", "asks to be run again later (exit status 75)"),
            ("echo 'quota exceeded' >&2; exit 75", "(exit status 75); it said:\nquota exceeded"),
            ("echo one >&2; echo two >&2; exit 3", "ended with exit status 3; it said:\none\ntwo"),
            ("exit 255", "ended with exit status 255"),
            ("kill -9 $$", "was ended by signal 9"),
            ("printf 'a\\033[31mb\\n' >&2; exit 1", "it said:\na?[31mb"),
        ])
    func failures(script: String, said: String) async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let failure = try #require(try await fixture.run(script: script).failure)
        #expect(failure.hasPrefix("publisher \"own\" could not publish s1._domainkey.example.com: the hook "))
        #expect(failure.hasSuffix(said), "\(failure)")
    }

    @Test("a hook need not read what it is told", arguments: ["exit 0", "exec <&-; sleep 0.1; exit 0"])
    func unread(script: String) async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        // More than a pipe holds.
        let change = try PublishHookFixture.change(replaceable: [String(repeating: "x", count: 300_000)])
        #expect(try await fixture.run(script: script, change: change) == .submitted("publisher \"own\": done"))
    }

    @Test("of much output a little is kept, and the hook never waits for a reader")
    func muchOutput() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let flood = "head -c 4000000 /dev/zero | tr '\\0' x"
        let done = try await fixture.run(script: "\(flood); \(flood) >&2; exit 0")
        #expect(done == .submitted("publisher \"own\": " + String(repeating: "x", count: 200) + "..."))
        let failed = try #require(
            try await fixture.run(
                script: "yes why >&2 & sleep 0.2; kill $!; wait; \(flood) >&2; echo >&2; echo last >&2; exit 1"
            ).failure)
        #expect(failed.hasSuffix("...\nlast") && failed.utf8.count < 16 * 1024)
    }

    @Test("a publisher runs its hook, at the delegated name if there is one")
    func publisher() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = try fixture.hook("echo $WAXWING_NAME")
        var settings = PublisherSettings(name: "own", method: .command(HookSettings(command: [hook], timeLimit: 600)))
        let change = try PublishHookFixture.change()
        let direct = await Publisher(settings, keyDirectory: fixture.scratch.keys).carryOut(change)
        #expect(direct == .submitted("publisher \"own\": s1._domainkey.example.com"))
        settings.delegation = .init(zone: "keys.example.net", rsaSelectors: [change.selector], ed25519Selectors: [])
        let delegated = await Publisher(settings, keyDirectory: fixture.scratch.keys).carryOut(change)
        #expect(delegated == .submitted("publisher \"own\": s1.example.com.keys.example.net"))
    }
}
