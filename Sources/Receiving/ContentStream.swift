// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import NIOCore
internal import NIOPosix

/// ContentStream is in charge of handing one content to its intake transaction: on the event loop while that is a
/// matter of memory, on a thread that may block once the intake says so.
///
/// Owned by the event loop; while a batch is with the other thread, nothing more may be read from the client.
final class ContentStream {
    private let transaction: any IntakeTransaction
    private let threadPool: NIOThreadPool
    private let eventLoop: any EventLoop
    private var isOffloaded = false
    /// Content that waits for its thread.
    private var batch: [ByteBuffer] = []
    /// A batch is with the other thread.
    private(set) var isBusy = false
    /// The content became useless while a batch was with the other thread.
    private var isAbortDue = false

    init(_ transaction: any IntakeTransaction, threadPool: NIOThreadPool, eventLoop: any EventLoop) {
        self.transaction = transaction
        self.threadPool = threadPool
        self.eventLoop = eventLoop
    }

    /// Takes the next octets.
    func append(_ octets: ByteBuffer) {
        if isOffloaded {
            batch.append(octets)
        } else {
            isOffloaded = unsafe octets.withUnsafeReadableBytes { bytes in unsafe transaction.append(bytes) }
        }
    }

    /// Sends what was taken on its way.
    ///
    /// If `isBusy` is true afterwards, `completion` will be called on the event loop when more may come.
    func flush(_ completion: @escaping () -> Void) {
        guard !batch.isEmpty, !isBusy else { return }
        isBusy = true
        let done = NIOLoopBound(completion, eventLoop: eventLoop)
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        let octets = batch
        batch = []
        threadPool.submit { [transaction, eventLoop] state in
            if state == .active { ContentStream.append(octets, to: transaction) }
            eventLoop.execute {
                stream.value.batchEnded()
                done.value()
            }
        }
    }

    /// No more octets follow.
    ///
    /// `completion` is called on the event loop. The stream is of no more use.
    ///
    /// - Parameter repairs: what was repaired in the octets before they came here.
    func finish(repairs: [Repair], _ completion: @escaping (IntakeResult) -> Void) {
        precondition(!isBusy, "finished before the last batch was taken")
        let done = NIOLoopBound(completion, eventLoop: eventLoop)
        let ended: @Sendable (IntakeResult) -> Void = { [eventLoop] result in
            eventLoop.execute { done.value(result) }
        }
        guard isOffloaded else {
            for repair in repairs { transaction.note(repair) }
            transaction.finish(ended)
            return
        }
        let octets = batch
        batch = []
        threadPool.submit { [transaction] state in
            guard state == .active else {
                transaction.abort()
                ended(.refused(.stopping))
                return
            }
            ContentStream.append(octets, to: transaction)
            for repair in repairs { transaction.note(repair) }
            transaction.finish(ended)
        }
    }

    /// The content is not wanted any more.
    ///
    /// The stream is of no more use.
    func abort() {
        batch = []
        if isBusy {
            isAbortDue = true
        } else if isOffloaded {
            threadPool.submit { [transaction] _ in transaction.abort() }
        } else {
            transaction.abort()
        }
    }

    private func batchEnded() {
        isBusy = false
        if isAbortDue { abort() }
    }

    private static func append(_ octets: [ByteBuffer], to transaction: any IntakeTransaction) {
        for slice in octets {
            _ = unsafe slice.withUnsafeReadableBytes { bytes in unsafe transaction.append(bytes) }
        }
    }
}

extension IntakeRefusal {
    /// The threads that write are gone: the process is about to end.
    static let stopping = IntakeRefusal(
        replyCode: 451, status: EnhancedStatusCode(4, 3, 2), lines: ["Shutting down, try again later"])
}
