// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM

/// The code of the documentation, compiled with what is public, and run by `DocumentationTests`.
///
/// What stands between `// example` and `// end` is what the articles quote.
enum DocumentationExamples {
    static let now: Int64 = 1_795_500_000

    /// Takes the place of standard output.
    final class Lines {
        var lines: [String] = []
    }

    static func quickStart(_ output: Lines) throws -> (message: [UInt8], key: SigningKey) {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        let key = try SigningKey.generate(.ed25519)
        let headerSection = Array("From: app@example.com\r\nTo: you@example.net\r\nSubject: Hello\r\n".utf8)
        let body = Array("It works.\r\n".utf8)

        let hasher = try BodyHasher(.relaxed)
        hasher.append(body)
        let template = try SignatureTemplate(sdid: "example.com", selector: "s1", key: key)
        let field = try template.sign(
            HeaderFields(headerSection), bodyHash: hasher.finish(), signedAt: now, expiresAt: now + 7 * 86_400)
        let message = field + headerSection + Array("\r\n".utf8) + body

        let records = ["s1._domainkey.example.com": key.keyRecord.text]
        let verifier = Verifier(now: now) { name in records[name].map { .texts([$0]) } ?? .none }
        for verification in verifier.verify(message) {
            print(verification.result, verification.reason)
        }
        // end
        return (message, key)
    }

    static func keyRecord(_ key: SigningKey, _ output: Lines) throws -> SigningKey {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        print("s1._domainkey.example.com", key.keyRecord.text)  // v=DKIM1; k=ed25519; p=…
        let pem = try key.pem()  // store it where only the signer can read it
        let sameKey = try SigningKey(pem: pem)
        // end
        return sameKey
    }

    static func streaming(_ pieces: [[UInt8]]) throws -> [UInt8] {
        // example
        let hasher = try BodyHasher(.relaxed)
        for piece in pieces {
            hasher.append(piece)
        }
        let bodyHash = try hasher.finish()
        // end
        return bodyHash
    }

    static func several(
        _ headerSection: [UInt8], bodyHash: [UInt8], _ rsa: SignatureTemplate, _ ed25519: SignatureTemplate
    ) throws -> [UInt8] {
        // example
        let header = try HeaderFields(headerSection)
        var fields: [UInt8] = []
        for template in [rsa, ed25519] {
            fields += try template.sign(header, bodyHash: bodyHash, signedAt: now, expiresAt: now + 7 * 86_400)
        }
        // end
        return fields
    }

    static func fields() -> [SignedFields] {
        // example
        let forRewritingHop = SignedFields.standard.removing(["Message-ID", "Date"])
        let own = SignedFields(oversigned: ["From", "To", "Subject", "Date"], once: ["References", "List-ID"])
        // end
        return [forRewritingHop, own]
    }

    static func input(_ message: [UInt8], _ output: Lines) throws {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        for input in try SigningInput.all(in: message) {
            print(String(decoding: input.octets, as: UTF8.self))
            print(input.bodyHash == input.signature.bodyHash)
        }
        // end
    }

    static func lookingUp(
        _ message: [UInt8], _ output: Lines, _ lookUp: (String) async -> KeyRecordAnswer
    ) async -> [Verification] {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        var answers: [String: KeyRecordAnswer] = [:]
        for name in Verifier.keyRecordNames(in: message) {
            answers[name] = await lookUp(name)  // .texts, .none or .temporaryFailure
        }
        let verifier = Verifier(now: now) { name in answers[name] ?? .none }
        let verifications = verifier.verify(message)
        print(Verifier.overall(verifications))
        // end
        return verifications
    }

    static func coverage(_ verifications: [Verification], _ output: Lines) {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        for verification in verifications where verification.result == .pass {
            guard let signature = verification.signature, let header = verification.header else { continue }
            print("signed by", signature.sdid)
            print("anyone may have written", header.coverage.exposed)
            print("octets at the end that nobody signed:", verification.body?.unsignedOctets ?? 0)
        }
        // end
    }

    static func explaining(
        _ message: [UInt8], original: [UInt8], _ records: [String: String], _ output: Lines
    ) {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        let verifier = Verifier(now: now) { name in records[name].map { .texts([$0]) } ?? .none }
        for verification in verifier.verify(message) where verification.result == .fail {
            if let body = verification.body, let cause = body.cause {
                print("body:", cause.kind.rawValue, cause)
            }
            if let header = verification.header, let cause = header.cause {
                print("header:", cause.kind.rawValue, cause)
            }
        }
        // end
        // example
        for verification in verifier.verify(message, original: original) {
            print(verification.reason)  // the field subject differs from octet 12 of its canonical form on
        }
        // end
    }

    static func quick(_ records: [String: String]) -> Verifier {
        // example
        let quick = Verifier(now: now, explainsFailures: false) { name in records[name].map { .texts([$0]) } ?? .none }
        // end
        return quick
    }

    // MARK: Examples of documentation comments

    static func hasher(_ firstPiece: [UInt8], _ secondPiece: [UInt8]) throws -> [UInt8] {
        // example
        let hasher = try BodyHasher(.relaxed)
        hasher.append(firstPiece)
        hasher.append(secondPiece)
        let bodyHash = try hasher.finish()  // the 32 octets of `bh=`
        // end
        return bodyHash
    }

    static func template(_ headerSection: [UInt8], bodyHash: [UInt8], key: SigningKey) throws -> [UInt8] {
        // example
        let template = try SignatureTemplate(sdid: "example.com", selector: "s1", key: key)
        let fields = try HeaderFields(headerSection)
        let field = try template.sign(fields, bodyHash: bodyHash, signedAt: now, expiresAt: now + 7 * 86_400)
        // field + headerSection + CRLF + body is the signed message
        // end
        return field
    }

    static func fieldChoices() -> [SignedFields] {
        // example
        let fields = SignedFields.standard.oversigning(.strict)  // nobody adds a List-Unsubscribe either
        let behindAmazon = SignedFields.standard.removing(["Message-ID", "Date"])
        let mine = SignedFields.minimal.oversigning(["From", "Subject", "X-Invoice"])
        // end
        return [fields, behindAmazon, mine]
    }

    static func verifier(_ message: [UInt8], _ records: [String: String], _ output: Lines) {
        func print(_ items: Any...) { output.lines.append(items.map { "\($0)" }.joined(separator: " ")) }
        // example
        let verifier = Verifier(now: now) { name in records[name].map { .texts([$0]) } ?? .none }
        for verification in verifier.verify(message) {
            print(verification.result, verification.reason)
        }
        // end
    }
}
