// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
package import DNS
import Logging
import Mail

/// VerifyFilter is in charge of `waxwing verify`: what the signatures of a message are worth, and what became of the
/// message where one fails.
package struct VerifyFilter: Sendable {
    private let configuration: Configuration
    private let resolver: (any Resolver)?

    /// - Parameter resolver: nil asks the servers of the configuration.
    package init(_ configuration: Configuration, resolver: (any Resolver)? = nil) {
        self.configuration = configuration
        self.resolver = resolver
    }

    /// - Parameters:
    ///   - original: the message as it was signed, if it is at hand: then a failure names what differs.
    ///   - keyFile: key records instead of DNS, a line each: name, white space, record.
    /// - Throws: `FilterError`.
    package func verify(
        _ bytes: [UInt8], original: [UInt8]? = nil, keyFile: String? = nil
    ) async throws(FilterError) -> VerifyDocument {
        let message = MessageText(verifying: bytes).wire
        let names = DKIM.Verifier.keyRecordNames(in: message)
        var answers: [String: KeyRecordAnswer] = [:]
        var resolver: (any Resolver)?
        if let keyFile {
            answers = try KeyFile.records(in: keyFile)
        } else if !names.isEmpty {
            let asked: any Resolver = if let own = self.resolver { own } else { try configuredResolver() }
            for name in names { answers[name.lowercased()] = await VerifyFilter.ask(asked, name) }
            resolver = asked
        }
        let verifier = DKIM.Verifier(now: WallClock.system.now().seconds) { [answers] name in
            answers[name.lowercased()] ?? .none
        }
        let verifications = verifier.verify(message, original: original.map { MessageText(verifying: $0).wire })
        return await document(verifications, message, resolver)
    }

    private func document(
        _ verifications: [Verification], _ message: [UInt8], _ resolver: (any Resolver)?
    ) async -> VerifyDocument {
        var signatures = verifications.map { SignatureDocument($0) }
        var document = VerifyDocument(
            outcome: .bad, result: DKIM.Verifier.overall(verifications).rawValue, signatures: [])
        switch Alignment.author(of: message) {
        case .failure(let error): document.authorProblem = error.text
        case .success(let author):
            document.author = author.name
            var alignment = Alignment(author: author, resolver: resolver)
            for index in signatures.indices {
                guard let sdid = signatures[index].domain else { continue }
                signatures[index].alignment = await alignment.of(sdid: sdid)
            }
        }
        document.signatures = signatures
        document.outcome = VerifyFilter.outcome(signatures)
        return document
    }

    /// One signature that passes and is aligned is enough, whatever the others are (RFC 6376 §6.1, RFC 9989 §4.4).
    private static func outcome(_ signatures: [SignatureDocument]) -> VerifyDocument.Outcome {
        func isResult(_ signature: SignatureDocument, _ result: VerificationResult) -> Bool {
            signature.result == result.rawValue
        }
        if signatures.contains(where: { isResult($0, .pass) && $0.alignment?.isAligned == true }) { return .good }
        let isOpen = signatures.contains { signature in
            isResult(signature, .temperror) && signature.alignment.map { $0.mode != .none } == true
                || isResult(signature, .pass) && signature.alignment?.mode == .unknown
        }
        return isOpen ? .unknown : .bad
    }

    private func configuredResolver() throws(FilterError) -> any Resolver {
        let logger = Logger(label: "waxwing", factory: { _ in SwiftLogNoOpLogHandler() })
        do throws(DNSError) {
            return try UnboundResolver(configuration.resolver, logger: logger)
        } catch {
            throw FilterError(text: "the DNS resolver does not start: \(error.text); check [dns], or give --keys")
        }
    }

    private static func ask(_ resolver: any Resolver, _ name: String) async -> KeyRecordAnswer {
        do throws(DNSError) {
            switch try await resolver.txt(name) {
            case .records(let records): return .texts(records.map { String(decoding: $0, as: UTF8.self) })
            case .noData, .nameError: return .none
            }
        } catch {
            switch error {
            case .temporary(let text): return .temporaryFailure("the key record at \(name) can't be had now: \(text)")
            case .nameError, .noData: return .none
            }
        }
    }
}
