// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// SigningInput is in charge of showing what a signature is made over: the canonical header fields, the canonical
/// body, and their hashes (RFC 6376 §3.7).
///
/// No key is needed for it, and nothing is judged.
public struct SigningInput: Hashable, Sendable {
    /// The signature field, parsed.
    public let signature: Signature
    /// The header fields that `h=` means, in canonical form, each with CRLF.
    public let headerFields: [UInt8]
    /// The signature field itself in canonical form, with an empty `b=` and without CRLF.
    public let signatureField: [UInt8]
    /// The SHA-256 digest of both together: what the key signs.
    public let digest: [UInt8]
    /// How many octets the body has as it stands.
    public let bodyOctets: Int
    /// The body in canonical form, as far as `l=` reaches.
    public let canonicalBody: [UInt8]
    /// The SHA-256 digest of the canonical body: what `bh=` should hold.
    public let bodyHash: [UInt8]
    /// Which header fields are signed.
    public let coverage: FieldCoverage

    /// All that is hashed and signed.
    public var octets: [UInt8] { headerFields + signatureField }

    /// The input of each signature of a message, from the top down; signatures that can't be parsed are left out.
    ///
    /// - Parameter message: header section, empty line, body, with CRLF line ends.
    public static func all(in message: [UInt8]) throws(CryptographyError) -> [SigningInput] {
        guard let header = try? HeaderFields(message) else { return [] }
        var inputs: [SigningInput] = []
        for field in Verifier.signatureFields(of: header).prefix(Verifier.maximumSignatures) {
            guard let signature = try? Signature(field: Array(message[header.fields[field].octets])) else { continue }
            inputs.append(try SigningInput(signature, header))
        }
        return inputs
    }

    private init(_ signature: Signature, _ header: HeaderFields) throws(CryptographyError) {
        let canonicalization = signature.canonicalization
        var selection = HeaderSelection(header)
        var fields: [UInt8] = []
        for name in signature.signedFieldNames {
            guard let field = selection.next(Array(name.utf8)) else { continue }
            header.append(header.fields[field], canonicalization.header, to: &fields)
            fields += [13, 10]
        }
        var own: [UInt8] = []
        let unsigned = signature.unsigned
        HeaderCanonicalization.append(
            0..<unsigned.count, of: unsigned, colon: unsigned.firstIndex(of: UInt8(ascii: ":")) ?? 0,
            canonicalization.header, to: &own)
        let hasher = try BodyHasher(canonicalization.body, limit: signature.bodyOctets, keepsForm: true)
        let body = Array(header.bytes[header.bodyStart...])
        hasher.append(body)
        self.signature = signature
        self.headerFields = fields
        self.signatureField = own
        self.digest = try SHA256.digest(of: fields + own)
        self.bodyOctets = body.count
        self.bodyHash = try hasher.finish()
        self.canonicalBody = hasher.keptForm ?? []
        self.coverage = FieldCoverage(header, names: signature.signedFieldNames)
    }
}
