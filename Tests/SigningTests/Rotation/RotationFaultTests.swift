// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import Signing

/// Whole lives of keys on a disk that fails at one step after the other.
@Suite struct RotationFaultTests {
    /// From the first key to the removal of the one that took its place, which a third one follows.
    ///
    /// - Returns: whether every step got through.
    private static func live(_ world: RotationWorld, _ rotator: Rotator) async -> Bool {
        var isWhole = true
        for pause in [0, 60, 8000, 60, 20 * 86_400, 60, 40 * 86_400, 60, 86_400] as [Int64] {
            world.pass(pause)
            let wanted: Set<KeyAlgorithm> =
                pause == 0 || pause == 60 && world.now == noon.seconds + 60 ? [.ed25519] : []
            do {
                let result = try await rotator.advance(domain, wanted: wanted, by: "tester", isAsked: true)
                if result.problem != nil { isWhole = false }
            } catch {
                isWhole = false
            }
            let active = (try? world.keys().filter { $0.state == .active }) ?? []
            for key in active {
                // The invariant, at every moment.
                #expect(key.history.contains { $0.to == .published })
            }
        }
        return isWhole
    }

    @Test func aLifeThatIsCutOffAtAnyStepOfWritingEndsLikeOneThatIsNot() async throws {
        let whole = try RotationWorld()
        defer { whole.scratch.remove() }
        let count = Mutex(0)
        let isWhole = await Self.live(whole, whole.rotator { (_, _) throws(KeyError) in count.withLock { $0 += 1 } })
        #expect(isWhole)
        let expected = try whole.states()
        #expect(expected == [.removed, .active], "the undisturbed life")
        let steps = count.withLock { $0 }
        #expect(steps > 50)
        for number in 1...steps {
            let world = try RotationWorld()
            defer { world.scratch.remove() }
            let left = Mutex(number)
            _ = await Self.live(
                world,
                world.rotator { (step, path) throws(KeyError) in
                    let fails = left.withLock { left in
                        left -= 1
                        return left == 0
                    }
                    if fails { throw KeyError("\(step.rawValue) failed at \(path)") }
                })
            // What was cut off is made up for by later runs.
            for _ in 0..<12 {
                let states = try world.states()
                if states.last == .active, states.dropLast().allSatisfy({ $0 == .removed }) { break }
                world.pass(20 * 86_400)
                let result = try await world.rotator().advance(domain, by: "tester", isAsked: true)
                #expect(result.problem == nil, "step \(number): \(result.problem?.text ?? "")")
            }
            let states = try world.states()
            #expect(states.last == .active && states.filter { $0 == .active }.count == 1, "step \(number): \(states)")
            #expect(states.dropLast().allSatisfy { $0 == .removed }, "step \(number): \(states)")
            let selectors = try world.keys().map(\.selector)
            #expect(Set(selectors).count == selectors.count)
        }
    }

    @Test func anActivationThatIsCutOffBetweenItsTwoWritesIsFinishedByTheNextRun() async throws {
        let world = try RotationWorld()
        defer { world.scratch.remove() }
        let rotator = world.rotator()
        _ = try await rotator.advance(domain, wanted: [.ed25519], by: "tester", isAsked: true)
        world.pass(60)
        _ = try await rotator.advance(domain, wanted: [.ed25519], by: "tester", isAsked: true)
        let first = try #require(try world.keys().first { $0.state == .active })
        let second = try #require(try world.keys().first { $0.state != .active })
        world.pass(8000)
        let cut = world.rotator { (step, path) throws(KeyError) in
            guard step == .createFile, path.contains(first.selector) else { return }
            if (try? world.key(second.selector).state) == .active { throw KeyError("cut off") }
        }
        _ = try await cut.advance(domain, by: "tester", isAsked: true)
        #expect(try world.keys().map(\.state) == [.active, .active])
        // The clock may have been set back since: which one is the new one does not depend on it.
        world.pass(-30 * 86_400)
        _ = try await world.rotator().advance(domain, by: "tester", isAsked: true)
        #expect(try world.key(first.selector).state == .retiring)
        #expect(try world.key(second.selector).state == .active)
    }

    @Test func twoRunsOfADomainExcludeEachOther() async throws {
        let world = try RotationWorld()
        defer { world.scratch.remove() }
        let rotator = world.rotator()
        let lock = try #require(try rotator.store.rotationLock(of: domain))
        #expect(try await world.rotator().tend(domain) == nil)
        withExtendedLifetime(lock) {}
    }
}
