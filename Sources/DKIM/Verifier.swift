// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What is known of a name in DNS where a key record should be.
public enum KeyRecordAnswer: Hashable, Sendable {
    /// The TXT records, each with its character strings joined.
    case texts([String])
    /// The name or the type doesn't exist.
    case none
    /// No answer now; the text says why.
    case temporaryFailure(String)
}

/// What became of one signature.
public struct Verification: Hashable, Sendable {
    /// pass, fail, and so on.
    public var result: VerificationResult
    /// Why, in words, for a human.
    ///
    /// Empty for a plain pass.
    public var reason: String
    /// The signature, if it could be parsed.
    public var signature: Signature?
}

/// Verifier is in charge of judging the signatures of a message (RFC 6376 §6).
///
/// It asks nobody itself: the key records come from a closure, the time is given.
///
/// ```swift
/// let verifier = Verifier(now: now) { name in records[name].map { .texts([$0]) } ?? .none }
/// for verification in verifier.verify(message) { print(verification.result, verification.reason) }
/// ```
public struct Verifier {
    /// Signatures past this number are not looked at (RFC 6376 §8.4).
    public static let maximumSignatures = 16
    /// How far `t=` may lie ahead of our clock, in seconds.
    public static let clockSkew: Int64 = 3600

    private let now: Int64
    private let keyRecords: (String) -> KeyRecordAnswer

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - keyRecords: what DNS says of a name such as `s1._domainkey.example.com`.
    public init(now: Int64, keyRecords: @escaping (String) -> KeyRecordAnswer) {
        self.now = now
        self.keyRecords = keyRecords
    }

    /// Judges every signature of a message, from the top down; nothing if there is none.
    ///
    /// - Parameters:
    ///   - message: header section, empty line, body, with CRLF line ends.
    ///   - original: the message as it was signed, if it is at hand: then a failure names what differs.
    public func verify(_ message: [UInt8], original: [UInt8]? = nil) -> [Verification] {
        let header: HeaderFields
        do {
            header = try HeaderFields(message)
        } catch {
            return [Verification(result: .neutral, reason: error.description, signature: nil)]
        }
        let body = Array(message[header.bodyStart...])
        return Verifier.signatureFields(of: header).enumerated().map { count, field in
            guard count < Verifier.maximumSignatures else {
                return Verification(result: .policy, reason: "too many signatures", signature: nil)
            }
            return judge(message[header.fields[field].octets], header, body: body, original: original)
        }
    }

    private func judge(
        _ field: ArraySlice<UInt8>, _ header: HeaderFields, body: [UInt8], original: [UInt8]?
    ) -> Verification {
        var parsed: Signature?
        do throws(Signature.Problem) {
            let signature = try Signature(field: Array(field))
            parsed = signature
            let (result, reason) = try check(signature, header, body: body, original: original)
            return Verification(result: result, reason: reason, signature: signature)
        } catch {
            return Verification(result: error.result, reason: error.reason, signature: parsed)
        }
    }

    /// The names at which the key records of a message's signatures are, for looking them up beforehand.
    public static func keyRecordNames(in message: [UInt8]) -> [String] {
        guard let header = try? HeaderFields(message) else { return [] }
        var names: [String] = []
        for field in signatureFields(of: header).prefix(maximumSignatures) {
            guard let signature = try? Signature(field: Array(message[header.fields[field].octets])),
                !names.contains(signature.keyRecordName)
            else { continue }
            names.append(signature.keyRecordName)
        }
        return names
    }

    /// What the signatures of a message say together: it is enough that one of them passes (RFC 6376 §6.1).
    public static func overall(_ verifications: [Verification]) -> VerificationResult {
        let order: [VerificationResult] = [.pass, .temperror, .fail, .policy, .neutral, .permerror]
        return order.first { result in verifications.contains { $0.result == result } } ?? .none
    }

    private static func signatureFields(of header: HeaderFields) -> [Int] {
        let name = Array("dkim-signature".utf8)
        return header.fields.indices.filter { header.isNamed(header.fields[$0], name) }
    }
}

