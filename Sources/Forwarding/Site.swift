// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail
internal import NIOCore
internal import Synchronization

/// Where the connections of a site lead.
enum SiteTarget: Hashable, Sendable {
    case smarthost(host: String, port: Int)
    /// By preference, then name.
    case mx(hosts: [MXRecord], port: Int)
}

/// `Site` is in charge of one place that mail goes to: the deliveries that wait for it, the connections to it, and the
/// time to leave it alone after it could not be reached.
///
/// Called from every thread; a lock guards the queue, and nothing is done while it is held.
final class Site: Sendable {
    struct State {
        var waiting = DeliveryQueue()
        /// Connections without work; the last one used is taken first, so that the others can grow old.
        var idle: [DeliveryConnection] = []
        var connections: [ObjectIdentifier: DeliveryConnection] = [:]
        var connecting = 0
        /// How many connections the route allows.
        let maximum: Int
        /// How many the next hop seems to grant.
        var window: Int
        /// Connection attempts that failed since the last one that did not.
        var failures = 0
        var backOffEnd: NIODeadline?
        var isStopping = false
        /// By host and address: whether it offered 8BITMIME when it was last greeted.
        var offersEightBit: [NextHopAddress: Bool] = [:]

        var openCount: Int { connections.count + connecting }
    }

    /// What to do about a delivery that was handed in.
    enum OnSubmit {
        case start(DeliveryConnection)
        case connect
        case wait
        /// The site is left alone for now.
        case refused
        case stopping
    }

    /// What a connection without work does next.
    enum OnIdle {
        case deliver(Delivery)
        case keep
        case quit
    }

    let route: Route
    let target: SiteTarget
    let state: Mutex<State>
    /// The longest time that the site is left alone.
    private let maximumBackOff: TimeAmount
    private let connect: @Sendable (Site) -> Void

    /// - Parameter connect: opens a connection, which then calls `adopt`, or `connectFailed`.
    init(
        route: Route, target: SiteTarget, maximumBackOff: TimeAmount, connect: @escaping @Sendable (Site) -> Void
    ) {
        self.route = route
        self.target = target
        self.maximumBackOff = maximumBackOff
        self.connect = connect
        self.state = Mutex(State(maximum: route.maximumConnections, window: route.maximumConnections))
    }

    // MARK: Deliveries

    /// Whether the site is left alone now, so that signing for it would be in vain.
    func isBackingOff(_ now: NIODeadline = .now()) -> Bool {
        state.withLock { $0.isBackingOff(now) }
    }

    func submit(_ delivery: Delivery, isRetry: Bool = false, now: NIODeadline = .now()) {
        let action = state.withLock { $0.submit(delivery, isRetry: isRetry, now) }
        switch action {
        case .start(let connection): connection.start(delivery)
        case .connect: connect(self)
        case .wait: break
        case .refused: delivery.settle(.deferred(Site.leftAlone))
        case .stopping: delivery.giveBack()
        }
    }

    static let leftAlone = Diagnostic(
        status: EnhancedStatusCode(4, 4, 1), text: "the next hop could not be reached a moment ago", owner: .network)

    /// How many deliveries wait for a connection.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Defers the later half of what waits, so that other sites get its place.
    func shed() {
        let deliveries = state.withLock { state in state.waiting.removeLast((state.waiting.count + 1) / 2) }
        for delivery in deliveries { delivery.settle(.deferred(Site.tooSlow)) }
    }

    static let tooSlow = Diagnostic(
        status: EnhancedStatusCode(4, 4, 5), text: "the next hop is too slow for the mail that waits for it",
        owner: .network)

    // MARK: 8BITMIME

    /// More addresses of one site than are remembered at a time.
    private static let manyAddresses = 64

    /// An address of the site was greeted.
    func learn(_ address: NextHopAddress, offersEightBit: Bool) {
        state.withLock { state in
            if state.offersEightBit.count >= Site.manyAddresses { state.offersEightBit = [:] }
            state.offersEightBit[address] = offersEightBit
        }
    }

    /// No address that was greeted offered 8BITMIME (RFC 6152), so that 8-bit content is better encoded at once.
    ///
    /// A guess: another address may offer it, and then gets content that was encoded in vain.
    var lacksEightBit: Bool {
        state.withLock { !$0.offersEightBit.isEmpty && !$0.offersEightBit.values.contains(true) }
    }

    /// Some address of the site takes 8-bit content.
    var hasEightBit: Bool { state.withLock { $0.offersEightBit.values.contains(true) } }

    // MARK: Connections

    /// A new connection is ready for its first transaction.
    func adopt(_ connection: DeliveryConnection) -> OnIdle {
        let (next, wantsConnection) = state.withLock { state in
            state.connecting -= 1
            state.failures = 0
            state.backOffEnd = nil
            state.connections[ObjectIdentifier(connection)] = connection
            let next = state.next(for: connection)
            return (next, state.wantsConnection())
        }
        if wantsConnection { connect(self) }
        return next
    }

