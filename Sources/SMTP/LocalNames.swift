// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What local-parts alone become, such as `<root>`, where a peer on the same machine may write them.
///
/// RFC 5321 §4.1.2 has a domain in every path but `<Postmaster>`; programs that mail the users of a machine leave it
/// out.
package struct LocalNames: Hashable, Sendable {
    /// Behind the local-part of a reverse-path, which the world must be able to answer.
    package let domain: Domain
    /// Behind the local-part of a forward-path: it is still to be seen who that user is.
    let host: Domain

    /// Nil without a domain.
    package init?(_ domain: Domain?) {
        guard let domain, let host = Domain("localhost") else { return nil }
        self.domain = domain
        self.host = host
    }
}
