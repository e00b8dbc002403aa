// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import SMTP

/// Sends content from a file in blocks: each is read and stuffed on a thread that may block, and the next is read
/// only when the one before has left, so that a slow next hop costs one block of memory.
///
/// `@unchecked Sendable`, because
/// 1. its mutable state is touched on the channel's event loop alone; the threads that read get values.
final class ContentStream: @unchecked Sendable {
    enum Event {
        case blockSent
        /// The end of data is on its way too.
        case sent
        case failed(Outcome)
    }

    private struct Block: Sendable {
        var buffer: ByteBuffer
        var stuffer: DotStuffer
        var isLast: Bool
    }

    private let path: String
    /// What the file holds, if nothing was cut off or added.
    private let length: Int
    private let fields: [UInt8]
    private let channel: any Channel
    private let threadPool: NIOThreadPool
    private var stuffer = DotStuffer()
    private var offset = 0
    private var file: ContentFile?
    private var report: ((Event) -> Void)?

    init(path: String, length: Int, fields: [UInt8], channel: any Channel, threadPool: NIOThreadPool) {
        self.path = path
        self.length = length
        self.fields = fields
        self.channel = channel
        self.threadPool = threadPool
    }

    /// `report` is called on the event loop, until `stop`.
    func start(_ report: @escaping (Event) -> Void) {
        self.report = report
        let path = path
        threadPool.runIfActive(eventLoop: channel.eventLoop) { try ContentFile(path: path) }
            .whenComplete { result in
                switch result {
                case .success(let file):
                    self.file = file
                    self.sendBlock()
                case .failure(let error): self.fail(error)
                }
            }
    }

    func stop() {
        report = nil
        file = nil
    }

    private func sendBlock() {
        guard let file, report != nil else { return }
        let (offset, length, fields, stuffer) = (offset, length, offset == 0 ? fields : [], stuffer)
        threadPool.runIfActive(eventLoop: channel.eventLoop) {
            try ContentStream.readBlock(file, offset: offset, length: length, fields: fields, stuffer: stuffer)
        }.whenComplete { result in
            switch result {
            case .success(let block): self.send(block)
            case .failure(let error): self.fail(error)
            }
        }
    }

    private func send(_ block: Block) {
        guard report != nil else { return }
        stuffer = block.stuffer
        offset += ForwardingLimits.blockOctets
        channel.writeAndFlush(block.buffer).whenComplete { result in
            // A write that failed has closed the channel; its handler hears of that itself.
            guard case .success = result else { return }
            if block.isLast {
                self.report?(.sent)
            } else {
                self.report?(.blockSent)
                self.sendBlock()
            }
        }
    }

    private func fail(_ error: any Error) {
        if let error = error as? ContentError {
            report?(.failed(.failed(ContentEncoder.diagnostic(error))))
        } else {
            report?(.failed(.deferred(ContentFile.diagnostic(error))))
        }
    }

    private static func readBlock(
        _ file: ContentFile, offset: Int, length: Int, fields: [UInt8], stuffer: DotStuffer
    ) throws -> Block {
        var stuffer = stuffer
        let bytes = try file.read(offset: offset, count: ForwardingLimits.blockOctets)
        let isLast = bytes.count < ForwardingLimits.blockOctets
        // Anything but what was accepted must never be followed by an end of data.
        guard isLast ? offset + bytes.count == length : offset + bytes.count <= length else {
            throw FileFault(operation: "read all \(length) octets of the content", path: "", code: EIO)
        }
        var buffer = ByteBufferAllocator().buffer(capacity: fields.count + bytes.count + 256)
        try ContentEncoder.write(fields, &stuffer, &buffer)
        try ContentEncoder.write(bytes, &stuffer, &buffer)
        if isLast { try stuffer.finish(into: &buffer) }
        return Block(buffer: buffer, stuffer: stuffer, isLast: isLast)
    }
}
