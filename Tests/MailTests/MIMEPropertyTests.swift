// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Renditions of random messages")
struct MIMEPropertyTests {
    @Test("the rendition decodes to the same parts, keeps to its goal, and does not depend on how it is read")
    func randomMessages() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var changed = 0
        for index in 0..<150 {
            var generator = MIMEGenerator(seed: seed &+ UInt64(index))
            let original = SampleMessage(octets: generator.message())
            for goal in [RenditionGoal.shortLines, .sevenBit] {
                let name = "seed \(seed &+ UInt64(index)), \(goal)"
                guard try check(original, goal, &generator, name: name) else { return }
                if try original.rendition(goal) != original { changed += 1 }
            }
        }
        // The generator has to reach what it is for.
        #expect(changed > 75)
    }

    /// False if the rest is not worth looking at.
    private func check(
        _ original: SampleMessage, _ goal: RenditionGoal, _ generator: inout MIMEGenerator, name: String
    ) throws -> Bool {
        let rendition: SampleMessage
        do {
            rendition = try original.rendition(goal)
        } catch let error as RenditionError {
            Issue.record("\(name): \(error.text)\n\(original)")
            return false
        }
        let expected = MIMEDecoder.leaves(of: original.octets)
        let found = MIMEDecoder.leaves(of: rendition.octets)
        let isSame =
            expected.count == found.count
            && zip(expected, found).allSatisfy { $0.path == $1.path && $0.content == $1.content }
        let longest = MIMEDecoder.lines(of: rendition.octets).map(\.count).max() ?? 0
        let isFit = longest <= 1000 && (goal == .shortLines || rendition.octets.allSatisfy { $0 < 128 })
        guard isSame, isFit else {
            let difference = zip(expected, found).first { $0.path != $1.path || $0.content != $1.content }
            let what = difference.map { "\($0.0)\n\($0.1)" } ?? "\(expected.count) leaves, \(found.count) leaves"
            Issue.record("\(name): same \(isSame), longest line \(longest)\n\(what)\n\(original)\n=>\n\(rendition)")
            return false
        }
        #expect(try rendition.rendition(goal) == rendition, "\(name): a rendition has nothing left to change")
        for _ in 0..<3 {
            let cuts = (0..<generator.number(0...40)).map { _ in generator.number(0...original.body.count) }.sorted()
            let again = try original.rendition(goal, planCuts: cuts, encodeCuts: cuts)
            #expect(again == rendition, "\(name): cut at \(cuts)")
        }
        return true
    }

    @Test("octets that are no message at all neither stop the plan nor break the goal")
    func noise() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "--b", "--b--", "\r\n", "\r\n", "\r", "\n", " ", "\t", "Content-Type: ", "multipart/mixed; boundary=b",
            "message/rfc822", "multipart/digest; boundary=\"b\"", "text/plain", "Content-Transfer-Encoding: base64\r\n",
            "\u{fc}", "=", "--", "From x\r\n", ":", "\"", "(", "multipart/signed; boundary=b", "message/global",
            String(repeating: "y", count: 999), ";", "Content-Disposition: a; b=\u{fc}\r\n", "\r\n\r\n",
        ].map { Array($0.utf8) }
        for _ in 0..<1000 {
            func octets(_ count: Int) -> [UInt8] {
                (0..<count).flatMap { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }
            }
            let type = ["", "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: message/rfc822\r\n"]
            let sample = SampleMessage(
                headerSection: Array(type[Int.random(in: 0..<3, using: &random)].utf8), body: octets(20))
            for goal in [RenditionGoal.shortLines, .sevenBit] {
                let whole = Result { try sample.rendition(goal) }
                let cuts = Array(0..<sample.body.count)
                let cut = Result { try sample.rendition(goal, planCuts: cuts, encodeCuts: cuts) }
                switch (whole, cut) {
                case (.success(let first), .success(let second)):
                    let isFit =
                        MIMEDecoder.lines(of: first.octets).allSatisfy { $0.count <= 1000 }
                        && (goal == .shortLines || first.octets.allSatisfy { $0 < 128 })
                    guard first == second, isFit else {
                        Issue.record("seed \(seed): \(goal), fit \(isFit)\n\(sample)\n=>\n\(first)\n=>\n\(second)")
                        return
                    }
                case (.failure(let first), .failure(let second)):
                    #expect(first as? RenditionError == second as? RenditionError, "seed \(seed)")
                default:
                    Issue.record("seed \(seed): whole \(whole), in single octets \(cut)\n\(sample)")
                }
            }
        }
    }
}
