// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import NIOCore
import Spooling
import Synchronization
import Testing

@testable import Forwarding

@Suite struct SiteTests {
    private static let fault = Outcome.deferred(
        Diagnostic(status: EnhancedStatusCode(4, 4, 1), text: "down", owner: .network))

    /// A site whose connection attempts are only counted.
    private func site(_ connections: Int, _ attempts: Attempts, backOff: TimeAmount = .minutes(5)) -> Site {
        Site(
            route: Bench.smarthost(25, connections: connections), target: .smarthost(host: "127.0.0.1", port: 25),
            maximumBackOff: backOff, connect: { _ in attempts.count.withLock { $0 += 1 } })
    }

    private final class Attempts: Sendable {
        let count = Mutex(0)
        let settled = Mutex<[Outcome]>([])
        let released = Mutex(0)

        var made: Int { count.withLock { $0 } }
    }

    private func delivery(_ attempts: Attempts) -> Delivery {
        let claimed = Bench([]).message(to: ["b@example.net"])
        let message = MessageInFlight(claimed) { _, report in
            attempts.settled.withLock { $0 += report.settled.map(\.outcome) }
            if report.settled.isEmpty { attempts.released.withLock { $0 += 1 } }
        }
        return Delivery(
            message: message, positions: [0],
            content: SignedContent(
                nextHop: NextHop(kind: .smarthost, host: "127.0.0.1"), front: [], rest: .stored(from: 0), length: nil,
                isEightBit: false))
    }

    @Test("a connection is opened for each delivery that waits, up to the limit")
    func limit() {
        let attempts = Attempts()
        let site = site(3, attempts)
        for expected in [1, 2, 3, 3, 3] {
            site.submit(delivery(attempts))
            #expect(attempts.made == expected)
        }
    }

    @Test("after a failure the site is left alone, longer each time, then tried with one connection")
    func backOff() {
        let attempts = Attempts()
        let site = site(20, attempts, backOff: .seconds(10))
        var now = NIODeadline.now()
        for seconds in [1, 2, 4, 8, 10, 10] as [Int64] {
            let before = attempts.made
            for _ in 0..<5 { site.submit(delivery(attempts), now: now) }
            // The first time nothing is known of the site.
            let opened = attempts.made - before
            #expect(opened == (before == 0 ? 5 : 1))
            for _ in 0..<opened { site.connectFailed(SiteTests.fault, now: now) }
            #expect(site.isBackingOff(now + .seconds(seconds) - .milliseconds(1)))
            now = now + .seconds(seconds)
            #expect(!site.isBackingOff(now))
        }
        #expect(attempts.settled.withLock { $0 } == Array(repeating: SiteTests.fault, count: 30))
    }

    @Test("while it is left alone a site takes nothing")
    func refused() {
        let attempts = Attempts()
        let site = site(20, attempts)
        let now = NIODeadline.now()
        site.submit(delivery(attempts), now: now)
        site.connectFailed(SiteTests.fault, now: now)
        site.submit(delivery(attempts), now: now)
        #expect(attempts.made == 1)
        #expect(attempts.settled.withLock { $0.count } == 2)
    }

    @Test("a site that is stopped gives back what waits and takes nothing more")
    func stopped() {
        let attempts = Attempts()
        let site = site(1, attempts)
        for _ in 0..<5 { site.submit(delivery(attempts)) }
        site.stop()
        site.submit(delivery(attempts))
        #expect(attempts.released.withLock { $0 } == 6)
        #expect(attempts.settled.withLock { $0.isEmpty })
        #expect(attempts.made == 1)
    }

    @Test("a site that is too slow defers the later half of what waits, and goes on with the rest")
    func shed() {
        let attempts = Attempts()
        let site = site(1, attempts)
        let other = self.site(1, attempts)
        for _ in 0..<7 { site.submit(delivery(attempts)) }
        other.submit(delivery(attempts))
        site.shed()
        #expect(site.waitingCount == 3)
        #expect(attempts.settled.withLock { $0 } == Array(repeating: .deferred(Site.tooSlow), count: 4))
        for _ in 0..<3 { site.shed() }
        #expect(site.waitingCount == 0)
        #expect(attempts.settled.withLock { $0.count } == 7)
    }

    @Test("the budget is stuck when it has no room and nothing was taken for a while")
    func stuck() {
        let budget = InFlightBudget(ForwardingLimits(messagesInFlight: 2))
        let message = Bench([]).message(to: ["b@example.net"])
        #expect(!budget.isStuck())
        #expect(!budget.isStuck())
        budget.take(message)
        budget.take(message)
        #expect(!budget.isStuck())
        #expect(budget.isStuck())
        budget.giveBack(message)
        #expect(!budget.isStuck())
        budget.take(message)
        #expect(!budget.isStuck())
        #expect(budget.isStuck())
    }

