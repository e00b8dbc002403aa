// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// HeaderTrial is in charge of trying whether a signature verifies over other fields than those that are there.
struct HeaderTrial {
    let signature: Signature
    let key: PublicKey
    /// What the signature was made over, where the key can tell.
    let digest: [UInt8]?

    private static let lineEnd: [UInt8] = [13, 10]

    /// The octets of the fields that `h=` means, without their final CRLFs, in the order of hashing.
    static func fields(of header: HeaderFields, _ signature: Signature) -> [[UInt8]] {
        var selection = HeaderSelection(header)
        return signature.signedFieldNames.compactMap { name in
            selection.next(Array(name.utf8)).map { Array(header.bytes[header.fields[$0].octets]) }
        }
    }

    private func isSigned(_ input: [UInt8]) throws(CryptographyError) -> Bool {
        let inputDigest = try SHA256.digest(of: input)
        if let digest { return digest == inputDigest }
        return try key.verify(signature: signature.value, digest: inputDigest)
    }

    private func isSigned(
        _ fields: [[UInt8]], _ unsigned: [UInt8]? = nil, _ canonicalization: Canonicalization? = nil
    ) throws(CryptographyError) -> Bool {
        try isSigned(input(fields, unsigned, canonicalization))
    }

    /// The octets to be hashed, of whole fields (RFC 6376 §3.7).
    private func input(
        _ fields: [[UInt8]], _ unsigned: [UInt8]?, _ canonicalization: Canonicalization?
    ) -> [UInt8] {
        var input: [UInt8] = []
        for field in fields {
            append(field, canonicalization, to: &input)
            input += HeaderTrial.lineEnd
        }
        append(unsigned ?? signature.unsigned, canonicalization, to: &input)
        return input
    }

    private func append(_ field: [UInt8], _ canonicalization: Canonicalization?, to input: inout [UInt8]) {
        HeaderCanonicalization.append(
            0..<field.count, of: field, colon: field.firstIndex(of: UInt8(ascii: ":")) ?? 0,
            canonicalization ?? signature.canonicalization.header, to: &input)
    }

    // MARK: What may have happened

    /// A field without which the signature verifies: one that oversigning was to keep out, or a later one of
    /// a name that is signed.
    func addedField(_ header: HeaderFields, atMost limit: Int) throws(CryptographyError) -> FailureCause? {
        let names = Set(signature.signedFieldNames.map { Array($0.utf8) })
        for index in header.fields.indices.prefix(limit)
        where names.contains(where: { header.isNamed(header.fields[index], $0) }) {
            if try isSigned(HeaderTrial.fields(of: header.without(index), signature)) {
                return FailureCause(.fieldAdded, "the field \(header.name(at: index)) was added after signing")
            }
        }
        return nil
    }

    /// What signers are known to hash instead of what RFC 6376 says.
    func signerFault(_ header: HeaderFields, _ fields: [[UInt8]]) throws(CryptographyError) -> FailureCause? {
        let named = signature.canonicalization.header
        let other: Canonicalization = named == .simple ? .relaxed : .simple
        if try isSigned(fields, nil, other) {
            return FailureCause(
                .headerCanonicalization,
                "the header section matches with \(other.name) canonicalization, not with \(named.name), which c= names"
            )
        }
        if try isSigned(input(fields, nil, nil) + HeaderTrial.lineEnd) {
            return FailureCause(
                .signerFault, "the signer's software hashes a CRLF after the signature field (RFC 6376 §3.7: none)")
        }
        if try isSigned(HeaderTrial.fields(of: header.reversed(), signature)) {
            return FailureCause(
                .signerFault,
                "the signer's software takes repeated fields from the top (RFC 6376 §5.4.2: from the bottom)")
        }
        var selection = HeaderSelection(header)
        let withEmpty = signature.signedFieldNames.map { name in
            selection.next(Array(name.utf8)).map { Array(header.bytes[header.fields[$0].octets]) }
                ?? Array((name + ":").utf8)
        }
        if withEmpty.count > fields.count, try isSigned(withEmpty) {
            return FailureCause(
                .signerFault, "the signer's software hashes fields that are not there as empty ones (RFC 6376 §5.4)")
        }
        return nil
    }

    /// White space and the like in all fields at once, then each change in each field.
    func changedField(_ fields: [[UInt8]], atMost limit: Int) throws(CryptographyError) -> FailureCause? {
        for variant in FieldVariants.everywhere(signature.canonicalization.header) {
            let changed = fields.map { variant.undo($0) ?? $0 }
            let unsigned = variant.undo(signature.unsigned) ?? signature.unsigned
            if changed != fields {
                let alone = try isSigned(changed)
                let together = unsigned == signature.unsigned ? false : try isSigned(changed, unsigned)
                if alone || together {
                    return FailureCause(.fieldWhiteSpace, "the header section matches \(variant.condition)")
                }
            }
            if unsigned != signature.unsigned, try isSigned(fields, unsigned) {
                return FailureCause(.fieldWhiteSpace, "the signature field matches \(variant.condition)")
            }
        }
        for index in fields.indices.prefix(limit) {
            for variant in FieldVariants.single(signature.canonicalization.header) {
                guard let changed = variant.undo(fields[index]) else { continue }
                var others = fields
                others[index] = changed
                if try isSigned(others) {
                    let name = String(decoding: fields[index].prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
                    return FailureCause(variant.kind, "the field \(name) matches \(variant.condition)")
                }
            }
        }
        return nil
    }
}

extension HeaderFields {
    /// The same header section with one field left out of the account.
    fileprivate func without(_ index: Int) -> HeaderFields {
        var fields = fields
        fields.remove(at: index)
        return HeaderFields(bytes: bytes, bodyStart: bodyStart, fields: fields)
    }

    fileprivate func reversed() -> HeaderFields {
        HeaderFields(bytes: bytes, bodyStart: bodyStart, fields: fields.reversed())
    }
}