extension Verifier {
    /// RFC 6376 §6.1.1 to §6.1.3 in their order.
    ///
    /// - Returns: the result, and what a reader should know of it.
    private func check(
        _ signature: Signature, _ header: HeaderFields, body: [UInt8], original: [UInt8]?
    ) throws(Signature.Problem) -> (VerificationResult, String) {
        if let expiresAt = signature.expiresAt, expiresAt < now { throw .init(.permerror, "the signature has expired") }
        if let signedAt = signature.signedAt, signedAt > now + Verifier.clockSkew {
            throw .init(.policy, "the signature is from the future")
        }
        let record = try keyRecord(for: signature)
        guard let key = record.publicKey else { throw .init(.permerror, "the key was revoked") }
        guard key.kind.algorithm == signature.algorithm else {
            throw .init(.permerror, "the key is not one for \(signature.algorithmName)")
        }
        guard record.allowsMail else { throw .init(.permerror, "the key record does not allow this use") }
        if record.forbidsSubdomains, !signature.auid.lowercased().hasSuffix("@\(signature.sdid.lowercased())") {
            throw .init(.permerror, "the key record forbids a subdomain in i=")
        }
        do throws(CryptographyError) {
            let hasher = try BodyHasher(signature.canonicalization.body, limit: signature.bodyOctets)
            hasher.append(body)
            let bodyHash = try hasher.finish()
            let digest = try Verifier.headerDigest(header, signature)
            let isIntact = try key.verify(signature: signature.value, digest: digest)
            let diagnosis = Diagnosis(signature: signature, key: key, header: header, body: body, original: original)
            if let limit = signature.bodyOctets, limit > hasher.canonicalizedOctets {
                return (.permerror, "l= is larger than the body")
            }
            guard bodyHash == signature.bodyHash else { return (.fail, try diagnosis.ofBody()) }
            guard isIntact else { return (.fail, try diagnosis.ofHeader()) }
            return (.pass, note(record, signature, canonicalizedOctets: hasher.canonicalizedOctets))
        } catch {
            return (.temperror, error.description)
        }
    }

    private func note(_ record: KeyRecord, _ signature: Signature, canonicalizedOctets: Int) -> String {
        // RFC 6376 §8.2: what l= leaves out can be replaced by anyone.
        if let limit = signature.bodyOctets, limit < canonicalizedOctets {
            return "l= leaves the last \(canonicalizedOctets - limit) octets of the body unsigned"
        }
        return record.isTesting ? "the domain is testing DKIM" : ""
    }

    /// The digest that the signature should be of, of the fields that `h=` names and the field itself.
    static func headerDigest(_ header: HeaderFields, _ signature: Signature) throws(CryptographyError) -> [UInt8] {
        var selection = HeaderSelection(header)
        let fields = signature.signedFieldNames.compactMap { selection.next(Array($0.utf8)) }
        return try SHA256.digest(
            of: SignatureTemplate.signingInput(
                header, fields: fields, unsigned: signature.unsigned,
                canonicalization: signature.canonicalization.header))
    }

    /// RFC 6376 §6.1.2.
    private func keyRecord(for signature: Signature) throws(Signature.Problem) -> KeyRecord {
        let texts: [String]
        switch keyRecords(signature.keyRecordName) {
        case .none: throw .init(.permerror, "no key record at \(signature.keyRecordName)")
        case .temporaryFailure(let reason): throw .init(.temperror, reason)
        case .texts(let found): texts = found
        }
        var records: [KeyRecord] = []
        var problem = "no key record at \(signature.keyRecordName)"
        for text in texts {
            do { records.append(try KeyRecord(text)) } catch { problem = error.description }
        }
        guard let record = records.first else { throw .init(.permerror, problem) }
        // RFC 6376 §3.6.2.2: "TXT RRs MUST be unique for a particular selector name".
        guard records.allSatisfy({ $0 == record }) else {
            throw .init(.permerror, "\(records.count) key records at \(signature.keyRecordName)")
        }
        return record
    }
}
