// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
internal import NIOCore
internal import SMTP

/// Mail of users of this machine that comes without a session.
extension ReceivingService {
    /// Who a user is, or why this user may not submit, or not now; counts the message among those of the application.
    ///
    /// - Parameter userID: as the kernel knows it.
    package func admission(
        ofUser userID: UInt32, recipients: Int, octets: Int
    ) -> Result<Principal, IntakeRefusal> {
        let peer = Peer(userID: userID, processID: 0)
        let applications = authenticator.applications
        guard let terms = applications.terms(of: peer) else {
            // A file's owner is the one who wrote it here, also if that is nobody: unlike the peer of a socket, it does
            // not come out of another user namespace.
            guard applications.allowsLocalPeers else { return .failure(.userUnclaimed(userID)) }
            return .success(Principal(application: nil, name: "uid \(userID)", isAuthenticated: false))
        }
        let principal = terms.principal
        if let limit = terms.maximumMessageOctets, octets > limit {
            return .failure(.beyondLimit("octets", limit, of: principal.name))
        }
        if let limit = terms.maximumRecipients, recipients > limit {
            return .failure(.beyondLimit("recipients", limit, of: principal.name))
        }
        let now = NIODeadline.now().uptimeNanoseconds
        if let refusal = rates.admit(principal, now: now) { return .failure(refusal) }
        rates.charge(principal, .recipients, recipients, now: now)
        rates.charge(principal, .octets, octets, now: now)
        return .success(principal)
    }
}

extension IntakeRefusal {
    fileprivate static func userUnclaimed(_ userID: UInt32) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 7, 1),
            lines: ["no [[app]] names the user \(userID) in users, and [apps] local is false"])
    }

    fileprivate static func beyondLimit(_ what: String, _ limit: Int, of application: String) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 552, status: EnhancedStatusCode(5, 3, 4),
            lines: ["the application \(application) may send \(limit) \(what) in a message at most"])
    }
}
