// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why no signature was made.
public enum SigningError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a domain name that can stand in `d=`, or not a selector, or not an AUID of the SDID.
    case invalidName(tag: String, value: String)
    /// There is no From field (RFC 6376 §5.4: it must be signed).
    case noFromField
    /// The body hash doesn't have the 32 octets of SHA-256.
    case invalidBodyHash
    /// `x=` is not later than `t=` (RFC 6376 §3.5).
    case invalidExpiry
    /// The signature just made does not verify with the key's own public half.
    case selfCheckFailed
    /// OpenSSL refused.
    case cryptography(CryptographyError)

    /// One line, for the operator.
    public var description: String {
        switch self {
        case .invalidName(let tag, let value): "\"\(value)\" can't stand in the \(tag)= tag of a signature"
        case .noFromField: "there is no From field to sign"
        case .invalidBodyHash: "a body hash has \(SHA256.octets) octets"
        case .invalidExpiry: "a signature must expire later than it is made"
        case .selfCheckFailed: "the signature just made does not verify with its own public key"
        case .cryptography(let error): error.description
        }
    }
}

/// SignatureTemplate is in charge of making `DKIM-Signature` fields for one SDID, selector and key (RFC 6376 §5).
///
/// Make it once and keep it: what is the same in each signature is prepared.
///
/// ```swift
/// let template = try SignatureTemplate(sdid: "example.com", selector: "s1", key: key)
/// let fields = try HeaderFields(headerSection)
/// let field = try template.sign(fields, bodyHash: bodyHash, signedAt: now, expiresAt: now + 7 * 86_400)
/// // field + headerSection + CRLF + body is the signed message
/// ```
public struct SignatureTemplate: Sendable {
    /// The SDID: the `d=` tag.
    public let sdid: String
    /// The selector: the `s=` tag.
    public let selector: String
    /// The AUID: the `i=` tag, left out if nil.
    public let auid: String?
    /// The key that signs.
    public let key: SigningKey
    /// The `c=` tag.
    public let canonicalization: MessageCanonicalization
    /// What `h=` lists.
    public let signedFields: SignedFields

    /// `v=`, `a=`, `c=`, `d=`, `i=` and `s=`, each with its semicolon.
    private let constantTags: [[UInt8]]

    /// A template; throws `invalidName` for a name that has no place in a signature.
    ///
    /// - Parameters:
    ///   - sdid: a domain name of A-labels.
    ///   - selector: one label or several with dots between.
    ///   - canonicalization: `relaxed/relaxed` unless there is a reason. `simple` for the header section is fragile: the
    ///     signature breaks when a relay folds a field anew, and some verifiers don't see fields as they stood on the
    ///     wire.
    ///   - signedFields: what `h=` lists.
    ///   - auid: such as `@mail.example.com`: in the SDID or below it.
    public init(
        sdid: String, selector: String, key: SigningKey,
        canonicalization: MessageCanonicalization = .relaxed, signedFields: SignedFields = .standard,
        auid: String? = nil
    ) throws(SigningError) {
        guard DomainName.isValid(sdid) else { throw .invalidName(tag: "d", value: sdid) }
        guard DomainName.isValid(selector), DomainName.isValid("\(selector)._domainkey.\(sdid)") else {
            throw .invalidName(tag: "s", value: selector)
        }
        if let auid {
            guard DomainName.isAUID(auid, of: sdid) else { throw .invalidName(tag: "i", value: auid) }
        }
        self.sdid = sdid
        self.selector = selector
        self.auid = auid
        self.key = key
        self.canonicalization = canonicalization
        self.signedFields = signedFields
        var tags = ["v=1;", "a=\(key.algorithm.rawValue);", "c=\(canonicalization);", "d=\(sdid);"]
        if let auid { tags.append("i=\(auid);") }
        tags.append("s=\(selector);")
        self.constantTags = tags.map { Array($0.utf8) }
    }

