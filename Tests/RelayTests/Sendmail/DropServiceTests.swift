// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Logging
import Mail
import NIOPosix
import Receiving
import Signing
import Spooling
import Testing

@testable import Relay

@Suite("The drop directory") struct DropServiceTests {
    /// A service on an intake and a directory of its own; scans are the test's to ask for.
    private final class Fixture: Sendable {
        let intake: IntakeFixture
        let directory: DropDirectory
        let service: DropService
        private let threads = NIOThreadPool(numberOfThreads: 1)

        init() throws {
            let intake = try IntakeFixture()
            self.intake = intake
            directory = DropDirectory(path: intake.directory + "/drop")
            try directory.make()
            threads.start()
            var limits = ReceivingLimits()
            limits.messageOctets = 100_000
            limits.recipients = 100
            let clock = WallClock { intake.time }
            service = DropService(
                directory: directory, intake: intake.intake,
                admission: { user, _, _ in
                    .success(Principal(application: nil, name: "uid \(user)", isAuthenticated: false))
                }, limits: limits, threads: threads, clock: clock,
                logger: Logger(label: "drop", factory: { _ in SwiftLogNoOpLogHandler() }))
        }

        deinit {
            threads.shutdownGracefully { _ in }
        }

        var writer: DropWriter { DropWriter(directory: directory.path) }

        func names(_ subdirectory: String = "") throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/" + subdirectory)
                .filter { $0 != DropDirectory.refusedName }.sorted()
        }

