// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// HeaderDiagnosis is in charge of saying what was changed in a header section whose signature does not verify; it
/// changes no result.
///
/// With the original at hand it compares. Without, it undoes the changes that relays, mailing lists and signers
/// commonly make, one at a time, and sees whether the signature verifies.
struct HeaderDiagnosis {
    let signature: Signature
    let key: PublicKey
    let header: HeaderFields
    let original: [UInt8]?

    /// A bound on the work: fields that are left out on trial.
    private static let maximumLeftOut = 200
    /// A bound on the work: fields that are changed one by one on trial.
    private static let maximumChanged = 40
    /// Larger header sections are only compared: each trial hashes what is signed of them.
    private static let maximumOctets = 1024 * 1024

    func cause() throws(CryptographyError) -> FailureCause {
        if let original, let header = try? HeaderFields(original) { return difference(header) }
        // What an RSA signature was made over can be read out of it, and needn't be tried key operation by key
        // operation. Without it there, no change of the message explains the failure.
        let digest: [UInt8]?
        if case .rsa = key.kind {
            digest = key.digest(inSignature: signature.value)
            guard digest != nil else {
                return FailureCause(.otherKey, "the signature was not made with the published key, or b= differs")
            }
        } else {
            digest = nil
        }
        guard header.bodyStart <= HeaderDiagnosis.maximumOctets else {
            return FailureCause(.headerChanged, "a signed header field differs")
        }
        let trial = HeaderTrial(signature: signature, key: key, digest: digest)
        if let cause = try trial.addedField(header, atMost: HeaderDiagnosis.maximumLeftOut) { return cause }
        let fields = HeaderTrial.fields(of: header, signature)
        if let cause = try trial.signerFault(header, fields) { return cause }
        if let cause = try trial.changedField(fields, atMost: HeaderDiagnosis.maximumChanged) { return cause }
        if digest == nil {
            return FailureCause(
                .headerChanged, "a signed header field differs, or the signature was made with another key")
        }
        return FailureCause(.headerChanged, "a signed header field differs")
    }

    private func difference(_ original: HeaderFields) -> FailureCause {
        var (here, there) = (HeaderSelection(header), HeaderSelection(original))
        for name in signature.signedFieldNames {
            let lowercaseName = Array(name.utf8)
            let now = here.next(lowercaseName).map { canonicalForm(of: header.fields[$0], in: header) }
            let before = there.next(lowercaseName).map { canonicalForm(of: original.fields[$0], in: original) }
            switch (before, now) {
            case (nil, .some): return FailureCause(.fieldAdded, "the field \(name) was added after signing")
            case (.some, nil): return FailureCause(.fieldRemoved, "the field \(name) was removed after signing")
            case (let before?, let now?) where before != now:
                let octet = zip(before, now).prefix { $0 == $1 }.count + 1
                return FailureCause(
                    .fieldChanged, "the field \(name) differs from octet \(octet) of its canonical form on")
            default: continue
            }
        }
        return FailureCause(
            .otherKey, "no signed field differs from the original: the signature field itself does, or the key")
    }

    private func canonicalForm(of field: HeaderFields.Field, in header: HeaderFields) -> [UInt8] {
        var form: [UInt8] = []
        header.append(field, signature.canonicalization.header, to: &form)
        return form
    }
}
