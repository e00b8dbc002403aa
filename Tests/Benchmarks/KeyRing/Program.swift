// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Logging
import Mail
import Signing
import Synchronization

/// What many domains cost: loading their keys, the memory, and how fast mail is signed beside mail of one domain.
///
///     KeyRingBenchmark make DIRECTORY [DOMAINS]
///     KeyRingBenchmark measure DIRECTORY [DOMAINS]
///
/// Two runs, so that making keys leaves no trace in the memory that is measured. Status 1 if a figure is not what it
/// has to be.
@main enum Program {
    private static let longestLoad = 3.0
    private static let mostMemory = 60.0
    private static let leastThroughput = 0.9

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let count = Int(arguments.count > 3 ? arguments[3] : "1000"), count > 0 else {
            print("usage: KeyRingBenchmark make|measure DIRECTORY [DOMAINS]")
            exit(2)
        }
        let directory = KeyDirectory(path: arguments[2], count: count)
        if arguments[1] == "make" { return try directory.make() }
        exit(try measure(directory) ? 0 : 1)
    }

    private static func measure(_ directory: KeyDirectory) throws -> Bool {
        let logger = Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() })
        let empty = KeyRing(store: KeyStore(directory: directory.path + "/nothing"), logger: logger)
        let before = residentMiB()
        let busyBefore = clock()
        let (ring, load) = timed { KeyRing(store: KeyStore(directory: directory.path), logger: logger) }
        let busy = Double(clock() - busyBefore) / Double(CLOCKS_PER_SEC)
        let memory = residentMiB() - before
        withExtendedLifetime(empty) {}
        precondition(ring.signableDomains == directory.domains.count, "run `make` first")
        print(
            "load of \(directory.domains.count) domains: \(rounded(load)) s, \(rounded(busy)) s of all cores together, "
                + "\(rounded(memory)) MiB")
        print("reload of all, unchanged: \(rounded(timed { ring.reload() }.time)) s")
        let one = directory.domains[0]
        print("reload of one domain, unchanged: \(rounded(timed { ring.reload(one) }.time * 1000)) ms")

        let signer = Signer(ring: ring, clock: WallClock { Timestamp(seconds: 1_795_435_200) }, events: { _ in })
        var isGood = load < longestLoad && memory < mostMemory
        var ed25519 = SigningPolicies()
        for domain in directory.domains { ed25519.domains[domain, default: SigningPolicy()].algorithms = [.ed25519] }
        let cases = [
            ("RSA", SigningPolicies(), NextHop(kind: .smarthost, host: "smtp.example.net"), 60),
            ("RSA and Ed25519", SigningPolicies(), NextHop(kind: .mx, host: "example.net"), 50),
            ("Ed25519", ed25519, NextHop(kind: .mx, host: "example.net"), 250),
        ]
        for (name, policies, nextHop, messages) in cases {
            ring.reload(policies: policies)
            for threads in [1, ProcessInfo.processInfo.activeProcessorCount] {
                let work = Throughput(signer: signer, nextHop: nextHop, threads: threads, messages: messages)
                isGood = try compare(work, name, ring, directory.domains) && isGood
            }
        }
        return isGood
    }

    /// Rounds are short and alternate, and each kind has its best: whatever else runs only ever makes a round slower.
    private static func compare(
        _ given: Throughput, _ name: String, _ ring: KeyRing, _ domains: [Domain]
    ) throws -> Bool {
        let rounds = 60
        var work = given
        var (one, all, rotating) = (0.0, 0.0, 0.0)
        _ = try work.run(over: domains)
        for _ in 0..<rounds {
            one = max(one, try work.run(over: [domains[0]]))
            all = max(all, try work.run(over: domains))
            rotating = max(rotating, try whileReloading(ring, domains) { try work.run(over: domains) })
        }
        print(
            "\(name), \(work.threads) threads: one domain \(Int(one))/s; \(domains.count) domains \(Int(all))/s, ratio "
                + "\(rounded(all / one)); reloading one every 20 ms \(Int(rotating))/s, ratio \(rounded(rotating / one))"
        )
        return min(all, rotating) / one >= leastThroughput
    }

    /// Far more often than domains rotate.
    private static func whileReloading<Result>(
        _ ring: KeyRing, _ domains: [Domain], _ body: () throws -> Result
    ) rethrows -> Result {
        let end = End()
        let thread = Thread {
            for domain in domains {
                if end.isReached.load(ordering: .relaxed) { break }
                ring.reload(domain)
                Thread.sleep(forTimeInterval: 0.02)
            }
            end.isOver.signal()
        }
        thread.start()
        defer {
            end.isReached.store(true, ordering: .relaxed)
            end.isOver.wait()
        }
        return try body()
    }

    private final class End: Sendable {
        let isReached = Atomic(false)
        let isOver = DispatchSemaphore(value: 0)
    }

    private static func timed<Result>(_ body: () -> Result) -> (result: Result, time: Double) {
        let clock = ContinuousClock()
        let start = clock.now
        let result = body()
        return (result, (clock.now - start).asSeconds)
    }

    private static func residentMiB() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Double(line.split(whereSeparator: { $0.isWhitespace }).dropFirst().first ?? "").map { $0 / 1024 } ?? .nan
    }

    private static func rounded(_ value: Double) -> String { String(format: "%.2f", value) }
}
