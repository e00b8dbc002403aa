// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A shared secret between us and a name server (RFC 8945).
package struct TSIGKey: Hashable, Sendable {
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case hmacSHA256 = "hmac-sha256"
        case hmacSHA384 = "hmac-sha384"
        case hmacSHA512 = "hmac-sha512"
    }

    package var name: String
    package var algorithm: Algorithm
    /// In base64.
    package var secret: String

    package init(name: String, algorithm: Algorithm, secret: String) {
        self.name = name
        self.algorithm = algorithm
        self.secret = secret
    }
}

/// What is to stand at a name from now on.
///
/// Carrying it out twice is the same as once.
package struct TextUpdate: Hashable, Sendable {
    package var name: String
    /// The only text record wanted; nil: none.
    package var wanted: String?
    /// The texts that may stand there now; anything else is somebody else's and stays.
    package var replaceable: [String]
    /// Seconds.
    package var ttl: UInt32

    package init(name: String, wanted: String?, replaceable: [String], ttl: UInt32) {
        self.name = name
        self.wanted = wanted
        self.replaceable = replaceable
        self.ttl = ttl
    }
}

/// Why a zone was not changed.
package struct UpdateError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// What we were told to do can't be written down.
        case invalid
        /// No answer, or not in time.
        case unreachable
        /// The name is an alias: no record can stand beside it.
        case alias
        /// A text record that is not ours.
        case foreignRecord
        /// Somebody else changed the name between the look and the change, twice.
        case changedMeanwhile
        /// The server's policy.
        case refused
        /// The server does not hold the zone, or is not the one where it is changed.
        case notAuthoritative
        /// The name is not in the zone.
        case notZone
        /// TSIG: the name of the key, or its algorithm.
        case unknownKey
        case wrongSecret
        case clocksDiffer
        /// The answer is not the server's, as far as its signature shows.
        case untrustedReply
        case serverFailure
    }

    package var kind: Kind
    /// What, where, and how to mend it, in one line of ASCII.
    package var text: String

    package var description: String { text }

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}