        func put(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(directory.path)/\(name)", atomically: false, encoding: .utf8)
        }
    }

    private static let content = "From: a@example.com\r\nSubject: x\r\n\r\n.dot\r\n"

    private func file(_ content: String, octets: Int? = nil) throws -> [[UInt8]] {
        let mailboxes = try AddressParser.mailboxes(in: Array("a@example.com, b@example.net".utf8)[...])
        let envelope = Envelope(reversePath: .mailbox(mailboxes[0]), recipients: [mailboxes[1]])
        let head = DropFile(envelope: envelope, contentOctets: octets ?? content.utf8.count).head
        return [head, Array(content.utf8)]
    }

    @Test("is open to all, and what was refused to nobody")
    func modes() throws {
        let fixture = try Fixture()
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(fixture.directory.path) == 0o3733)
        #expect(try mode(fixture.directory.path + "/refused") == 0o700)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: fixture.directory.path)
        try fixture.directory.make()
        #expect(try mode(fixture.directory.path) == 0o3733)
    }

    @Test("is no place behind a link")
    func linkedDirectory() throws {
        let fixture = try Fixture()
        let link = fixture.intake.directory + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fixture.directory.path)
        #expect(throws: DirectoryError.self) { try DropDirectory(path: link).make() }
    }

    @Test("gives its messages to the intake, and removes them then")
    func taken() async throws {
        let fixture = try Fixture()
        try fixture.writer.write([try file(Self.content), try file(Self.content)])
        let attributes = try FileManager.default.attributesOfItem(
            atPath: fixture.directory.path + "/" + (try #require(try fixture.names().first)))
        #expect(attributes[.posixPermissions] as? Int == 0o640)
        var retries = DropRetries()
        await fixture.service.scan(&retries)
        #expect(try fixture.names().isEmpty)
        let message = try #require(await fixture.intake.claim())
        guard case .inline(let bytes) = message.content else { throw CancellationError() }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("Received: by relay.example.com (from uid \(getuid())) with local id "))
        #expect(text.hasSuffix("\r\n\r\n.dot\r\n"))
        #expect(message.envelope.recipients.map(\.description) == ["b@example.net"])
        #expect(fixture.intake.spool.counts.messages == 2)
    }

    @Test("sets aside what is refused for good")
    func refused() async throws {
        let fixture = try Fixture()
        try fixture.writer.write([try file("From: a@stranger.example\r\n\r\nx\r\n")])
        let name = try #require(try fixture.names().first)
        var retries = DropRetries()
        await fixture.service.scan(&retries)
        #expect(try fixture.names().isEmpty)
        #expect(try fixture.names("refused").map { $0.hasPrefix(name + ".") } == [true])
        #expect(fixture.intake.events.all == ["refused 550 5.7.1 of stranger.example"])
    }

    @Test("keeps what is refused for now, and tries again later")
    func waiting() async throws {
        let fixture = try Fixture()
        let domain = try #require(Domain("waits.example"))
        let selector = try #require(try fixture.intake.addKey(to: domain))
        fixture.intake.keyRing.reload()
        try fixture.writer.write([try file("From: a@waits.example\r\n\r\nx\r\n")])
        var retries = DropRetries()
        await fixture.service.scan(&retries)
        await fixture.service.scan(&retries)
        #expect(try fixture.names().count == 1)
        #expect(fixture.intake.events.all.count == 1, "the second scan came too early to try again")
        try fixture.intake.activate(selector, of: domain)
        fixture.intake.pass(seconds: 2)
        await fixture.service.scan(&retries)
        #expect(try fixture.names().isEmpty)
        #expect(await fixture.intake.claim() != nil)
    }

    @Test("takes nothing that is not a whole file of one name with sound content")
    func wrongForms() async throws {
        let fixture = try Fixture()
        let path = fixture.directory.path
        let outside = fixture.intake.directory + "/outside"
        try Data(try file(Self.content).flatMap { $0 }).write(to: URL(fileURLWithPath: outside))
        try FileManager.default.createSymbolicLink(atPath: path + "/link", withDestinationPath: outside)
        try FileManager.default.linkItem(atPath: outside, toPath: path + "/hardlink")
        try FileManager.default.createDirectory(atPath: path + "/directory", withIntermediateDirectories: false)
        #expect(unsafe mkfifo(path + "/fifo", 0o600) == 0)
        try fixture.put("text", "From: a@example.com\n\nx\n")
        try fixture.put("empty", "")
        let unsound = [
            try file("From: a@example.com\r\n\r\nbare\nline feed\r\n"), try file("From: a@example.com\r\n\r\n\0\r\n"),
            try file("From: a@example.com\r\n\r\nreturn\r"), try file(Self.content, octets: 1),
            try file(Self.content, octets: 1000), try file(Self.content, octets: 100_001),
        ]
        try fixture.writer.write(unsound)
        let names = try fixture.names()
        #expect(names.count == 12)
        var retries = DropRetries()
        await fixture.service.scan(&retries)
        #expect(try fixture.names().isEmpty)
        #expect(try fixture.names("refused").count == 12)
        #expect(fixture.intake.spool.counts.messages == 0)
        #expect(FileManager.default.fileExists(atPath: outside))
    }

    @Test("keeps a file that came into the place of one that was taken")
    func replaced() throws {
        let fixture = try Fixture()
        try fixture.put("a", "first")
        let opened = try fixture.directory.open("a")
        try fixture.put("b", "second")
        #expect(unsafe rename(fixture.directory.path + "/b", fixture.directory.path + "/a") == 0)
        try fixture.directory.remove("a", DropDirectory.FileIdentity(opened.status))
        #expect(try fixture.names() == ["a"])
        let current = try fixture.directory.open("a")
        try fixture.directory.remove("a", DropDirectory.FileIdentity(current.status))
        #expect(try fixture.names() == [])
        #expect(throws: DropFault.gone) { try fixture.directory.open("a") }
    }

    @Test("sees no file that is still being written, and removes one that was given up a day ago")
    func unfinished() async throws {
        let fixture = try Fixture()
        try fixture.put(".new-a", "x")
        let now = Int(Date.now.timeIntervalSince1970)
        #expect(try fixture.directory.names(now: now + 80_000) == [])
        #expect(try fixture.names() == [".new-a"])
        #expect(try fixture.directory.names(now: now + 90_000) == [])
        #expect(try fixture.names() == [])
    }
}
