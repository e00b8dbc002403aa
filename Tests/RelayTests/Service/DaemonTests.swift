// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import DKIM
@testable import Relay
@testable import Signing

@Suite(.serialized) struct DaemonTests {
    private func submission(to port: Int, subject: String = "Test") throws -> TestSubmission {
        let bytes = Array("a@example.com, b@example.net".utf8)
        let mailboxes = try AddressParser.mailboxes(in: bytes[...])
        return TestSubmission(
            host: "127.0.0.1", port: port, sender: mailboxes[0], recipients: [mailboxes[1]], subject: subject)
    }

    @Test("A message that is submitted leaves with a signature that verifies, and is counted")
    func wholePath() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            #expect(status.hostname == "relay.example.com")
            let port = try #require(status.listeners.first?.port)
            let reply = try await submission(to: port).run(show: { _ in })
            #expect(reply.contains("queued as "))
            let message = try await fixture.eventually {
                guard let message = fixture.captured().first else { throw NotYet() }
                return message
            }
            let records = try await KeyAccess(configuration).perform(
                .init(.show, domain: "example.com", format: .plain))
            let report = try await VerifyFilter(configuration).verify(Array(message.utf8), keyFile: records.text)
            #expect(report.outcome == .good)
            #expect(report.signatures.map(\.algorithm) == ["ed25519-sha256"])
            _ = try await fixture.eventually {
                let counters = try await DaemonAccess(configuration).status().counters
                guard counters["accepted_messages"] == 1, counters["delivered_recipients"] == 1 else { throw NotYet() }
            }
            #expect(try await QueueAccess(configuration).list(limit: 10, after: nil).messages.isEmpty)
        }
        #expect(fixture.logged.contains("waxwing is running"))
        #expect(fixture.logged.contains("waxwing has stopped"))
        #expect(!FileManager.default.fileExists(atPath: fixture.directory + "/.waxwing/control.sock"))
    }

    @Test("A reload applies a whole valid file and tells what waits for a restart")
    func reloadApplied() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            try fixture.write(
                "[log]\nlevel = \"debug\"\n[spool]\nminimum-free = \"1 %\"", hostname: "other.example.com",
                capture: "elsewhere")
            let document = try await DaemonAccess(configuration).reload()
            #expect(document.applied)
            #expect(document.lines.count == 2)
            #expect(document.lines.first?.hasPrefix("hostname has changed") == true)
            #expect(document.lines.last?.hasPrefix("[spool] has changed") == true)
            let port = try #require(status.listeners.first?.port)
            _ = try await submission(to: port).run(show: { _ in })
            _ = try await fixture.eventually {
                if fixture.captured(in: "elsewhere").isEmpty { throw NotYet() }
            }
            #expect(fixture.captured().isEmpty)
        }
        #expect(fixture.logged.contains(" debug accepted "))
    }

    @Test("A reload applies limits, intake and the lifetime of mail at once, and asks for no restart")
    func reloadOfRules() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            let port = try #require(status.listeners.first?.port)
            let first = Lines()
            _ = try await submission(to: port).run(show: first.add)
            #expect(first.all.contains { $0.contains("SIZE 52428800") })
            let before = try await fixture.eventually {
                guard let message = fixture.captured().first else { throw NotYet() }
                return message
            }
            #expect(before.contains("([127.0.0.1])"))

            try fixture.write(
                """
                [limits]
                message-size = "1 MiB"
                [intake]
                hide-client-address = true
                [[app]]
                name = "shop"
                from = ["example.com"]
                feedback-id = "{app}:mail:shopper"
                [retry]
                lifetime = "2 d"
                """, capture: "elsewhere")
            let document = try await DaemonAccess(configuration).reload()
            #expect(document.applied)
            #expect(document.lines == [])

            let second = Lines()
            _ = try await submission(to: port).run(show: second.add)
            #expect(second.all.contains { $0.contains("SIZE 1048576") })
            let after = try await fixture.eventually {
                guard let message = fixture.captured(in: "elsewhere").first else { throw NotYet() }
                return message
            }
            #expect(!after.contains("127.0.0.1"))
            #expect(after.contains("\r\nFeedback-ID: shop:mail:shopper\r\n"))
            #expect(!before.contains("Feedback-ID"))

            // A file where the directory should be: what comes now stays in the queue, to be looked at.
            try FileManager.default.removeItem(atPath: fixture.directory + "/elsewhere")
            try Data().write(to: URL(filePath: fixture.directory + "/elsewhere"))
            _ = try await submission(to: port).run(show: { _ in })
            let entry = try await fixture.eventually {
                let document = try await QueueAccess(configuration).list(limit: 10, after: nil)
                guard let entry = document.messages.first else { throw NotYet() }
                return entry
            }
            #expect(entry.expiry - entry.arrival == 2 * 86_400)
        }
    }

    @Test("What needs a restart is told by name, and what a reload applies is not")
    func restarts() throws {
        func read(_ text: String) throws -> Configuration {
            try ConfigurationFile.read(text, file: "waxwing.toml", directory: "/tmp")
        }
        let started = try read("")
        let applied = """
            [[listener]]
            bare-lf = "normalise"
            [[rewrite]]
            from = "*"
            to = "a@a.test"
            [[app]]
            name = "a"
            from = ["a.test"]
            feedback-id = "a:b:c:sender"
            [limits]
            errors = 7
            [intake]
            hide-client-address = true
            [retry]
            first = "1 min"
            maximum = "2 h"
            lifetime = "1 d"
            [log]
            level = "debug"
            [[domain]]
            name = "example.com"
            unsigned = true
            [[route]]
            name = "all"
            smarthost = "smarthost.example.net"
            """
        #expect(try read(applied).sectionsThatWait(since: started) == [])
        let waiting = """
            hostname = "other.example.com"
            [[listener]]
            port = 2525
            [keys]
            directory = "Other"
            [spool]
            maximum-messages = 5
            [control]
            socket = "other.sock"
            [dns]
            servers = ["127.0.0.1@5353"]
            [signing]
            expiry = "8 d"
            [log]
            format = "json"
            """
        #expect(
            try read(waiting).sectionsThatWait(since: started) == [
                "hostname", "[[listener]]", "[keys]", "[spool]", "[control]", "[dns]", "[log] format",
            ])
    }

    @Test("A message whose signature does not verify stays, deferred, and is counted", arguments: [true, false])
    func signatureMismatch(isRSA: Bool) async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        let domain = try #require(Domain("example.com"))
        let kind = isRSA ? KeyKind.rsa(bits: 2048) : .ed25519
        let key = SigningKey(privateHalfOf: try .generate(kind), publicKey: try SigningKey.generate(kind).publicKey)
        try await fixture.serve(preparing: { stages in
            let store = KeyStore(directory: fixture.directory + "/Keys")
            let description = try #require(try store.keys(of: domain).first).description.get()
            let active = try ActiveKey(description, privateKey: key)
            stages.keys.ring.replaceKeys(
                of: domain, with: isRSA ? DomainKeys(rsa: active) : DomainKeys(ed25519: active))
        }) { configuration, status in
            let port = try #require(status.listeners.first?.port)
            let reply = try await submission(to: port).run(show: { _ in })
            #expect(reply.contains("queued as "))
            let entry = try await fixture.eventually {
                let document = try await QueueAccess(configuration).list(limit: 10, after: nil)
                guard let entry = document.messages.first, entry.state == "deferred" else { throw NotYet() }
                return entry
            }
            #expect(entry.openRecipients == 1)
            let counters = try await DaemonAccess(configuration).status().counters
            #expect((counters["signature_mismatches"] ?? 0) >= 1)
            #expect((counters["delivered_recipients"] ?? 0) == 0)
            #expect(fixture.captured().isEmpty)
        }
        #expect(fixture.logged.contains("error"))
        #expect(fixture.captured().isEmpty)
    }

    @Test("A reload refuses a faulty file whole and goes on with the old one")
    func reloadRefused() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            try fixture.write("[log]\nlevel = \"debug\"\n[limits]\nerrors = 0", capture: "elsewhere")
            let document = try await DaemonAccess(configuration).reload()
            #expect(!document.applied)
            #expect(document.lines.count == 1)
            #expect(document.lines.first?.contains("waxwing.toml:10: limits.errors: 0 is too small") == true)
            let port = try #require(status.listeners.first?.port)
            _ = try await submission(to: port).run(show: { _ in })
            _ = try await fixture.eventually { if fixture.captured().isEmpty { throw NotYet() } }
        }
        #expect(!fixture.logged.contains(" debug "))
        #expect(fixture.logged.contains("the configuration was refused"))
    }

    @Test("A reload applies the policy of signatures, of domains and of routes to mail from then on")
    func reloadOfPolicy() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            let port = try #require(status.listeners.first?.port)
            _ = try await submission(to: port).run(show: { _ in })
            try await fixture.eventually { if fixture.captured().isEmpty { throw NotYet() } }
            try fixture.write(
                """
                expiry = "2 d"
                [signing]
                canonicalization = "relaxed/simple"
                [[domain]]
                name = "example.com"
                auid = "@example.com"
                oversign = ["Subject"]
                """, capture: "elsewhere")
            let document = try await DaemonAccess(configuration).reload()
            #expect(document.applied && document.lines.isEmpty, "\(document.lines)")
            _ = try await submission(to: port).run(show: { _ in })
            let message = try await fixture.eventually {
                guard let message = fixture.captured(in: "elsewhere").first else { throw NotYet() }
                return message
            }
            let before = try #require(fixture.captured().first)
            #expect(before.contains("c=relaxed/relaxed;") && !before.contains("i=@example.com;"))
            #expect(message.contains("c=relaxed/simple;") && message.contains("i=@example.com;"))
            let fields = message.filter { !$0.isWhitespace }
            #expect(fields.contains("subject:subject:") && !fields.contains("to:to:"))
            let times = fields.split(separator: ";").filter { $0.hasPrefix("t=") || $0.hasPrefix("x=") }
                .compactMap { Int64($0.dropFirst(2)) }
            #expect(times.count == 2 && times[1] - times[0] == 2 * 86_400)
            let records = try await KeyAccess(configuration).perform(
                .init(.show, domain: "example.com", format: .plain))
            let report = try await VerifyFilter(configuration).verify(Array(message.utf8), keyFile: records.text)
            #expect(report.outcome == .good)
            #expect(report.signatures.map(\.algorithm) == ["ed25519-sha256"])
        }
    }

    @Test("A key that is activated through the daemon signs at once")
    func keysTakeEffect() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            let port = try #require(status.listeners.first?.port)
            let access = KeyAccess(configuration)
            let made = try await access.perform(.init(.generate, domain: "example.com", selector: "r"))
            #expect(!made.isError && made.hasChanged)
            let active = try await access.perform(
                .init(.activate, domain: "example.com", selector: "r", isForced: true))
            #expect(!active.isError, "\(active.text)")
            _ = try await submission(to: port).run(show: { _ in })
            let message = try await fixture.eventually {
                guard let message = fixture.captured().first else { throw NotYet() }
                return message
            }
            #expect(message.contains("s=r;"))
        }
    }

    @Test("A second relay on the same spool does not start")
    func oneDaemonPerSpool() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, _ in
            let error = await #expect(throws: (any Error).self) {
                _ = try await Daemon(configuration, write: { _ in })
            }
            #expect(error.map { "\($0)" }?.isEmpty == false)
        }
    }

    @Test("The queue is read with the daemon up or down, and a deferred message says why")
    func deferredMessage() async throws {
        let fixture = try await RelayFixture()
        defer { fixture.remove() }
        try await fixture.serve { configuration, status in
            // A file where the capture directory should be: nothing can be delivered.
            try? FileManager.default.removeItem(atPath: fixture.directory + "/captured")
            try Data().write(to: URL(filePath: fixture.directory + "/captured"))
            let port = try #require(status.listeners.first?.port)
            _ = try await submission(to: port).run(show: { _ in })
            let entry = try await fixture.eventually {
                let document = try await QueueAccess(configuration).list(limit: 10, after: nil)
                guard let entry = document.messages.first, entry.state == "deferred" else { throw NotYet() }
                return entry
            }
            #expect(entry.lastDiagnostic?.isEmpty == false)
            #expect(entry.openRecipients == 1)
            #expect(entry.authorDomain == "example.com")
        }
        let configuration = try ConfigurationFile.read(
            "", file: fixture.file, directory: fixture.directory)
        let page = try await QueueAccess(configuration).list(limit: 10, after: nil)
        let id = try #require(page.messages.first.flatMap { QueueID($0.queueID) })
        let detail = try #require(try await QueueAccess(configuration).show(id))
        #expect(detail.recipients.map(\.mailbox) == ["b@example.net"])
        #expect(detail.recipients.map(\.state) == ["deferred"])
        #expect(detail.recipients.first?.nextAttempt != nil)
        #expect(
            try await QueueAccess(configuration).show(QueueID(arrival: Timestamp(seconds: 1), distinguisher: 1)) == nil)
    }
}

/// The lines of a conversation.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    @Sendable func add(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    var all: [String] { lines.withLock { $0 } }
}
