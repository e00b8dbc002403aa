// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import NIOCore
internal import NIOPosix
internal import SMTP

/// Sends content from a file in blocks: each is read, encoded and stuffed on a thread that may block, and the next is
/// read only when the one before has left, so that a slow next hop costs one block of memory.
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
        var reader: ContentReader
        var isLast: Bool
    }

    private let channel: any Channel
    private let threadPool: NIOThreadPool
    private var stuffer = DotStuffer()
    /// Nil once stopped, which closes the file.
    private var reader: ContentReader?
    private var report: ((Event) -> Void)?

    init(_ reader: ContentReader, channel: any Channel, threadPool: NIOThreadPool) {
        self.reader = reader
        self.channel = channel
        self.threadPool = threadPool
    }

    /// `report` is called on the event loop, until `stop`.
    func start(_ report: @escaping (Event) -> Void) {
        self.report = report
        sendBlock()
    }

    func stop() {
        report = nil
        reader = nil
    }

    private func sendBlock() {
        guard let reader, report != nil else { return }
        let stuffer = stuffer
        threadPool.runIfActive(eventLoop: channel.eventLoop) {
            try ContentStream.readBlock(reader, stuffer)
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
        reader = block.reader
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

    private static func readBlock(_ reader: ContentReader, _ stuffer: DotStuffer) throws -> Block {
        var (reader, stuffer) = (reader, stuffer)
        let (octets, isLast) = try reader.next()
        var buffer = ByteBufferAllocator().buffer(capacity: octets.count + 256)
        try ContentEncoder.write(octets[...], &stuffer, &buffer)
        if isLast { try stuffer.finish(into: &buffer) }
        return Block(buffer: buffer, stuffer: stuffer, reader: reader, isLast: isLast)
    }
}
