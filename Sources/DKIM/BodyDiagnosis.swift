// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// BodyDiagnosis is in charge of saying what was changed in a body whose hash differs; it changes no result.
///
/// With the original at hand it compares. Without, it undoes the changes that relays, mailing lists and signers
/// commonly make, one at a time, and sees whether the hash comes out.
struct BodyDiagnosis {
    let signature: Signature
    let header: HeaderFields
    let body: [UInt8]
    let original: [UInt8]?

    /// Lines of a body that are tried as its end.
    private static let maximumLines = 20_000
    /// Larger bodies are only compared, and tried in the other canonicalization: a bound on the work.
    private static let maximumOctets = 16 * 1024 * 1024

    func cause() throws(CryptographyError) -> FailureCause {
        let named = signature.canonicalization.body
        let form = try canonicalForm(of: body, named)
        if let original, let header = try? HeaderFields(original) {
            return BodyDiagnosis.difference(try canonicalForm(of: Array(original[header.bodyStart...]), named), form)
        }
        let other: Canonicalization = named == .simple ? .relaxed : .simple
        if try hash(body, other) == signature.bodyHash {
            return matches(
                .bodyCanonicalization, "with \(other.name) canonicalization, not with \(named.name), which c= names")
        }
        if body.count <= BodyDiagnosis.maximumOctets {
            if signature.bodyOctets == nil, let cause = try formCause(form) { return cause }
            if let cause = try variantCause(named, other) { return cause }
        }
        if form.isEmpty || form == [13, 10] { return FailureCause(.bodyEmpty, "the body differs: it is empty") }
        if let line = try lastSignedLine(form) {
            return FailureCause(.bodyTextAdded, "the body differs: text was added after its line \(line)")
        }
        return FailureCause(.bodyChanged, "the body differs")
    }

    private func matches(_ kind: FailureCause.Kind, _ condition: String) -> FailureCause {
        FailureCause(kind, "the body differs: it matches \(condition)")
    }

    /// The canonical form itself, with an end or with line ends that it should not have: faults of signers.
    private func formCause(_ form: [UInt8]) throws(CryptographyError) -> FailureCause? {
        if form.suffix(2) == [13, 10], try SHA256.digest(of: Array(form.dropLast(2))) == signature.bodyHash {
            return matches(.bodyEnd, "without its final CRLF: the signer's software leaves it out")
        }
        let longer = try SHA256()
        unsafe form.withUnsafeBytes { unsafe longer.update($0) }
        let count = max(4, min(BodyVariants.lineEndsAtEnd(of: body), BodyDiagnosis.maximumTrailingLines))
        for _ in 0..<count {
            unsafe [UInt8]("\r\n".utf8).withUnsafeBytes { unsafe longer.update($0) }
            if try longer.digestSoFar() == signature.bodyHash {
                return matches(.bodyEnd, "with the empty lines at its end, which the signer should have ignored")
            }
        }
        if try SHA256.digest(of: form.filter { $0 != 13 }) == signature.bodyHash {
            return matches(.bodyLineEnds, "with LF for line ends: it was signed as a file, not as it is sent")
        }
        return nil
    }

    private static let maximumTrailingLines = 16

    private func variantCause(
        _ named: Canonicalization, _ other: Canonicalization
    ) throws(CryptographyError) -> FailureCause? {
        for variant in BodyVariants.all {
            guard let changed = variant.undo(body) else { continue }
            if try hash(changed, named) == signature.bodyHash { return matches(variant.kind, variant.condition) }
            if try hash(changed, other) == signature.bodyHash {
                return matches(variant.kind, "\(variant.condition), and with \(other.name) canonicalization")
            }
        }
        if let (name, decoded) = BodyVariants.decoded(body, header), try hash(decoded, named) == signature.bodyHash {
            return matches(.bodyEncoding, "once its encoding \(name) is undone: a relay encoded it after signing")
        }
        return nil
    }

    /// The number of the line after which the body would have the hash that was signed.
    private func lastSignedLine(_ form: [UInt8]) throws(CryptographyError) -> Int? {
        let sha256 = try SHA256()
        if try sha256.digestSoFar() == signature.bodyHash { return 0 }
        var (start, line) = (0, 0)
        while start < form.count, line < BodyDiagnosis.maximumLines {
            let end = form[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? form.count
            unsafe form[start..<end].withUnsafeBytes { unsafe sha256.update($0) }
            start = end
            line += 1
            if try sha256.digestSoFar() == signature.bodyHash { return line }
        }
        return nil
    }

    private func hash(_ body: [UInt8], _ canonicalization: Canonicalization) throws(CryptographyError) -> [UInt8] {
        let hasher = try BodyHasher(canonicalization, limit: signature.bodyOctets)
        hasher.append(body)
        return try hasher.finish()
    }

    private func canonicalForm(
        of body: [UInt8], _ canonicalization: Canonicalization
    ) throws(CryptographyError) -> [UInt8] {
        let hasher = try BodyHasher(canonicalization, limit: signature.bodyOctets, keepsForm: true)
        hasher.append(body)
        _ = try hasher.finish()
        return hasher.keptForm ?? []
    }

    private static func difference(_ original: [UInt8], _ form: [UInt8]) -> FailureCause {
        guard original != form else {
            return FailureCause(.bodyChanged, "the body differs from what was signed, and so does the original")
        }
        var position = 0
        while position < min(original.count, form.count), original[position] == form[position] { position += 1 }
        let line = original[..<position].count { $0 == UInt8(ascii: "\n") } + 1
        let column = position - (original[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return FailureCause(
            .bodyChanged,
            "the body differs from line \(line), octet \(column) on (octet \(position + 1) of its canonical form)")
    }
}