    /// A connection has ended its transaction.
    func next(for connection: DeliveryConnection) -> OnIdle {
        state.withLock { $0.next(for: connection) }
    }

    /// An idle connection wants to go; false if it was just given work.
    func retire(_ connection: DeliveryConnection) -> Bool {
        state.withLock { state in
            guard let place = state.idle.lastIndex(where: { $0 === connection }) else { return false }
            state.idle.remove(at: place)
            return true
        }
    }

    /// A connection is closed, or is about to be.
    func remove(_ connection: DeliveryConnection) {
        let wantsConnection = state.withLock { state in
            if let place = state.idle.lastIndex(where: { $0 === connection }) { state.idle.remove(at: place) }
            guard state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return false }
            return state.wantsConnection()
        }
        if wantsConnection { connect(self) }
    }

    /// No address gave a usable connection.
    func connectFailed(_ outcome: Outcome, now: NIODeadline = .now()) {
        let deliveries = state.withLock { state -> [Delivery] in
            state.connecting -= 1
            // Some next hops grant a client only so many connections. As long as others are open, they do the work.
            guard state.connections.isEmpty else {
                state.window = max(1, state.connections.count)
                return []
            }
            guard state.connecting == 0 else { return [] }
            state.failures += 1
            let seconds = Int64(1) << Int64(min(state.failures - 1, 20))
            state.backOffEnd = now + min(.seconds(seconds), maximumBackOff)
            return state.waiting.removeAll()
        }
        for delivery in deliveries { delivery.settle(outcome) }
    }

    // MARK: Shutdown

    /// Gives back what waits and lets the connections end.
    func stop() {
        let (deliveries, idle) = state.withLock { state in
            state.isStopping = true
            let idle = state.idle
            state.idle = []
            return (state.waiting.removeAll(), idle)
        }
        for delivery in deliveries { delivery.giveBack() }
        for connection in idle { connection.quit() }
    }

    /// Closes what is still open.
    func abandon() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.abandon() }
    }

    var connectionCount: Int { state.withLock { $0.openCount } }

    /// Nothing is known of the site that would be missed.
    func isForgettable(_ now: NIODeadline = .now()) -> Bool {
        state.withLock { $0.openCount == 0 && $0.waiting.isEmpty && !$0.isBackingOff(now) }
    }
}

extension Site.State {
    func isBackingOff(_ now: NIODeadline) -> Bool {
        backOffEnd.map { now < $0 } ?? false
    }

    mutating func submit(_ delivery: Delivery, isRetry: Bool, _ now: NIODeadline) -> Site.OnSubmit {
        guard !isStopping else { return .stopping }
        guard !isBackingOff(now) else { return .refused }
        if let connection = idle.popLast() { return .start(connection) }
        if isRetry { waiting.putBack(delivery) } else { waiting.append(delivery) }
        return wantsConnection() ? .connect : .wait
    }

    /// Whether one more connection is to be opened; it counts from here on.
    mutating func wantsConnection() -> Bool {
        // After a failure a single connection finds out whether the next hop is back.
        let limit = failures > 0 ? 1 : min(window, maximum)
        guard !isStopping, connecting < waiting.count, openCount < limit else { return false }
        connecting += 1
        return true
    }

    mutating func next(for connection: DeliveryConnection) -> Site.OnIdle {
        if let delivery = waiting.popFirst() { return .deliver(delivery) }
        guard !isStopping else { return .quit }
        // A quiet moment: the next hop may grant more connections than it did before.
        if idle.isEmpty { window = max(window, connections.count + 1) }
        idle.append(connection)
        return .keep
    }
}

/// First in, first out, without moving elements.
struct DeliveryQueue {
    private var elements: [Delivery?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ delivery: Delivery) {
        elements.append(delivery)
    }

    /// Puts one in front that was taken out too early.
    mutating func putBack(_ delivery: Delivery) {
        if head > 0 {
            head -= 1
            elements[head] = delivery
        } else {
            elements.insert(delivery, at: 0)
        }
    }

    mutating func popFirst() -> Delivery? {
        guard head < elements.count else { return nil }
        let first = elements[head]
        elements[head] = nil
        head += 1
        // Every element is moved at most once for each one taken.
        if head > 32, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }

    /// The last `count` or fewer.
    mutating func removeLast(_ count: Int) -> [Delivery] {
        let last = elements[max(head, elements.count - count)...].compactMap { $0 }
        elements.removeLast(last.count)
        return last
    }

    mutating func removeAll() -> [Delivery] {
        let all = elements[head...].compactMap { $0 }
        elements = []
        head = 0
        return all
    }
}
