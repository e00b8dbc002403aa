// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import SMTP

/// An application that may submit, and how it is known; each way is enough.
package struct Application: Hashable, Sendable {
    package var name: String
    /// By AUTH with its name and a password.
    package var usesPassword: Bool
    /// By the user that its process runs as, on a Unix socket.
    package var userIDs: Set<UInt32>
    /// By the address that it comes from.
    package var networks: [NetworkPrefix]
    /// By AUTH EXTERNAL with a certificate that has one of these names.
    package var certificateNames: [String]
    package var maximumMessageOctets: Int?
    package var maximumRecipients: Int?
    package var rates: [Rate]

    package init(
        name: String, usesPassword: Bool = false, userIDs: Set<UInt32> = [], networks: [NetworkPrefix] = [],
        certificateNames: [String] = [], maximumMessageOctets: Int? = nil, maximumRecipients: Int? = nil,
        rates: [Rate] = []
    ) {
        self.name = name
        self.usesPassword = usesPassword
        self.userIDs = userIDs
        self.networks = networks
        self.certificateNames = certificateNames
        self.maximumMessageOctets = maximumMessageOctets
        self.maximumRecipients = maximumRecipients
        self.rates = rates
    }

    func terms(isAuthenticated: Bool) -> SubmissionTerms {
        SubmissionTerms(
            principal: Principal(application: name, name: name, isAuthenticated: isAuthenticated),
            maximumMessageOctets: maximumMessageOctets, maximumRecipients: maximumRecipients)
    }
}

/// Applications is in charge of who may submit: what is known of a peer before it says a word, and who it is by its
/// certificate.
///
/// Without any application, programs of this machine may submit, and nobody else: never an open relay.
package struct Applications: Hashable, Sendable {
    /// What the kernel shows for a user that the process's own user namespace does not know (user_namespaces(7)):
    /// it is nobody in particular, and may be anybody.
    package static let overflowUserID: UInt32 = 65_534

    package var applications: [Application]
    package var passwords: PasswordTable
    /// Programs of this machine that no application claims may submit too.
    package var allowsLocalPeers: Bool

    package init(
        _ applications: [Application] = [], passwords: PasswordTable = PasswordTable(), allowsLocalPeers: Bool = true
    ) {
        self.applications = applications
        self.passwords = passwords
        self.allowsLocalPeers = allowsLocalPeers
    }

    /// Some application can authenticate with a password.
    var hasPasswords: Bool {
        applications.contains { $0.usesPassword && passwords.contains($0.name) }
    }

    var hasCertificates: Bool {
        applications.contains { !$0.certificateNames.isEmpty }
    }

    var rates: [String: [Rate]] {
        Dictionary(applications.map { ($0.name, $0.rates) }, uniquingKeysWith: { first, _ in first })
    }

    /// The terms of a peer that an application claims; the first that does.
    func terms(of peer: Peer) -> SubmissionTerms? {
        let application = applications.first { application in
            if let userID = peer.userID {
                return userID != Applications.overflowUserID && application.userIDs.contains(userID)
            }
            guard let address = peer.address else { return false }
            return application.networks.contains { $0.contains(address) }
        }
        return application?.terms(isAuthenticated: false)
    }

    /// Whether a peer that nobody claims may submit.
    func allowsUnclaimed(_ peer: Peer) -> Bool {
        allowsLocalPeers && peer.isLocal && peer.userID != Applications.overflowUserID
    }

    /// The terms of who authenticates by a password; nil for a name that may not.
    func terms(ofName name: String) -> SubmissionTerms? {
        applications.first { $0.usesPassword && Applications.isSame($0.name, name) }?.terms(isAuthenticated: true)
    }

    /// The terms of who shows a certificate with these names.
    ///
    /// - Parameter name: the application that it asks to be; empty for whichever the certificate is for.
    func terms(ofCertificate names: [String], as name: String) -> SubmissionTerms? {
        let shown = Set(names.map { $0.lowercased() })
        let application = applications.first { application in
            (name.isEmpty || Applications.isSame(application.name, name))
                && application.certificateNames.contains { shown.contains($0.lowercased()) }
        }
        return application?.terms(isAuthenticated: true)
    }

    /// Octet by octet: a Swift String compares by canonical equivalence.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }
}