    @Test("the budget counts recipients, and the memory that messages take besides their content")
    func budgetShares() async {
        let budget = InFlightBudget(
            ForwardingLimits(messagesInFlight: 100, octetsInFlight: 1000, recipientsInFlight: 80))
        let message = Bench([]).message(
            to: (0..<60).map { "r\($0)@example.net" }, content: .inline(Array(repeating: 0, count: 100)))
        #expect(await budget.room() == InFlightBudget.Share(messages: 100, octets: 1000, recipients: 80))
        budget.take(message)
        #expect(await budget.room() == InFlightBudget.Share(messages: 99, octets: 900, recipients: 20))
        let flight = MessageInFlight(message, budget: budget) { _, _ in }
        flight.hold(octets: 300)
        flight.hold(octets: 50)
        #expect(flight.extraOctets == 350)
        #expect(await budget.room()?.octets == 550)
        budget.take(message)
        // More recipients than there should be: nothing is claimed until the first are done.
        #expect(!budget.isStuck())
        #expect(budget.isStuck())
        budget.giveBack(message)
        budget.giveBack(message, extraOctets: flight.extraOctets)
        #expect(await budget.room() == InFlightBudget.Share(messages: 100, octets: 1000, recipients: 80))
    }

    @Test("a site lacks 8BITMIME when no address that was greeted offered it; the latest greeting counts")
    func eightBit() throws {
        let site = site(1, Attempts())
        func address(_ last: Int) throws -> NextHopAddress {
            NextHopAddress(host: "mx.test", address: try #require(IPAddress("192.0.2.\(last)")), port: 25)
        }
        #expect(!site.lacksEightBit && !site.hasEightBit)
        site.learn(try address(1), offersEightBit: false)
        #expect(site.lacksEightBit && !site.hasEightBit)
        site.learn(try address(2), offersEightBit: true)
        #expect(!site.lacksEightBit && site.hasEightBit)
        site.learn(try address(2), offersEightBit: false)
        #expect(site.lacksEightBit && !site.hasEightBit)
        // However many addresses a site shows, they are not remembered without end.
        for last in 0..<200 { site.learn(try address(last), offersEightBit: true) }
        #expect(site.hasEightBit)
        #expect(site.state.withLock { $0.offersEightBit.count } <= 64)
    }

    @Test("the queue keeps its order through any mixture of putting in, taking out and putting back")
    func queue() {
        let seed = UInt64.random(in: .min ... .max)
        let random = SeededNumbers(seed: seed).randomness
        let attempts = Attempts()
        var queue = DeliveryQueue()
        var model: [Delivery] = []
        for _ in 0..<5000 {
            switch random.next() % 5 {
            case 0, 1:
                let new = delivery(attempts)
                queue.append(new)
                model.append(new)
            case 2, 3:
                let taken = queue.popFirst()
                #expect(taken?.message === (model.isEmpty ? nil : model.removeFirst().message), "seed \(seed)")
            default:
                let back = delivery(attempts)
                queue.putBack(back)
                model.insert(back, at: 0)
            }
            #expect(queue.count == model.count, "seed \(seed)")
        }
        #expect(queue.removeAll().map { ObjectIdentifier($0.message) } == model.map { ObjectIdentifier($0.message) })
        #expect(queue.isEmpty)
    }

    @Test("the directory has one site for a route and its next hops, and forgets those without work")
    func directory() throws {
        let directory = SiteDirectory(maximumBackOff: .minutes(5)) { _ in }
        let route = Route(name: "internet", target: .mx(port: 25))
        let domain = try #require(Domain("example.net"))
        let first = directory.learn(route, domain, hosts: [.init(preference: 1, host: "mx.test")], port: 25)
        #expect(directory.site(route, .mx(hosts: [.init(preference: 1, host: "mx.test")], port: 25)) === first)
        #expect(directory.knownSite(route, domain) === first)
        #expect(directory.knownSite(route, domain, now: .now() + .seconds(31)) == nil)
        #expect(directory.knownSite(Bench.smarthost(25), domain) == nil)
        for number in 0..<5000 {
            _ = directory.site(route, .mx(hosts: [.init(preference: 1, host: "mx\(number).test")], port: 25))
        }
        #expect(directory.knownSite(route, domain) === first)
        #expect(directory.siteCount <= 1001)
    }
}
