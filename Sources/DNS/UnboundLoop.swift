// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CUnbound
internal import Glibc

/// The part of `UnboundPump` that belongs to its thread: the context and the questions in it.
final class UnboundLoop {
    /// A question that libunbound works on.
    ///
    /// It holds one reference until the callback has run.
    private final class InFlight {
        /// Nil once answered, by libunbound or by the deadline.
        var question: UnboundQuestion?
        unowned let loop: UnboundLoop

        init(_ question: UnboundQuestion, loop: UnboundLoop) {
            self.question = question
            self.loop = loop
        }
    }

    private var context: UnboundContext?
    private let maximumInFlight: Int
    /// Not yet given to libunbound, oldest first.
    private var waiting: ArraySlice<UnboundQuestion> = []
    private var inFlight: [ObjectIdentifier: InFlight] = [:]

    init(_ context: UnboundContext, maximumInFlight: Int) {
        self.context = context
        self.maximumInFlight = maximumInFlight
    }

    /// Takes new questions, gives up those past their deadline, starts as many as may run.
    func turn(_ fresh: [UnboundQuestion]) {
        waiting += fresh
        let now = ContinuousClock.now
        let late = DNSError.temporary("no name server answered in time")
        for entry in inFlight.values {
            guard let question = entry.question, question.deadline <= now else { continue }
            entry.question = nil
            question.answer(.failure(late))
        }
        while let next = waiting.first {
            if next.deadline <= now {
                waiting.removeFirst().answer(.failure(late))
            } else if inFlight.count < maximumInFlight {
                start(waiting.removeFirst())
            } else {
                return
            }
        }
    }

    private func start(_ question: UnboundQuestion) {
        let entry = InFlight(question, loop: self)
        inFlight[ObjectIdentifier(entry)] = entry
        let reference = unsafe Unmanaged.passUnretained(entry).toOpaque()
        do throws(DNSError) {
            try unsafe context?.ask(question.name, type: question.type, reference: reference) {
                reference, status, result in
                defer { unsafe ub_resolve_free(result) }
                guard let reference = unsafe reference else { return }
                // The table keeps the entry alive until here.
                let entry = unsafe Unmanaged<InFlight>.fromOpaque(reference).takeUnretainedValue()
                let question = entry.question
                entry.loop.inFlight[ObjectIdentifier(entry)] = nil
                question?.answer(unsafe RecordSet.read(status, result))
            }
        } catch {
            inFlight[ObjectIdentifier(entry)] = nil
            question.answer(.failure(error))
        }
    }

    /// Waits for libunbound, for `wake` or for the next deadline, and runs callbacks.
    func wait(or wake: CInt) {
        guard let descriptor = context?.descriptor else { return }
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&descriptors, 2, millisecondsToDeadline())
        if descriptors[0].revents != 0 { _ = context?.process() }
    }

    /// -1 without a question: nothing to wait for but `wake`.
    private func millisecondsToDeadline() -> CInt {
        let open = inFlight.values.lazy.compactMap { $0.question?.deadline }
        guard let next = [open.min(), waiting.first?.deadline].compactMap({ $0 }).min() else { return -1 }
        let left = ContinuousClock.now.duration(to: next)
        return CInt(
            clamping: max(0, left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1))
    }

    /// Frees libunbound, which runs no further callback, and answers what is left.
    func close() {
        context = nil
        let closed = DNSError.temporary("the resolver is shut down")
        for entry in inFlight.values { entry.question?.answer(.failure(closed)) }
        for question in waiting { question.answer(.failure(closed)) }
        inFlight = [:]
        waiting = []
    }
}
