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
    /// The key record, if there was one that could be read.
    public var keyRecord: KeyRecord?
    /// What the body came to, whatever the result; nil if the signature could not be parsed.
    public var body: BodyFinding?
    /// What the header section came to; nil if the signature could not be parsed.
    public var header: HeaderFinding?

    init(_ result: VerificationResult, _ reason: String) {
        self.result = result
        self.reason = reason
    }
}

/// The body under one signature.
public struct BodyFinding: Hashable, Sendable {
    /// The body hash as it is; `bh=` says what it should be.
    public let hash: [UInt8]
    /// How many octets the canonical form of the body has.
    public let octets: Int
    /// How many octets at its end `l=` leaves unsigned.
    public let unsignedOctets: Int
    /// Whether the hash is the one that was signed.
    public let isIntact: Bool
    /// Why it isn't.
    public let cause: FailureCause?
}

/// The header section under one signature.
public struct HeaderFinding: Hashable, Sendable {
    /// Which fields are signed.
    public let coverage: FieldCoverage
    /// Whether the signature verifies over them; nil if there was no key to ask.
    public let isIntact: Bool?
    /// Why it doesn't.
    public let cause: FailureCause?
}
