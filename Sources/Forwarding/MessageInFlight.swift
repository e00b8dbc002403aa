// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling
internal import Synchronization

/// A claimed message from the claim until every recipient of it is settled or given back.
///
/// Its recipients may go different ways at the same time; the spool hears of all of them at once.
final class MessageInFlight: Sendable {
    /// What became of the recipients of one message; each is named by its place in `ClaimedMessage.recipients`.
    struct Report: Sendable {
        var settled: [(position: Int, outcome: Outcome)] = []
        /// Those that wait for a key.
        var unsignable: [(position: Int, diagnostic: Diagnostic)] = []
        /// The signature fields of the last attempt, for the next.
        var fields: [UInt8]?
        /// What was signed, with each key once; it may have left, whatever is known of that.
        var keyUses: [KeyUse] = []

        mutating func note(_ uses: [KeyUse]) {
            // Of most messages the first and last.
            if keyUses.isEmpty { return keyUses = uses }
            for use in uses {
                let known = keyUses.firstIndex { $0.selector == use.selector && $0.sdid == use.sdid }
                if let known { keyUses[known].time = max(keyUses[known].time, use.time) } else { keyUses.append(use) }
            }
        }
    }

    private struct State: ~Copyable {
        var open: Int
        var report = Report()
        var extraOctets = 0
    }

    let claimed: ClaimedMessage
    /// Of the body as it is stored: what intake did not compute, and signing for one next hop did, for the next one.
    let storedBodyHashes = Mutex<[BodyHash]>([])
    /// For all next hops without 8BITMIME; nil until one of them is met.
    let sevenBit = Mutex<SevenBitForm?>(nil)
    /// What is known of its body in that form.
    let encodedBody = Mutex(EncodedBody())
    /// Recipients whose notices the next hop got too, and so whose successes are its to report.
    private let passedOn = Mutex<Set<Int>>([])
    private let state: Mutex<State>
    private let budget: InFlightBudget?
    private let finished: @Sendable (MessageInFlight, Report) -> Void

    /// - Parameters:
    ///   - budget: what `hold` is counted in.
    ///   - finished: called once, when no recipient is open any more.
    init(
        _ claimed: ClaimedMessage, budget: InFlightBudget? = nil,
        finished: @escaping @Sendable (MessageInFlight, Report) -> Void
    ) {
        self.claimed = claimed
        self.budget = budget
        self.finished = finished
        self.state = Mutex(State(open: claimed.recipients.count))
    }

    /// More than the stored content is kept in memory until the message is finished.
    func hold(octets: Int) {
        state.withLock { $0.extraOctets += octets }
        budget?.add(octets: octets)
    }

    /// What `hold` was told.
    var extraOctets: Int { state.withLock { $0.extraOctets } }

    /// A next hop that knows of notices (RFC 3461) got those of this recipient.
    func notePassedOn(_ position: Int) {
        guard claimed.envelope.notices != .none else { return }
        passedOn.withLock { _ = $0.insert(position) }
    }

    func isPassedOn(_ position: Int) -> Bool {
        passedOn.withLock { $0.contains(position) }
    }

    /// The message was signed for some next hop.
    func note(_ uses: [KeyUse]) {
        guard !uses.isEmpty else { return }
        state.withLock { $0.report.note(uses) }
    }

    /// An attempt for some recipients has ended before anything left.
    func settle(_ positions: [Int], _ fault: DepartureFault, fields: [UInt8]? = nil) {
        guard fault.isWantOfKey, case .deferred(let diagnostic) = fault.outcome else {
            return settle(positions, fault.outcome, fields: fields)
        }
        close(positions.count, fields: fields) { report in
            for position in positions { report.unsignable.append((position, diagnostic)) }
        }
    }

    /// An attempt for some recipients has ended, for all of them alike.
    func settle(_ positions: [Int], _ outcome: Outcome, fields: [UInt8]? = nil) {
        close(positions.count, fields: fields) { report in
            for position in positions { report.settled.append((position, outcome)) }
        }
    }

    /// An attempt has ended for one recipient.
    func settle(_ position: Int, _ outcome: Outcome, fields: [UInt8]? = nil) {
        close(1, fields: fields) { $0.settled.append((position, outcome)) }
    }

    /// Some recipients were not tried and are not going to be.
    func giveBack(_ positions: [Int]) {
        close(positions.count, fields: nil) { _ in }
    }

    private func close(_ count: Int, fields: [UInt8]?, _ change: (inout Report) -> Void) {
        let report = state.withLock { state -> Report? in
            change(&state.report)
            if let fields { state.report.fields = fields }
            state.open -= count
            return state.open == 0 ? state.report : nil
        }
        if let report { finished(self, report) }
    }
}

/// Some recipients of a message, signed for one next hop and waiting for a connection to it.
struct Delivery: Sendable {
    let message: MessageInFlight
    /// Places in `ClaimedMessage.recipients`, at most `Route.maximumRecipients`.
    var positions: [Int]
    /// What to send.
    var content: SignedContent
    /// Who gets it instead of all of them; nil in ordinary life.
    var substitute: Mailbox?
    /// Of the capture that decided about that.
    var captureVersion = 0

    func settle(_ outcome: Outcome) {
        message.settle(positions, outcome, fields: content.keptFields)
    }

    /// It could not be made fit for its next hop; its signatures still hold for one that takes it as it is.
    func settle(_ fault: DepartureFault) {
        message.settle(positions, fault, fields: content.keptFields)
    }

    func giveBack() {
        message.giveBack(positions)
    }
}
