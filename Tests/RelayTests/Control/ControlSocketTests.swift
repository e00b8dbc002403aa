// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Logging
import Mail
import NIOPosix
import Relay
import Signing
import Synchronization
import Testing

/// A real control socket in a directory of its own, with handlers that answer from a script.
private final class ControlFixture: Sendable {
    let path: String
    let reloads = Atomic<Int>(0)
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "waxwing-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.appending(path: "c.sock").path
    }

    static let entry = QueueEntryDocument(
        queueID: "\(QueueID(arrival: Timestamp(seconds: 1_700_000_000), distinguisher: 5))", arrival: 1_700_000_000,
        expiry: 1_700_000_100, octets: 12, reversePath: "a@example.com", isHeld: false, isActive: true,
        repairs: ["folded-header"],
        recipients: [
            QueueRecipientDocument(
                mailbox: "b@example.net", state: "deferred", attempts: 2, nextAttempt: 1_700_000_050,
                lastDiagnostic: "450 4.2.0 later", lastNextHop: "192.0.2.1:25", owner: "recipient")
        ])
    static let summary = QueueSummaryDocument(
        queueID: entry.queueID, state: "deferred", arrival: 1_700_000_000, expiry: 1_700_000_100, octets: 12,
        reversePath: "a@example.com", authorDomain: "example.com", recipients: 1, openRecipients: 1,
        nextAttempt: 1_700_000_050, lastDiagnostic: "450 4.2.0 later")
    static let status = StatusDocument(
        version: "1", hostname: "relay.example.com", processID: 1, startedAt: 2, configurationFile: nil,
        listeners: [.init(address: "127.0.0.1", port: 587)], sessions: 3,
        queue: .init(messages: 4, active: 5, deferred: 6, octets: 7), counters: ["bounces": 8],
        keys: .init(held: ["example.com": "no key can be seen"], drifted: ["a._domainkey.example.com"], rotating: 9))

    private var handlers: ControlHandlers {
        ControlHandlers(
            status: { Self.status },
            reload: { ReloadDocument(applied: false, lines: ["waxwing.toml:3: no such key"]) },
            queue: { limit, after in
                QueueDocument(messages: after == nil ? Array(repeating: Self.summary, count: limit) : [], next: nil)
            },
            queueEntry: { "\($0)" == Self.entry.queueID ? Self.entry : nil },
            keys: { KeyResponse(text: "\($0.verb) \($0.domain ?? "-")\n") },
            reloadKeys: { [self] in reloads.wrappingAdd(1, ordering: .relaxed) })
    }

    /// Serves while `body` runs.
    func serve(_ body: @Sendable (ControlClient) async throws -> Void) async throws {
        let service = ControlService(
            ControlConfiguration(socketPath: path), handlers: handlers,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        defer { try? FileManager.default.removeItem(at: directory) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            for _ in 0..<500 where !isRestricted { try await Task.sleep(for: .milliseconds(10)) }
            try await body(ControlClient(socketPath: path))
            group.cancelAll()
        }
    }

    /// The mode is set once the socket listens.
    private var isRestricted: Bool { mode == 0o600 }

    var mode: Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
    }
}

@Suite struct ControlSocketTests {
    @Test func `a client gets what the handlers say`() async throws {
        let fixture = try ControlFixture()
        try await fixture.serve { client in
            #expect(try await client.get("/v1/status", as: StatusDocument.self) == ControlFixture.status)
            let page = try await client.get("/v1/queue?limit=2", as: QueueDocument.self)
            #expect(page.messages == [ControlFixture.summary, ControlFixture.summary])
            let id = ControlFixture.entry.queueID
            #expect(try await client.get("/v1/queue/\(id)", as: QueueEntryDocument.self) == ControlFixture.entry)
            #expect(try await client.get("/v1/queue?after=\(id)", as: QueueDocument.self).messages.isEmpty)
            let answer = try await client.post(
                "/v1/keys", KeyRequest(.show, domain: "example.com"), as: KeyResponse.self)
            #expect(answer.text == "show example.com\n")
            let refusal = await #expect(throws: ControlError.self) {
                _ = try await client.post(
                    "/v1/keys", KeyRequest(.export, domain: "example.com", selector: "a"), as: KeyResponse.self)
            }
            #expect("\(try #require(refusal))".contains("no private key is handed out"))
            try await client.post("/v1/keys/reload")
            #expect(fixture.reloads.load(ordering: .relaxed) == 1)
        }
    }

    @Test func `a refused reload says why`() async throws {
        try await ControlFixture().serve { client in
            let answer = try await client.post("/v1/reload", Int?.none, as: ReloadDocument.self)
            #expect(answer == ReloadDocument(applied: false, lines: ["waxwing.toml:3: no such key"]))
        }
    }

    @Test(arguments: [
        ("/v1/queue?limit=0", "limit"), ("/v1/queue?limit=1001", "limit"), ("/v1/queue?limit=x", "limit"),
        ("/v1/queue?after=x", "after"), ("/v1/queue/nonsense", "queue ID"), ("/v1/queue/0000000000001", "no message"),
        ("/v2/nothing", "404"),
    ])
    func `a bad question is answered with what is wrong`(path: String, mention: String) async throws {
        try await ControlFixture().serve { client in
            let error = await #expect(throws: ControlError.self) {
                _ = try await client.get(path, as: QueueDocument.self)
            }
            let text = "\(try #require(error))"
            #expect(text.contains(mention))
        }
    }

    @Test func `only its owner may open the socket`() async throws {
        let fixture = try ControlFixture()
        try await fixture.serve { _ in #expect(fixture.mode == 0o600) }
    }

    @Test func `a client tells that no daemon is there`() async throws {
        let client = ControlClient(socketPath: "/nonexistent/control.sock")
        let error = await #expect(throws: ControlError.self) {
            _ = try await client.get("/v1/status", as: StatusDocument.self)
        }
        #expect("\(try #require(error))".contains("waxwing run"))
    }

    @Test func `root, the relay's user and the group's members are admitted and nobody else`() {
        let closed = ControlAdmission(ownUserID: 990, groupID: nil)
        let open = ControlAdmission(ownUserID: 990, groupID: 991)
        func peer(_ user: UInt32, _ group: UInt32) -> ControlPeer {
            ControlPeer(processID: 1, userID: user, groupID: group)
        }
        #expect(closed.admits(peer(0, 5)))
        #expect(closed.admits(peer(990, 5)))
        #expect(!closed.admits(peer(4_000_000_000, 990)))
        #expect(open.admits(peer(4_000_000_000, 991)))
        #expect(!open.admits(peer(4_000_000_000, 992)))
    }
}
