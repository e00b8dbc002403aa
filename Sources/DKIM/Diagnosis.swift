// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Diagnosis is in charge of saying what was changed in a message whose signature fails, as far as that can be known.
///
/// It changes no result.
///
/// With the original at hand it compares. Without, it tries the changes that a relay or a mailing list
/// commonly makes, and sees whether the signature verifies without one of them.
struct Diagnosis {
    let signature: Signature
    let key: PublicKey
    let header: HeaderFields
    let body: [UInt8]
    let original: [UInt8]?

    /// Lines of a body that are tried as its end.
    private static let maximumLines = 20_000

    // MARK: The body

    func ofBody() throws(CryptographyError) -> String {
        let form = try canonicalForm(of: body)
        if let original, let header = try? HeaderFields(original) {
            let originalForm = try canonicalForm(of: Array(original[header.bodyStart...]))
            return Diagnosis.difference(originalForm, form)
        }
        if let line = try lastSignedLine(form) { return "the body differs: text was added after its line \(line)" }
        if form.isEmpty { return "the body differs: it is empty" }
        return "the body differs"
    }

    /// The number of the line after which the body would have the hash that was signed.
    private func lastSignedLine(_ form: [UInt8]) throws(CryptographyError) -> Int? {
        let sha256 = try SHA256()
        if try sha256.digestSoFar() == signature.bodyHash { return 0 }
        var (start, line) = (0, 0)
        while start < form.count, line < Diagnosis.maximumLines {
            let end = form[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? form.count
            unsafe form[start..<end].withUnsafeBytes { unsafe sha256.update($0) }
            start = end
            line += 1
            if try sha256.digestSoFar() == signature.bodyHash { return line }
        }
        return nil
    }

    private func canonicalForm(of body: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let hasher = try BodyHasher(signature.canonicalization.body, limit: signature.bodyOctets, keepsForm: true)
        hasher.append(body)
        _ = try hasher.finish()
        return hasher.keptForm ?? []
    }

    private static func difference(_ original: [UInt8], _ form: [UInt8]) -> String {
        guard original != form else { return "the body differs from what was signed, and so does the original" }
        var position = 0
        while position < min(original.count, form.count), original[position] == form[position] { position += 1 }
        let line = original[..<position].count { $0 == UInt8(ascii: "\n") } + 1
        let column = position - (original[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return "the body differs from line \(line), octet \(column) on (octet \(position + 1) of its canonical form)"
    }

    // MARK: The header section

    func ofHeader() throws(CryptographyError) -> String {
        if let original, let header = try? HeaderFields(original) { return difference(header) }
        if let name = try addedField() { return "the field \(name) was added after signing" }
        guard case .rsa = key.kind else {
            return "a signed header field differs, or the signature was made with another key"
        }
        // What an RSA signature was made over can be read out of it.
        guard let signed = key.digest(inSignature: signature.value) else {
            return "the signature was not made with the published key, or b= differs"
        }
        return try signed == Verifier.headerDigest(header, signature)
            ? "the signature is malformed" : "a signed header field differs"
    }

    /// A field without which the signature verifies: one that oversigning was to keep out, or a later one of
    /// a name that is signed.
    private func addedField() throws(CryptographyError) -> String? {
        let names = Set(signature.signedFieldNames.map { Array($0.utf8) })
        for index in header.fields.indices.prefix(HeaderFields.maximumTried)
        where names.contains(where: { header.isNamed(header.fields[index], $0) }) {
            let digest = try Verifier.headerDigest(header.without(index), signature)
            if try key.verify(signature: signature.value, digest: digest) { return header.name(at: index) }
        }
        return nil
    }

    private func difference(_ original: HeaderFields) -> String {
        var (here, there) = (HeaderSelection(header), HeaderSelection(original))
        for name in signature.signedFieldNames {
            let lowercaseName = Array(name.utf8)
            let now = here.next(lowercaseName).map { canonicalForm(of: header.fields[$0], in: header) }
            let before = there.next(lowercaseName).map { canonicalForm(of: original.fields[$0], in: original) }
            switch (before, now) {
            case (nil, .some): return "the field \(name) was added after signing"
            case (.some, nil): return "the field \(name) was removed after signing"
            case (let before?, let now?) where before != now:
                let octet = zip(before, now).prefix { $0 == $1 }.count + 1
                return "the field \(name) differs from octet \(octet) of its canonical form on"
            default: continue
            }
        }
        return "no signed field differs from the original: the signature field itself does, or the key"
    }

    private func canonicalForm(of field: HeaderFields.Field, in header: HeaderFields) -> [UInt8] {
        var form: [UInt8] = []
        header.append(field, signature.canonicalization.header, to: &form)
        return form
    }
}

extension HeaderFields {
    /// A bound on the work for a diagnosis.
    fileprivate static let maximumTried = 200

    /// The same header section with one field left out of the account.
    fileprivate func without(_ index: Int) -> HeaderFields {
        var fields = fields
        fields.remove(at: index)
        return HeaderFields(bytes: bytes, bodyStart: bodyStart, fields: fields)
    }
}
