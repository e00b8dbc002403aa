// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Synchronization

/// RateLimiter is in charge of the rates of applications: one token bucket for each rate of each of them.
///
/// A bucket is full at the start and holds what one period brings, so that much may come at once. MAIL takes a message
/// out; recipients and octets are taken when they are known, and may leave a debt that the next message waits for. A
/// transaction that comes to nothing counts all the same. Nothing of it outlives the process.
final class RateLimiter: Sendable {
    private struct Bucket {
        let rate: Rate
        /// In tokens; negative for a debt.
        var level: Double
        /// In nanoseconds.
        var time: UInt64

        init(_ rate: Rate, _ now: UInt64) {
            self.rate = rate
            level = Double(rate.amount)
            time = now
        }

        private var tokensPerNanosecond: Double { Double(rate.amount) / Double(rate.period.rawValue) / 1e9 }

        mutating func refill(_ now: UInt64) {
            guard now > time else { return }
            level = min(Double(rate.amount), level + Double(now - time) * tokensPerNanosecond)
            time = now
        }

        /// Seconds until there is a whole token; nil if there is one.
        var wait: Int? {
            guard level < 1 else { return nil }
            return max(1, Int(((1 - level) / tokensPerNanosecond / 1e9).rounded(.up)))
        }
    }

    private struct State {
        var rates: [String: [Rate]] = [:]
        var buckets: [String: [Bucket]] = [:]
    }

    private let state = Mutex(State())

    /// Rates that stay the same keep their buckets.
    func replace(_ rates: [String: [Rate]]) {
        state.withLock { state in
            state.buckets = state.buckets.filter { rates[$0.key] == state.rates[$0.key] }
            state.rates = rates
        }
    }

    /// Takes one message out; what is said instead, if there is none.
    func admit(_ principal: Principal, now: UInt64) -> IntakeRefusal? {
        guard let name = principal.application else { return nil }
        return change(name, now) { buckets in
            let waits = buckets.compactMap { bucket in bucket.wait.map { (bucket.rate, $0) } }
            guard let longest = waits.max(by: { $0.1 < $1.1 }) else {
                for index in buckets.indices where buckets[index].rate.kind == .messages { buckets[index].level -= 1 }
                return nil
            }
            return .rateExceeded(longest.0, application: name, seconds: longest.1)
        }
    }

    /// Takes recipients or octets out, whether they are there or not.
    func charge(_ principal: Principal, _ kind: Rate.Kind, _ amount: Int, now: UInt64) {
        guard let name = principal.application else { return }
        _ = change(name, now) { buckets in
            for index in buckets.indices where buckets[index].rate.kind == kind {
                buckets[index].level -= Double(amount)
            }
            return nil
        }
    }

    private func change(
        _ name: String, _ now: UInt64, _ body: (inout [Bucket]) -> IntakeRefusal?
    ) -> IntakeRefusal? {
        state.withLock { state in
            guard let rates = state.rates[name], !rates.isEmpty else { return nil }
            var buckets = state.buckets[name] ?? rates.map { Bucket($0, now) }
            for index in buckets.indices { buckets[index].refill(now) }
            defer { state.buckets[name] = buckets }
            return body(&buckets)
        }
    }
}

extension IntakeRefusal {
    /// RFC 3463 §3.8: X.7.1, "delivery not authorized"; for the time being.
    static func rateExceeded(_ rate: Rate, application: String, seconds: Int) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 450, status: EnhancedStatusCode(4, 7, 1),
            lines: [
                "Application \(application) hands in more than its rate of \(rate.amount) \(rate.kind.rawValue) in"
                    + " \(rate.period.rawValue) s allows; try again in \(seconds) s"
            ])
    }
}
