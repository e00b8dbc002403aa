// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore
internal import Synchronization

/// How many sessions there are and were.
package struct SessionCounts: Hashable, Sendable {
    /// At this moment.
    package var open: Int
    /// Since the start.
    package var accepted: Int
    /// Turned away since the start: one too many, or during a shutdown.
    package var refused: Int

    package init(open: Int = 0, accepted: Int = 0, refused: Int = 0) {
        self.open = open
        self.accepted = accepted
        self.refused = refused
    }
}

/// SessionRegister is in charge of knowing all open sessions: it counts them, turns away those that are too many,
/// and reaches them when the server drains.
///
/// Asked once at the start and once at the end of a session.
final class SessionRegister: Sendable {
    enum Admission: Hashable, Sendable {
        case admitted
        case tooMany
        case tooManyOfPeer
        case draining
    }

    private struct Entry {
        var channel: any Channel
        /// What it was counted under.
        var address: String?
    }

    private struct State {
        var sessions: [ObjectIdentifier: Entry] = [:]
        var perAddress: [String: Int] = [:]
        var accepted = 0
        var refused = 0
        var isDraining = false
        var maximumSessions: Int
        var maximumPerAddress: Int?
        var whenEmpty: [@Sendable () -> Void] = []

        mutating func enter(_ channel: any Channel, _ address: String?) {
            sessions[ObjectIdentifier(channel)] = Entry(channel: channel, address: address)
            // Counted without a maximum too: one may come while the session is open.
            if let address { perAddress[address, default: 0] += 1 }
        }

        /// One session less of an address.
        mutating func release(_ address: String?) {
            guard let address, let count = perAddress[address] else { return }
            perAddress[address] = count > 1 ? count - 1 : nil
        }
    }

    private let state: Mutex<State>

    init(maximumSessions: Int, maximumPerAddress: Int?) {
        self.state = Mutex(State(maximumSessions: maximumSessions, maximumPerAddress: maximumPerAddress))
    }

    /// From now on admits by other maxima.
    ///
    /// Sessions that are too many by them stay until they end.
    func replaceMaxima(sessions: Int, perAddress: Int?) {
        state.withLock { state in
            state.maximumSessions = sessions
            state.maximumPerAddress = perAddress
        }
    }

    var counts: SessionCounts {
        state.withLock {
            SessionCounts(open: $0.sessions.count, accepted: $0.accepted, refused: $0.refused)
        }
    }

    /// Enters a session, unless it is one too many.
    ///
    /// What is entered must be removed.
    func admit(_ channel: any Channel, from peer: Peer) -> Admission {
        state.withLock { state in
            let admission = decide(state, peer)
            guard admission == .admitted else {
                state.refused += 1
                return admission
            }
            state.accepted += 1
            state.enter(channel, peer.address)
            return .admitted
        }
    }

    private func decide(_ state: State, _ peer: Peer) -> Admission {
        if state.isDraining { return .draining }
        if state.sessions.count >= state.maximumSessions { return .tooMany }
        guard let maximumPerAddress = state.maximumPerAddress, let address = peer.address else { return .admitted }
        return state.perAddress[address, default: 0] >= maximumPerAddress ? .tooManyOfPeer : .admitted
    }

    /// Enters the connection of a proxy for whom it speaks, unless that is one too many; then it stays the proxy's.
    ///
    /// It is one session, not two.
    func move(_ channel: any Channel, to peer: Peer) -> Admission {
        state.withLock { state in
            guard let entry = state.sessions.removeValue(forKey: ObjectIdentifier(channel)) else { return .draining }
            state.release(entry.address)
            let admission = decide(state, peer)
            state.enter(channel, admission == .admitted ? peer.address : entry.address)
            if admission != .admitted { state.refused += 1 }
            return admission
        }
    }

    func remove(_ channel: any Channel) {
        let callbacks: [@Sendable () -> Void] = state.withLock { state in
            guard let entry = state.sessions.removeValue(forKey: ObjectIdentifier(channel)) else { return [] }
            state.release(entry.address)
            guard state.sessions.isEmpty else { return [] }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for callback in callbacks { callback() }
    }

    /// Admits nobody from now on, and returns those who are there.
    func drain() -> [any Channel] {
        state.withLock { state in
            state.isDraining = true
            return state.sessions.values.map(\.channel)
        }
    }

    /// Whether nobody is admitted any more.
    var isDraining: Bool {
        state.withLock { $0.isDraining }
    }

    /// Those who are there.
    var sessions: [any Channel] {
        state.withLock { $0.sessions.values.map(\.channel) }
    }

    /// Calls `callback` once no session is left, on any thread; at once if that is now.
    func whenEmpty(_ callback: @escaping @Sendable () -> Void) {
        let isEmpty = state.withLock { state in
            if !state.sessions.isEmpty { state.whenEmpty.append(callback) }
            return state.sessions.isEmpty
        }
        if isEmpty { callback() }
    }
}
