// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Signing
import Testing

@testable import Relay

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
            #expect(report.lines == ["pass d=example.com s=e a=ed25519-sha256"])
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
                .init(.activate, domain: "example.com", selector: "r", isUnproven: true))
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
