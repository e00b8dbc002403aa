// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Mail
import Synchronization

/// An intake that keeps messages in memory, answers when told to, and notices calls that the seam forbids.
final class FakeIntake: Intake {
    struct Message: Sendable {
        var submission: Submission
        var content: [UInt8]
        var repairs: [Repair] = []
    }

    private struct State {
        var refusal: IntakeRefusal?
        var result: IntakeResult?
        var holdsAnswers = false
        var held: [@Sendable () -> Void] = []
        var messages: [Message] = []
        var aborted = 0
        var begun = 0
        var misuses: [String] = []
        var threads: Set<UInt> = []
        var sizes: [Int?] = []
    }

    /// From this many octets of a content on, `append` asks to be called on another thread.
    let offloadLimit: Int
    /// Keep the content, or only count it.
    let keepsContent: Bool
    private let state = Mutex(State())

    init(offloadLimit: Int = .max, keepsContent: Bool = true) {
        self.offloadLimit = offloadLimit
        self.keepsContent = keepsContent
    }

    var messages: [Message] { state.withLock { $0.messages } }
    var aborted: Int { state.withLock { $0.aborted } }
    var begun: Int { state.withLock { $0.begun } }
    var misuses: [String] { state.withLock { $0.misuses } }
    var sizes: [Int?] { state.withLock { $0.sizes } }
    var heldAnswers: Int { state.withLock { $0.held.count } }
    /// Threads on which content came after the offload was asked for.
    var offloadedThreads: Set<UInt> { state.withLock { $0.threads } }

    func refuseAdmission(_ refusal: IntakeRefusal?) { state.withLock { $0.refusal = refusal } }
    func answer(_ result: IntakeResult) { state.withLock { $0.result = result } }
    func holdAnswers() { state.withLock { $0.holdsAnswers = true } }

    func releaseAnswers() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.holdsAnswers = false
            return state.held
        }
        for answer in held { answer() }
    }

    func refusal(ofSize size: Int?) -> IntakeRefusal? {
        state.withLock {
            $0.sizes.append(size)
            return $0.refusal
        }
    }

    func begin(_ submission: Submission) -> any IntakeTransaction {
        state.withLock { $0.begun += 1 }
        return FakeTransaction(submission, self)
    }

    fileprivate func misused(_ text: String) { state.withLock { $0.misuses.append(text) } }
    fileprivate func wasAborted() { state.withLock { $0.aborted += 1 } }
    fileprivate func appendedOffloaded() { _ = state.withLock { $0.threads.insert(currentThread()) } }

    fileprivate func finished(_ message: Message, _ completion: @escaping @Sendable (IntakeResult) -> Void) {
        let now: IntakeResult? = state.withLock { state in
            state.messages.append(message)
            let result =
                state.result
                ?? .accepted(
                    QueueID(arrival: Timestamp(milliseconds: 1), distinguisher: UInt64(state.messages.count)))
            guard state.holdsAnswers else { return result }
            state.held.append { completion(result) }
            return nil
        }
        if let now { completion(now) }
    }
}

private final class FakeTransaction: IntakeTransaction {
    private struct State {
        var content: [UInt8] = []
        var repairs: [Repair] = []
        var octets = 0
        var isOver = false
        var isInside = false
    }

    private let submission: Submission
    private let intake: FakeIntake
    private let state = Mutex(State())

    init(_ submission: Submission, _ intake: FakeIntake) {
        self.submission = submission
        self.intake = intake
    }

    deinit {
        if !state.withLock({ $0.isOver }) { intake.misused("neither finished nor aborted") }
    }

    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        enter("append")
        defer { state.withLock { $0.isInside = false } }
        let copy = intake.keepsContent ? unsafe Array(bytes) : []
        return state.withLock { state in
            if state.octets >= intake.offloadLimit { intake.appendedOffloaded() }
            state.content += copy
            state.octets += bytes.count
            return state.octets >= intake.offloadLimit
        }
    }

    func note(_ repair: Repair) {
        enter("note")
        state.withLock { state in
            state.repairs.append(repair)
            state.isInside = false
        }
    }

    func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void) {
        enter("finish")
        let (content, repairs) = state.withLock { state in
            state.isOver = true
            state.isInside = false
            return (state.content, state.repairs)
        }
        intake.finished(
            FakeIntake.Message(submission: submission, content: content, repairs: repairs), completion)
    }

    func abort() {
        enter("abort")
        state.withLock {
            $0.isOver = true
            $0.isInside = false
        }
        intake.wasAborted()
    }

    /// The rules of the seam: one call at a time, none after the end.
    private func enter(_ call: String) {
        state.withLock { state in
            if state.isOver { intake.misused("\(call) after the end") }
            if state.isInside { intake.misused("\(call) during another call") }
            state.isInside = true
        }
    }
}

private func currentThread() -> UInt {
    UInt(pthread_self())
}
