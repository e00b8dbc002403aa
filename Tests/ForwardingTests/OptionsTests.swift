// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Spooling
import Synchronization
import Testing

@testable import Forwarding

/// What a message may ask for of its way out.
@Suite struct OptionsTests {
    private func temporaryDirectory() throws -> URL {
        let name = "waxwing-options-\(UInt64.random(in: 0 ... .max))"
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }

    private func route(_ name: String, _ directory: URL, to domains: [String] = []) -> Route {
        Route(
            name: name, recipientDomains: domains.compactMap { DomainPattern($0) },
            target: .capture(directory: directory.appendingPathComponent(name).path))
    }

    private func files(_ directory: URL, _ route: String) -> [String] {
        let path = directory.appendingPathComponent(route).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(".eml") }
    }

    @Test(arguments: [1, 2])
    func `A message takes the route that it asks for, and waits if that is gone`(recipients: Int) async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let usual = route("usual", directory)
        let bench = Bench([usual, route("special", directory, to: ["example.org"])])
        var message = bench.message(to: ["a@example.net", "b@example.org"].prefix(recipients).map { $0 })
        message.message.options.route = "special"
        #expect(await bench.deliver(message)?.words == Array(repeating: "delivered - 2.0.0 -", count: recipients))
        #expect(files(directory, "usual").isEmpty)
        #expect(files(directory, "special").count == 1)
        bench.parts.dispatcher.replaceRoutes(RoutingTable([usual]))
        let record = await bench.deliver(message)
        #expect(record?.words == Array(repeating: "deferred - 4.4.4 -", count: recipients))
        guard case .deferred(let diagnostic, _) = record?.results.first?.result else { return }
        #expect(diagnostic.text.contains("[[route]] \"special\""))
        #expect(diagnostic.owner == .operator)
        #expect(files(directory, "usual").isEmpty)
    }

    @Test func `A test is signed, and nothing of it leaves`() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let bench = Bench([
            route("files", directory, to: ["example.org"]), Bench.smarthost(peer.port),
        ])
        var message = bench.message(to: ["a@example.net", "b@example.org"])
        message.message.options.isTest = true
        let record = await bench.deliver(message)
        #expect(record?.words == ["delivered - 2.0.0 -", "delivered - 2.0.0 -"])
        for result in record?.results ?? [] {
            guard case .delivered(let diagnostic) = result.result else { continue }
            #expect(diagnostic.text.hasPrefix("a test: signed for the route "))
            #expect(diagnostic.text.hasSuffix("and not sent, as was asked"))
        }
        #expect(bench.signer.departures.withLock { $0.count } == 2)
        #expect(peer.seen.messages.isEmpty)
        #expect(files(directory, "files").isEmpty)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test func `What has expired by its sender's wish fails without an attempt and is reported`() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let bench = Bench([route("files", directory)])
        var message = bench.message(to: ["a@example.net", "b@example.net"], attempts: 2)
        message.recipients[1].failure = Diagnostic(
            status: EnhancedStatusCode(5, 1, 1), text: "unknown", owner: .recipient)
        message.message.options.expiry = Bench.now
        let record = await bench.deliver(message)
        // A failure of before stays what it was.
        #expect(record?.words == ["failed - 5.4.7 -", "failed - 5.1.1 -"])
        guard case .failed(let diagnostic) = record?.results.first(where: { $0.index == 0 })?.result else { return }
        #expect(diagnostic.text.contains("it was deferred 2 times"))
        #expect(files(directory, "files").isEmpty)
        #expect(bench.intake.kept.withLock { $0.count } == 1)

        message.message.options.expiry = Bench.now.advanced(byMilliseconds: 1)
        message.recipients.removeLast()
        #expect(await bench.deliver(message)?.words == ["delivered - 2.0.0 -"])
    }
}
