// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Verifier is in charge of judging the signatures of a message (RFC 6376 §6).
///
/// It asks nobody itself: the key records come from a closure, the time is given.
///
/// ```swift
/// let verifier = Verifier(now: now) { name in records[name].map { .texts([$0]) } ?? .none }
/// for verification in verifier.verify(message) {
///     print(verification.result, verification.reason)
/// }
/// ```
public struct Verifier {
    /// Signatures past this number are not looked at (RFC 6376 §8.4).
    public static let maximumSignatures = 16
    /// How far `t=` may lie ahead of our clock, in seconds.
    public static let clockSkew: Int64 = 3600

    private let now: Int64
    private let explainsFailures: Bool
    private let keyRecords: (String) -> KeyRecordAnswer

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - explainsFailures: look for what was changed when a signature fails. It costs some dozens of hashes of the
    ///     body and some hundreds of the header section, and with Ed25519 as many verifications; a server that
    ///     verifies the mail of strangers leaves it off.
    ///   - keyRecords: what DNS says of a name such as `s1._domainkey.example.com`.
    public init(now: Int64, explainsFailures: Bool = true, keyRecords: @escaping (String) -> KeyRecordAnswer) {
        self.now = now
        self.explainsFailures = explainsFailures
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
            return [Verification(.neutral, error.description)]
        }
        let body = Array(message[header.bodyStart...])
        return Verifier.signatureFields(of: header).enumerated().map { count, field in
            guard count < Verifier.maximumSignatures else { return Verification(.policy, "too many signatures") }
            return judge(message[header.fields[field].octets], header, body: body, original: original)
        }
    }

    private func judge(
        _ field: ArraySlice<UInt8>, _ header: HeaderFields, body: [UInt8], original: [UInt8]?
    ) -> Verification {
        var verification = Verification(.pass, "")
        do throws(Signature.Problem) {
            let signature = try Signature(field: Array(field))
            verification.signature = signature
            try examine(signature, header, body: body, original: original, &verification)
            verification.reason = Verifier.note(verification)
        } catch {
            verification.result = error.result
            verification.reason = error.reason
        }
        return verification
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

    static func signatureFields(of header: HeaderFields) -> [Int] {
        let name = Array("dkim-signature".utf8)
        return header.fields.indices.filter { header.isNamed(header.fields[$0], name) }
    }
}

extension Verifier {
    /// RFC 6376 §6.1.1 to §6.1.3: finds out all that there is to know, and then decides in the order of the RFC.
    ///
    /// - Throws: any result but pass.
    private func examine(
        _ signature: Signature, _ header: HeaderFields, body: [UInt8], original: [UInt8]?,
        _ verification: inout Verification
    ) throws(Signature.Problem) {
        var recordProblem: Signature.Problem?
        do throws(Signature.Problem) {
            verification.keyRecord = try keyRecord(for: signature)
        } catch {
            recordProblem = error
        }
        do throws(CryptographyError) {
            verification.body = try bodyFinding(signature, header, body: body, original: original)
            verification.header = try headerFinding(
                signature, header, key: verification.keyRecord?.publicKey, original: original)
        } catch {
            throw .init(.temperror, error.description)
        }
        try checkTimes(of: signature)
        if let recordProblem { throw recordProblem }
        if let record = verification.keyRecord { try check(record, for: signature) }
        guard let body = verification.body, let header = verification.header else { return }
        if let limit = signature.bodyOctets, limit > body.octets {
            throw .init(.permerror, "l= is larger than the body: \(limit) octets, where there are \(body.octets)")
        }
        guard body.isIntact else { throw .init(.fail, body.cause?.description ?? "the body differs") }
        guard header.isIntact == true else {
            throw .init(.fail, header.cause?.description ?? "a signed header field differs")
        }
    }

    private func bodyFinding(
        _ signature: Signature, _ header: HeaderFields, body: [UInt8], original: [UInt8]?
    ) throws(CryptographyError) -> BodyFinding {
        let hasher = try BodyHasher(signature.canonicalization.body, limit: signature.bodyOctets)
        hasher.append(body)
        let hash = try hasher.finish()
        let isIntact = hash == signature.bodyHash
        let diagnosis = BodyDiagnosis(signature: signature, header: header, body: body, original: original)
        return BodyFinding(
            hash: hash, octets: hasher.canonicalizedOctets,
            unsignedOctets: max(0, hasher.canonicalizedOctets - (signature.bodyOctets ?? .max)), isIntact: isIntact,
            cause: isIntact || !explainsFailures ? nil : try diagnosis.cause())
    }

    private func headerFinding(
        _ signature: Signature, _ header: HeaderFields, key: PublicKey?, original: [UInt8]?
    ) throws(CryptographyError) -> HeaderFinding {
        let coverage = FieldCoverage(header, names: signature.signedFieldNames)
        guard let key, key.kind.algorithm == signature.algorithm else {
            return HeaderFinding(coverage: coverage, isIntact: nil, cause: nil)
        }
        let digest = try Verifier.headerDigest(header, signature)
        let isIntact = try key.verify(signature: signature.value, digest: digest)
        let diagnosis = HeaderDiagnosis(signature: signature, key: key, header: header, original: original)
        return HeaderFinding(
            coverage: coverage, isIntact: isIntact,
            cause: isIntact || !explainsFailures ? nil : try diagnosis.cause())
    }

    private func checkTimes(of signature: Signature) throws(Signature.Problem) {
        if let expiresAt = signature.expiresAt, expiresAt < now { throw .init(.permerror, "the signature has expired") }
        if let signedAt = signature.signedAt, signedAt > now + Verifier.clockSkew {
            throw .init(.policy, "the signature is from the future")
        }
    }

    private func check(_ record: KeyRecord, for signature: Signature) throws(Signature.Problem) {
        guard let key = record.publicKey else { throw .init(.permerror, "the key was revoked") }
        guard key.kind.algorithm == signature.algorithm else {
            throw .init(.permerror, "the key is not one for \(signature.algorithmName)")
        }
        if let problem = record.useProblem {
            throw .init(.permerror, "the key record does not allow this use: \(problem)")
        }
        if record.forbidsSubdomains, !signature.auid.lowercased().hasSuffix("@\(signature.sdid.lowercased())") {
            throw .init(.permerror, "the key record forbids a subdomain in i=")
        }
    }

    /// What a reader of a pass should know.
    private static func note(_ verification: Verification) -> String {
        // RFC 6376 §8.2: what l= leaves out can be replaced by anyone.
        if let count = verification.body?.unsignedOctets, count > 0 {
            return "l= leaves the last \(count) octets of the body unsigned"
        }
        return verification.keyRecord?.isTesting == true ? "the domain is testing DKIM" : ""
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