    /// Makes the signature field of a message: to stand above everything else in it.
    ///
    /// Takes the time of one private key operation, and of one public key operation if `checking`.
    ///
    /// - Parameters:
    ///   - header: the fields of the message as it will leave. `DKIM-Signature` fields in it are not signed.
    ///   - bodyHash: from a `BodyHasher` with this template's canonicalization of the body.
    ///   - signedAt: the `t=` tag, in seconds since 1970.
    ///   - expiresAt: the `x=` tag; must be later.
    ///   - checking: verify with the public key what was just made.
    /// - Returns: the whole field with its final CRLF.
    public func sign(
        _ header: HeaderFields, bodyHash: [UInt8], signedAt: Int64, expiresAt: Int64?, checking: Bool = true
    ) throws(SigningError) -> [UInt8] {
        guard bodyHash.count == SHA256.octets else { throw .invalidBodyHash }
        if let expiresAt, expiresAt <= signedAt { throw .invalidExpiry }
        let (names, fields) = signedFields.select(from: header)
        // RFC 6376 §5.4: "The From header field MUST be signed".
        guard fields.contains(where: { header.isNamed(header.fields[$0], SignatureTemplate.from) }) else {
            throw .noFromField
        }
        var writer = unsignedField(names, bodyHash: bodyHash, signedAt: signedAt, expiresAt: expiresAt)
        let signature = try SignatureTemplate.signature(
            header, fields: fields, unsigned: writer.bytes, canonicalization: canonicalization.header, key: key,
            checking: checking)
        writer.append(signature: Base64.encode(signature))
        return writer.bytes
    }

    /// The signature in `field` if this template would make it again at the same time, octet by octet, and it verifies;
    /// else nil.
    ///
    /// So that a signature once made can serve again, and no longer than all that went into it is the same. Takes the
    /// time of a public key operation.
    package func recognize(_ field: [UInt8], of header: HeaderFields, bodyHash: [UInt8]) -> Signature? {
        guard let signature = try? Signature(field: field), let signedAt = signature.signedAt else { return nil }
        let (names, fields) = signedFields.select(from: header)
        var writer = unsignedField(
            names, bodyHash: bodyHash, signedAt: signedAt, expiresAt: signature.expiresAt)
        let input = SignatureTemplate.signingInput(
            header, fields: fields, unsigned: writer.bytes, canonicalization: canonicalization.header)
        writer.append(signature: Base64.encode(signature.value))
        guard writer.bytes == field, let digest = try? SHA256.digest(of: input),
            (try? key.publicKey.verify(signature: signature.value, digest: digest)) == true
        else { return nil }
        return signature
    }

    /// Whether `auid` can be the `i=` of an SDID: `[local-part]@domain`, in the SDID or below it (RFC 6376 §3.5).
    package static func isAUID(_ auid: String, of sdid: String) -> Bool {
        DomainName.isAUID(auid, of: sdid)
    }

    /// The field up to the equals sign of `b=`.
    private func unsignedField(
        _ names: [[UInt8]], bodyHash: [UInt8], signedAt: Int64, expiresAt: Int64?
    ) -> SignatureFieldWriter {
        var writer = SignatureFieldWriter()
        for tag in constantTags { writer.append(tag: tag) }
        writer.append(tag: Array("t=\(signedAt);".utf8))
        if let expiresAt { writer.append(tag: Array("x=\(expiresAt);".utf8)) }
        writer.append(names: names)
        writer.append(tag: Array("bh=".utf8) + Base64.encode(bodyHash) + [UInt8(ascii: ";")])
        writer.appendEmptySignature()
        return writer
    }

    private static let from = Array("from".utf8)

    /// Signs a field whose `b=` is empty and last.
    ///
    /// - Parameter unsigned: the whole field up to the equals sign of `b=`.
    static func signature(
        _ header: HeaderFields, fields: [Int], unsigned: [UInt8], canonicalization: Canonicalization,
        key: SigningKey, checking: Bool
    ) throws(SigningError) -> [UInt8] {
        let input = signingInput(header, fields: fields, unsigned: unsigned, canonicalization: canonicalization)
        let signature: [UInt8]
        let isGood: Bool
        do throws(CryptographyError) {
            let digest = try SHA256.digest(of: input)
            signature = try key.sign(digest: digest)
            isGood = checking ? try key.publicKey.verify(signature: signature, digest: digest) : true
        } catch {
            throw .cryptography(error)
        }
        guard isGood else { throw .selfCheckFailed }
        return signature
    }

    /// The octets that are hashed and signed (RFC 6376 §3.7): each field with CRLF, and the signature field
    /// itself without.
    static func signingInput(
        _ header: HeaderFields, fields: [Int], unsigned: [UInt8], canonicalization: Canonicalization
    ) -> [UInt8] {
        var input: [UInt8] = []
        input.reserveCapacity(header.bodyStart + unsigned.count)
        for field in fields {
            header.append(header.fields[field], canonicalization, to: &input)
            input.append(UInt8(ascii: "\r"))
            input.append(UInt8(ascii: "\n"))
        }
        let colon = unsigned.firstIndex(of: UInt8(ascii: ":")) ?? unsigned.startIndex
        HeaderCanonicalization.append(
            0..<unsigned.count, of: unsigned, colon: colon, canonicalization, to: &input)
        return input
    }
}
