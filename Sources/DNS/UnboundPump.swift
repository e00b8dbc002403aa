// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CUnbound
internal import Glibc
internal import Logging
internal import Synchronization

/// UnboundPump is in charge of libunbound's questions: it starts them in turn, waits on libunbound's
/// descriptor, answers each exactly once and none later than its deadline.
///
/// One thread does all of this and is the only one that touches libunbound.
final class UnboundPump: Sendable {
    private struct State {
        var waiting: [UnboundQuestion] = []
        var isClosed = false
        /// The thread is gone; the descriptor is closed.
        var isFinished = false
    }

    private let state = Mutex(State())
    /// An eventfd: written to wake the thread.
    private let wake: CInt
    private let maximumWaiting: Int

    init(_ configuration: ResolverConfiguration, logger: Logger) throws(DNSError) {
        let context = try UnboundContext(configuration, logger: logger)
        wake = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wake >= 0 else { throw .temporary("no descriptor is left for the resolver") }
        maximumWaiting = configuration.maximumWaiting
        let loop = UnboundLoop(context, maximumInFlight: configuration.maximumInFlight)
        let box = unsafe Unmanaged.passRetained(Start(pump: self, loop: loop))
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.pump.run(start.loop)
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            Glibc.close(wake)
            throw .temporary("no thread could be made for the resolver (\(result))")
        }
        pthread_detach(thread)
    }

    /// What the thread is started with.
    private final class Start {
        let pump: UnboundPump
        let loop: UnboundLoop

        init(pump: UnboundPump, loop: UnboundLoop) {
            self.pump = pump
            self.loop = loop
        }
    }

    /// Queues a question; false if too many wait already or the pump is closed.
    func submit(_ question: UnboundQuestion) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.waiting.count < maximumWaiting else { return false }
            state.waiting.append(question)
            ring()
            return true
        }
    }

    /// Open questions are answered as temporary; the thread ends by itself.
    func close() {
        state.withLock { state in
            state.isClosed = true
            if !state.isFinished { ring() }
        }
    }

    private func ring() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full: the thread will wake anyway.
        _ = unsafe write(wake, &one, 8)
    }

    private func run(_ loop: UnboundLoop) {
        var isClosed = false
        while !isClosed {
            var counter: UInt64 = 0
            _ = unsafe read(wake, &counter, 8)
            let fresh: [UnboundQuestion]
            (fresh, isClosed) = state.withLock { state in
                defer { state.waiting = [] }
                return (state.waiting, state.isClosed)
            }
            loop.turn(fresh)
            if !isClosed { loop.wait(or: wake) }
        }
        loop.close()
        state.withLock { state in
            state.isFinished = true
            _ = Glibc.close(wake)
        }
    }
}
