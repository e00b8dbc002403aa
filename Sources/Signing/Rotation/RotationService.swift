// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Logging
package import Mail
internal import ServiceLifecycle
internal import Synchronization

/// RotationService is in charge of what keys do by themselves while the relay runs: rotations go on, records are
/// watched, keys that nobody needs any more are revoked and removed.
package final class RotationService: Service {
    /// Domains that are worked on at once.
    private static let width = 8
    /// After a run that another process kept us from, or that failed on our side; then twice as long each time.
    private static let retrySeconds: Int64 = 5
    private static let longestRetrySeconds: Int64 = 3600

    private let rotator: Rotator
    private let logger: Logger
    /// When each domain is due, in seconds since the Unix epoch; a domain without anything to do is not in it.
    private let due = Mutex<[Domain: Int64]>([:])
    private let conditions = Mutex<[Domain: Condition]>([:])
    private let reviewed: @Sendable (_ drifted: Int) -> Void
    /// The domains that are worked on now.
    private let inHand = Mutex<Set<Domain>>([])
    /// What last went wrong on our side, and how often in a row.
    private let failures = Mutex<[Domain: (text: String, count: Int)]>([:])

    /// What is to be told of the keys of a domain.
    private struct Condition: Sendable {
        var isRotating: Bool
        /// The names of records that mail depends on and that the DNS did not show when they were looked at last.
        var drifted: [String]
    }

    /// - Parameter reviewed: told how many records have drifted whenever keys were looked over.
    package init(
        rotator: Rotator, logger: Logger, reviewed: @escaping @Sendable (_ drifted: Int) -> Void = { _ in }
    ) {
        self.rotator = rotator
        self.logger = logger
        self.reviewed = reviewed
    }

    /// How many domains have a rotation under way.
    package var rotatingDomains: Int { conditions.withLock { $0.values.count(where: \.isRotating) } }

    /// The names of records that mail depends on and that the DNS did not show when they were looked at last.
    package var driftedRecords: [String] { conditions.withLock { $0.values.flatMap(\.drifted).sorted() } }

    private var driftedCount: Int { conditions.withLock { $0.values.reduce(0) { $0 + $1.drifted.count } } }

    package func run() async throws {
        reconsiderAll()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    // A domain whose name servers or hook take their time holds up no other.
                    for domain in self.takeReady() { group.addTask { await self.work(on: domain) } }
                    // A second is nothing to a key, and no clock that was set is missed for long.
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    /// The keys of a domain, or what is wanted of them, have changed.
    package func reconsider(_ domain: Domain) {
        review(domain)
        reviewed(driftedCount)
    }

    private func review(_ domain: Domain) {
        do throws(KeyError) {
            let plans = try rotator.plans(domain)
            let next = plans.compactMap { $0.nextDue() }.min()
            due.withLock { $0[domain] = next }
            let condition = Condition(
                isRotating: plans.contains { $0.successor != nil || $0.needsReplacement },
                drifted: plans.flatMap(\.keys).filter(\.isDriftedInUse).map(\.recordName))
            conditions.withLock { $0[domain] = condition }
        } catch {
            note(error, of: domain)
        }
    }

    /// The settings, or any keys, have changed.
    package func reconsiderAll() {
        do throws(KeyError) {
            let domains = try rotator.store.domains()
            let known = Set(domains)
            due.withLock { due in due = due.filter { known.contains($0.key) } }
            conditions.withLock { conditions in conditions = conditions.filter { known.contains($0.key) } }
            for domain in domains { review(domain) }
            reviewed(driftedCount)
        } catch {
            logger.error("keys can't be watched", metadata: ["error": "\(error)"])
        }
    }

    private func later(_ domain: Domain, pause: Int64 = retrySeconds) {
        let now = rotator.clock.now().seconds
        due.withLock { $0[domain] = now + pause }
    }

    /// Told once, and tried less and less often.
    private func note(_ problem: KeyError, of domain: Domain) {
        let (isNew, count) = failures.withLock { failures in
            let before = failures[domain]
            let count = before.map { $0.text == problem.text ? $0.count + 1 : 0 } ?? 0
            failures[domain] = (problem.text, count)
            return (before?.text != problem.text, count)
        }
        if isNew {
            logger.error(
                "keys could not be looked after", metadata: ["domain": "\(domain)", "error": "\(problem)"])
        }
        later(domain, pause: min(Self.longestRetrySeconds, Self.retrySeconds << Int64(min(count, 20))))
    }

    /// The domains that are due and that somebody is free for.
    private func takeReady() -> [Domain] {
        let now = rotator.clock.now().seconds
        let ready = due.withLock { due in due.filter { $0.value <= now }.map(\.key).sorted() }
        return inHand.withLock { inHand in
            let taken = ready.filter { !inHand.contains($0) }.prefix(Self.width - inHand.count)
            inHand.formUnion(taken)
            return Array(taken)
        }
    }

    private func work(on domain: Domain) async {
        defer { inHand.withLock { _ = $0.remove(domain) } }
        guard !Task.isCancelled else { return }
        do throws(KeyError) {
            // Whoever is at it has the domain considered again when done.
            guard let result = try await rotator.tend(domain) else { return later(domain) }
            for line in result.done { logger.notice("keys: \(line)", metadata: ["domain": "\(domain)"]) }
            if let problem = result.problem { throw problem }
            failures.withLock { $0[domain] = nil }
            reconsider(domain)
        } catch {
            note(error, of: domain)
        }
    }
}
