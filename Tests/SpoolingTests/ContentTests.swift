// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Testing

@testable import Spooling

@Suite struct ContentTests {
    let fixture: SpoolFixture
    let limit = StoredContent.inlineLimit

    init() throws {
        fixture = try SpoolFixture()
    }

    private func files(_ fixture: SpoolFixture) -> [String] {
        let content = fixture.spoolPath + "/content"
        return (FileManager.default.subpaths(atPath: content) ?? []).filter { $0.contains("/") }
    }

    private func octets(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    private func write(_ content: [UInt8], pieces: Int, to writer: ContentWriter) throws {
        var rest = content[...]
        var length = 0
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            length += piece.count
            #expect(try writer.append(piece) == (length > limit))
        }
        #expect(writer.length == content.count)
    }

    @Test(arguments: [0, 1, 262_143, 262_144])
    func `Content up to the limit stays in memory`(count: Int) throws {
        let spool = try fixture.open()
        let writer = spool.contentWriter()
        try write(octets(count), pieces: 10_007, to: writer)
        #expect(try writer.finish() == .inline(octets(count)))
        #expect(files(fixture).isEmpty)
    }

    @Test(arguments: [(262_145, 1009), (300_000, 262_144), (1_000_000, 32_768), (700_000, 700_000), (290_000, 77)])
    func `Larger content goes to a file, whatever its pieces`(count: Int, pieces: Int) async throws {
        let spool = try fixture.open()
        let writer = spool.contentWriter()
        try write(octets(count), pieces: pieces, to: writer)
        let content = try writer.finish()
        guard case .file(let path, count) = content else {
            Issue.record("\(content)")
            return
        }
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == octets(count))
        let message = fixture.message()
        try await spool.enqueue(message, content: content)
        await spool.close()
        let again = try fixture.open()
        #expect(again.counts.octets == Int64(count))
        #expect(await again.claimAll().map(\.content) == [content])
        try await again.record(message.queueID, [.delivered(accepted)])
        #expect(files(fixture).isEmpty)
        await again.close()
    }

    @Test(arguments: [0, 1, 262_144, 262_145, 700_000])
    func `What was written can be read back before it is finished, and after that too`(count: Int) throws {
        let spool = try fixture.open()
        let writer = spool.contentWriter()
        try write(octets(count), pieces: 10_007, to: writer)
        for _ in 0..<2 {
            let written = try writer.written()
            #expect(written.length == count)
            let range = count / 3..<count
            #expect(try written.octets(range) == Array(octets(count)[range]))
            for start in [0, count / 2, count] {
                var read: [UInt8] = []
                var largest = 0
                try written.body(from: start)({ piece in
                    read += piece
                    largest = max(largest, piece.count)
                })
                #expect(read == Array(octets(count)[start...]))
                #expect(count <= limit || largest <= 32 * 1024)
            }
        }
        struct Enough: Error {}
        if count > 0 {
            #expect(throws: Enough.self) { try writer.written().body(from: 0)({ _ in throw Enough() }) }
        }
        switch try writer.finish() {
        case .inline(let bytes): #expect(bytes == octets(count))
        case .file(let path, _): #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == octets(count))
        }
        writer.discard()
        #expect(files(fixture).isEmpty)
    }

    @Test func `A file that is shorter than what was written is an error, and not the end`() throws {
        let spool = try fixture.open()
        let writer = spool.contentWriter()
        _ = try writer.append(octets(limit + 1))
        let written = try writer.written()
        let path = fixture.spoolPath + "/content/" + files(fixture)[0]
        try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 100)
        #expect(throws: SpoolError.self) { try written.octets(0..<101) }
        #expect(throws: SpoolError.self) { try written.body(from: 50)({ _ in }) }
        #expect(try written.octets(0..<100) == Array(octets(100)))
        writer.discard()
    }

    @Test func `Content that is discarded or forgotten leaves no file`() throws {
        let spool = try fixture.open()
        let discarded = spool.contentWriter()
        _ = try discarded.append(octets(limit + 1))
        #expect(files(fixture).count == 1)
        discarded.discard()
        #expect(files(fixture).isEmpty)

        let finished = spool.contentWriter()
        _ = try finished.append(octets(limit + 1))
        _ = try finished.finish()
        finished.discard()
        #expect(files(fixture).isEmpty)

        do {
            _ = try spool.contentWriter().append(octets(limit + 1))
        }
        #expect(files(fixture).isEmpty)
    }

    @Test func `A refused message leaves no file`() async throws {
        let spool = try fixture.open()
        let message = fixture.message()
        try await spool.enqueue(message, content: .inline([]))
        let writer = spool.contentWriter()
        _ = try writer.append(octets(limit + 1))
        let content = try writer.finish()
        await #expect(throws: SpoolError.self) { try await spool.enqueue(message, content: content) }
        #expect(files(fixture).isEmpty)
        await spool.close()
    }

    @Test func `What a crash left without a message is removed, what a message names is not`() async throws {
        let spool = try fixture.open()
        let kept = spool.contentWriter()
        _ = try kept.append(octets(limit + 5))
        let content = try kept.finish()
        try await spool.enqueue(fixture.message(), content: content)
        // Two that a crash cuts off: one being written, one on disk but not committed.
        let partial = spool.contentWriter()
        _ = try partial.append(octets(limit + 1))
        let uncommitted = spool.contentWriter()
        _ = try uncommitted.append(octets(limit + 1))
        _ = try uncommitted.finish()
        #expect(files(fixture).count == 3)
        let crashed = try fixture.copy(of: spool)
        await spool.close()

        let again = try crashed.open()
        // Written while the search is on: not an orphan.
        let running = again.contentWriter()
        _ = try running.append(octets(limit + 1))
        for _ in 0...ContentFiles.shardCount + 1 { await again.settle() }
        #expect(files(crashed).count == 2)
        guard case .file(let path, _) = await again.claimAll()[0].content else {
            Issue.record("not a file")
            return
        }
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == octets(limit + 5))
        running.discard()
        await again.close()
    }
}
