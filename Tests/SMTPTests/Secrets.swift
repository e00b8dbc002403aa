// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import SMTP

/// Stands in for whoever knows the secrets.
enum Secrets {
    // RFC 7677 §3
    private static let nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    private static let salt = Base64Text.decode("W22ZaJ0SNY7soEsUEjb6gQ==".utf8) ?? []
    private static let proof = Base64Text.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".utf8)
    private static let signature = Base64Text.decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8) ?? []
    private static let authenticationMessage =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        + "c=biws,r=rOprNGfwEbeRWgbNEkqO\(nonce)"

    static func terms(_ name: String) -> SubmissionTerms {
        SubmissionTerms(
            principal: Principal(application: name, name: name, isAuthenticated: true), maximumMessageOctets: 200,
            maximumRecipients: 2)
    }

    static func answer(_ question: AuthenticationQuestion) -> AuthenticationAnswer {
        switch question {
        case .password(let name, let password):
            name == "news" && password == Array("secret".utf8) ? .accepted(terms(name)) : .rejected
        case .challenge:
            .challenge(ScramChallenge(salt: salt, iterations: 4096, nonce: nonce))
        case .proof(let proof):
            proof.name == "user" && proof.proof == Secrets.proof
                && proof.authenticationMessage == Array(authenticationMessage.utf8)
                ? .accepted(terms(proof.name), serverSignature: signature) : .rejected
        case .certificate(let name):
            name.isEmpty || name == "news" ? .accepted(terms("news")) : .rejected
        }
    }
}
