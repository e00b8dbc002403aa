// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// The ways to prove who one is (SASL mechanisms, RFC 4422) that a session knows.
package enum AuthenticationMechanism: String, Hashable, Sendable, CaseIterable {
    case scramSHA256 = "SCRAM-SHA-256"
    case plain = "PLAIN"
    case login = "LOGIN"
    case external = "EXTERNAL"
}

/// What a session can't know by itself, while a client authenticates: asked of whoever has the secrets.
package enum AuthenticationQuestion: Hashable, Sendable {
    /// PLAIN (RFC 4616) and LOGIN: is this the password of that name?
    case password(name: String, password: [UInt8])
    /// SCRAM (RFC 5802 §5): by which salt and how many iterations was the verifier of that name made?
    case challenge(name: String)
    /// SCRAM: does the client's proof fit the exchange?
    case proof(ScramProof)
    /// EXTERNAL (RFC 4422 appendix A): who does the client's certificate say it is? An empty name asks for nobody in
    /// particular.
    case certificate(name: String)

    /// The name that the client claims; empty if it leaves that to its certificate.
    package var name: String {
        switch self {
        case .password(let name, _), .challenge(let name), .certificate(let name): name
        case .proof(let proof): proof.name
        }
    }
}

/// What a client brings forward in SCRAM.
package struct ScramProof: Hashable, Sendable {
    package var name: String
    /// ClientProof.
    package var proof: [UInt8]
    /// AuthMessage (RFC 5802 §3): everything that was said, which both sides have signed.
    package var authenticationMessage: [UInt8]
}

/// By what a SCRAM client makes its proof.
package struct ScramChallenge: Hashable, Sendable {
    package var salt: [UInt8]
    package var iterations: Int
    /// The server's part of the nonce: printable ASCII without commas.
    package var nonce: String

    package init(salt: [UInt8], iterations: Int, nonce: String) {
        self.salt = salt
        self.iterations = iterations
        self.nonce = nonce
    }
}

/// The answer to an `AuthenticationQuestion`.
package enum AuthenticationAnswer: Hashable, Sendable {
    case challenge(ScramChallenge)
    /// With ServerSignature for SCRAM, else empty.
    case accepted(SubmissionTerms, serverSignature: [UInt8] = [])
    /// Wrong name or wrong secret: nobody is told which.
    case rejected
    /// The answer can't be had now.
    case unavailable
    /// There were too many failures; the session ends.
    case lockedOut
}

/// Who submits, and what holds for it alone.
package struct SubmissionTerms: Hashable, Sendable {
    package var principal: Principal
    /// Octets of one message; nil for those of the listener.
    package var maximumMessageOctets: Int?
    /// Of one message; nil for those of the listener.
    package var maximumRecipients: Int?

    package init(principal: Principal, maximumMessageOctets: Int? = nil, maximumRecipients: Int? = nil) {
        self.principal = principal
        self.maximumMessageOctets = maximumMessageOctets
        self.maximumRecipients = maximumRecipients
    }
}
