// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling
internal import Synchronization

/// How many messages Forwarding may hold at a time, how many octets and how many recipients of them: what bounds its
/// memory and its questions to the DNS.
final class InFlightBudget: Sendable {
    struct Share: Hashable, Sendable {
        var messages: Int
        var octets: Int
        var recipients: Int
    }

    /// Part of the budget that must be free before more is claimed: claims of single messages would cost more
    /// than the messages.
    private static let claimDivisor = 8

    private struct State {
        var messages = 0
        var octets = 0
        var recipients = 0
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
        /// Messages taken since the start, and how many of them `isStuck` saw.
        var taken: UInt64 = 0
        var takenAtLastLook: UInt64?
    }

    private let limits: ForwardingLimits
    private let state = Mutex(State())

    init(_ limits: ForwardingLimits) {
        self.limits = limits
    }

    var messagesInFlight: Int { state.withLock { $0.messages } }
    var octetsInFlight: Int { state.withLock { $0.octets } }

    /// Waits for room and says for how much; nil once closed.
    ///
    /// For one caller.
    func room() async -> Share? {
        while true {
            let (isClosed, free) = state.withLock { ($0.isClosed, share(of: $0)) }
            if isClosed { return nil }
            if let free { return free }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = state.withLock { state in
                    if state.isClosed || share(of: state) != nil { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Whether there is no room, and nothing was taken since this was asked before.
    func isStuck() -> Bool {
        state.withLock { state in
            defer { state.takenAtLastLook = state.taken }
            return share(of: state) == nil && state.takenAtLastLook == state.taken
        }
    }

    /// No more is to be claimed; ends a wait for room.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            return state.waiter.take()
        }
        waiter?.resume()
    }

    func take(_ message: ClaimedMessage) {
        state.withLock { state in
            state.messages += 1
            state.taken &+= 1
            state.octets += message.octetsInMemory
            state.recipients += message.recipients.count
        }
    }

    /// A message in flight needs more memory, which is given back with it.
    ///
    /// Never refused: what is in flight must come to its end.
    func add(octets: Int) {
        state.withLock { $0.octets += octets }
    }

    /// - Parameter extraOctets: what `add` was told for this message.
    func giveBack(_ message: ClaimedMessage, extraOctets: Int = 0) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.messages -= 1
            state.octets -= message.octetsInMemory + extraOctets
            state.recipients -= message.recipients.count
            return share(of: state) == nil ? nil : state.waiter.take()
        }
        waiter?.resume()
    }

    private func share(of state: State) -> Share? {
        let share = Share(
            messages: limits.messagesInFlight - state.messages, octets: limits.octetsInFlight - state.octets,
            recipients: limits.recipientsInFlight - state.recipients)
        let isEnough =
            InFlightBudget.isEnough(share.messages, of: limits.messagesInFlight)
            && InFlightBudget.isEnough(share.octets, of: limits.octetsInFlight)
            && InFlightBudget.isEnough(share.recipients, of: limits.recipientsInFlight)
        return isEnough ? share : nil
    }

    private static func isEnough(_ free: Int, of limit: Int) -> Bool {
        free > 0 && free >= limit / claimDivisor
    }
}

extension ClaimedMessage {
    /// Octets of the content that are held in memory while the message is in flight.
    fileprivate var octetsInMemory: Int {
        if case .inline(let bytes) = content { bytes.count } else { 0 }
    }
}
