// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import DNS
import Logging
import Mail

/// VerifyFilter is in charge of `waxwing verify`: what the signatures of a message are worth, a line each.
package struct VerifyFilter: Sendable {
    /// What was found.
    package struct Report: Hashable, Sendable {
        /// At least one signature passes.
        package var isPass: Bool
        package var lines: [String]
    }

    private let configuration: Configuration

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// - Parameters:
    ///   - original: the message as it was signed, if it is at hand: then a failure names what differs.
    ///   - keyFile: key records instead of DNS, a line each: name, white space, record.
    package func verify(_ bytes: [UInt8], original: [UInt8]? = nil, keyFile: String? = nil) async throws -> Report {
        let message = MessageText(bytes).wire
        let answers: [String: KeyRecordAnswer]
        if let keyFile {
            answers = try VerifyFilter.records(in: keyFile)
        } else {
            answers = try await ask(for: DKIM.Verifier.keyRecordNames(in: message))
        }
        let verifier = DKIM.Verifier(now: WallClock.system.now().seconds) { name in answers[name.lowercased()] ?? .none
        }
        let verifications = verifier.verify(message, original: original.map { MessageText($0).wire })
        let lines = verifications.map { verification in
            var line = verification.result.rawValue
            if let signature = verification.signature {
                line += " d=\(signature.sdid) s=\(signature.selector) a=\(signature.algorithmName)"
            }
            return line + (verification.reason.isEmpty ? "" : ": " + verification.reason)
        }
        return Report(
            isPass: DKIM.Verifier.overall(verifications) == .pass,
            lines: lines.isEmpty ? ["none: the message has no DKIM-Signature field"] : lines)
    }

    /// Names in lower case to their records; a name may stand in more than one line.
    static func records(in text: String) throws(FilterError) -> [String: KeyRecordAnswer] {
        var records: [String: [String]] = [:]
        // CR and LF together are one Character of Swift's.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            let parts = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
            guard parts.count == 2, let name = Domain(parts[0]) else {
                throw FilterError(
                    text: "line \(index + 1) of the key file is not a name, white space and a key record")
            }
            records[name.name, default: []].append(String(parts[1].drop { $0 == " " || $0 == "\t" }))
        }
        return records.mapValues { .texts($0) }
    }

    private func ask(for names: [String]) async throws -> [String: KeyRecordAnswer] {
        if names.isEmpty { return [:] }
        let logger = Logger(label: "waxwing", factory: { _ in SwiftLogNoOpLogHandler() })
        let resolver = try UnboundResolver(configuration.resolver, logger: logger)
        var answers: [String: KeyRecordAnswer] = [:]
        for name in names {
            do throws(DNSError) {
                switch try await resolver.txt(name) {
                case .records(let records):
                    answers[name.lowercased()] = .texts(records.map { String(decoding: $0, as: UTF8.self) })
                case .noData, .nameError:
                    answers[name.lowercased()] = KeyRecordAnswer.none
                }
            } catch {
                switch error {
                case .temporary(let text): answers[name.lowercased()] = .temporaryFailure(text)
                case .nameError, .noData: answers[name.lowercased()] = KeyRecordAnswer.none
                }
            }
        }
        return answers
    }
}
