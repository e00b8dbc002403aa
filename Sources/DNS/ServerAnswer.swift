// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What one name server said about the text records of a name.
package struct ServerAnswer: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The strings of each record joined; at least one record.
        case records([[UInt8]])
        /// The name is an alias of another, which this server does not know.
        case alias(String)
        /// The name exists, without a text record.
        case noData
        /// The name does not exist (NXDOMAIN).
        case nameError
        /// The server says that others are in charge of the name: their names.
        case referral([String])
        /// The server answered without an answer: `SERVFAIL`, `REFUSED`, not authoritative, …
        case failure(String)
        /// No answer came, over UDP or over TCP.
        case unreachable(String)
    }

    /// Such as `ns1.example.com (192.0.2.53)`.
    package var server: String
    package var kind: Kind

    package init(server: String, kind: Kind) {
        self.server = server
        self.kind = kind
    }
}
