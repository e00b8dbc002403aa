// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import FoundationEssentials

extension SignatureDocument {
    init(_ verification: Verification) {
        self.init(result: verification.result.rawValue, reason: verification.reason)
        guard let signature = verification.signature else { return }
        domain = signature.sdid
        selector = signature.selector
        algorithm = signature.algorithmName
        canonicalization = signature.canonicalization.description
        identity = signature.auid
        signedAt = signature.signedAt
        expiresAt = signature.expiresAt
        key = KeyDocument(
            name: signature.keyRecordName, kind: verification.keyRecord?.publicKey?.kind.description,
            isTesting: verification.keyRecord?.isTesting ?? false)
        body = verification.body.map { BodyDocument($0, expected: signature.bodyHash) }
        header = verification.header.map { HeaderDocument($0) }
    }

    private init(result: String, reason: String) {
        self.result = result
        self.reason = reason
    }
}

extension BodyDocument {
    fileprivate init(_ finding: BodyFinding, expected: [UInt8]) {
        self.init(
            isIntact: finding.isIntact, computed: Data(finding.hash).base64EncodedString(),
            expected: Data(expected).base64EncodedString(), octets: finding.octets,
            unsignedOctets: finding.unsignedOctets, cause: finding.cause.map { CauseDocument($0) })
    }
}

extension HeaderDocument {
    fileprivate init(_ finding: HeaderFinding) {
        let coverage = finding.coverage
        self.init(
            isIntact: finding.isIntact, signed: coverage.signed, oversigned: coverage.oversigned,
            absent: coverage.absent, unsigned: coverage.unsigned, exposed: coverage.exposed,
            cause: finding.cause.map { CauseDocument($0) })
    }
}

extension CauseDocument {
    fileprivate init(_ cause: FailureCause) {
        self.init(kind: cause.kind.rawValue, text: cause.description)
    }
}
