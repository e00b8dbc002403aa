// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Spooling
import Synchronization
import Testing

@testable import Forwarding

@Suite struct CaptureTests {
    @Test("a captured message is a file with the bytes that would have been sent, and its envelope beside it")
    func capture() async throws {
        let directory = temporaryDirectory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let bench = Bench([Route(name: "files", target: .capture(directory: directory.path))])
        let message = bench.message(to: ["b@example.net", "\"q\\\\\"@example.org"])
        let record = await bench.deliver(message)
        #expect(record?.words == ["delivered - 2.0.0 -", "delivered - 2.0.0 -"])
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(names == ["\(message.queueID).eml", "\(message.queueID).json"])
        let content = try Data(contentsOf: directory.appendingPathComponent(names[0]))
        // Not dot-stuffed: that is how a next hop would have stored it.
        #expect(Array(content) == StubSigner.field + Array("From: a@example.com\r\n\r\n.text\r\n".utf8))
        let json =
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: directory.appendingPathComponent(names[1]))) as? [String: Any]
        #expect(json?["queue_id"] as? String == message.queueID.description)
        #expect(json?["reverse_path"] as? String == "a@example.com")
        #expect(json?["recipients"] as? [String] == ["b@example.net", "\"q\\\\\"@example.org"])
        #expect(json?["eight_bit"] as? Bool == false)
        #expect(bench.signer.departures.withLock { $0.first?.nextHop.kind } == .capture)
    }

    @Test("routes that share a directory don't overwrite each other's files")
    func shared() async throws {
        let directory = temporaryDirectory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let target = Route.Target.capture(directory: directory.path)
        var first = Route(name: "first", target: target)
        first.recipientDomains = ["example.org"].compactMap { DomainPattern($0) }
        let bench = Bench([first, Route(name: "second", target: target)])
        let message = bench.message(to: ["a@example.net", "b@example.net", "c@example.org"])
        // Twice, as after a crash.
        for _ in 0..<2 {
            let record = await bench.deliver(message)
            #expect(record?.words == Array(repeating: "delivered - 2.0.0 -", count: 3))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        let id = message.queueID
        #expect(names == ["\(id)-3.eml", "\(id)-3.json", "\(id).eml", "\(id).json"])
        for (name, recipients) in ["\(id)": ["a@example.net", "b@example.net"], "\(id)-3": ["c@example.org"]] {
            let data = try Data(contentsOf: directory.appendingPathComponent(name + ".json"))
            let json = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            #expect(json?["recipients"] as? [String] == recipients)
        }
    }

    @Test("large content is captured from its file")
    func large() async throws {
        let directory = temporaryDirectory()
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let content = Array("From: a@example.com\r\n\r\n".utf8) + Array(repeating: 120, count: 300_000) + [13, 10]
        let source = directory.appendingPathComponent("source").path
        #expect(FileManager.default.createFile(atPath: source, contents: Data(content)))
        let bench = Bench([Route(name: "files", target: .capture(directory: directory.path))])
        let message = bench.message(to: ["b@example.net"], content: .file(path: source, length: content.count))
        #expect(await bench.deliver(message)?.words == ["delivered - 2.0.0 -"])
        let captured = try Data(contentsOf: directory.appendingPathComponent("\(message.queueID).eml"))
        #expect(Array(captured) == StubSigner.field + content)
    }

    @Test("a directory that can't be written defers and is the operator's")
    func unwritable() async throws {
        let bench = Bench([Route(name: "files", target: .capture(directory: "/dev/null/x"))])
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["deferred - 4.3.0 -"])
        guard case .deferred(let diagnostic, _)? = record?.results.first?.result else { return }
        #expect(diagnostic.owner == .operator)
    }

    private func temporaryDirectory() -> URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID().uuidString)")
    }
}
