// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation
import TestSupport
import Testing

@testable import Relay

@Suite("SPF: check_host() of RFC 7208") struct SPFEvaluationTests {
    /// A question of the data file: which result a host gets in which DNS.
    struct Case: CustomTestStringConvertible, Sendable {
        var title: String
        var table: RecordTable
        var question: String
        var expected: [String]

        var testDescription: String { "\(title): \(question)" }
    }

    /// Sections begin with `==` and a title, and hold records (`RecordTable`) and questions: `?`, the address, the
    /// reverse-path (`-` for none), the name in EHLO, `=`, and the results that are right.
    static func cases(_ path: String) throws -> [Case] {
        var cases: [Case] = []
        for section in try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n== ").dropFirst() {
            let lines = section.split(separator: "\n")
            let table = RecordTable(lines.dropFirst().filter { !$0.hasPrefix("?") }.joined(separator: "\n"))
            for line in lines where line.hasPrefix("? ") {
                let halves = line.dropFirst(2).components(separatedBy: " = ")
                cases.append(
                    Case(
                        title: String(lines[0]), table: table, question: halves[0],
                        expected: halves[1].split(separator: " ").map(String.init)))
            }
        }
        return cases
    }

    /// WAXWING_SPF_CASES names another file of this form.
    static let file =
        ProcessInfo.processInfo.environment["WAXWING_SPF_CASES"]
        ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "spf-cases.txt").path

    static func outcome(_ table: RecordTable, _ question: String) async throws -> SPFOutcome {
        let words = question.split(separator: " ").map(String.init)
        let sender = words[1] == "-" ? "@\(words[2])" : words[1]
        var evaluation = SPFEvaluation(
            table.lookup, address: try #require(IPAddress(words[0])), sender: sender, helo: words[2])
        return await evaluation.check()
    }

    @Test("Each host gets its result", arguments: try cases(file))
    func result(_ item: Case) async throws {
        let outcome = try await Self.outcome(item.table, item.question)
        #expect(item.expected.contains(outcome.result.rawValue), "\(outcome)")
    }
}
