// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS

/// How key records get into DNS without the operator: one `[[publisher]]` of the configuration.
package struct PublisherSettings: Hashable, Sendable {
    /// Who writes the record.
    package enum Method: Hashable, Sendable {
        case rfc2136(DynamicUpdateSettings)
        case command(HookSettings)
    }

    /// Where the records of keys are delegated to (CNAME).
    package struct Delegation: Hashable, Sendable {
        /// The zone that Waxwing writes to: records stand at `<selector>.<domain>.<zone>`.
        package var zone: String
        /// The two selectors of RSA keys and the two of Ed25519 keys, whose record names are aliases for good.
        package var rsaSelectors: [Selector]
        package var ed25519Selectors: [Selector]

        package init(zone: String, rsaSelectors: [Selector], ed25519Selectors: [Selector]) {
            self.zone = zone
            self.rsaSelectors = rsaSelectors
            self.ed25519Selectors = ed25519Selectors
        }
    }

    package var name: String
    package var method: Method
    /// Nil: records are written at their own names.
    package var delegation: Delegation?

    package init(name: String, method: Method, delegation: Delegation? = nil) {
        self.name = name
        self.method = method
        self.delegation = delegation
    }
}

/// RFC 2136: which server is asked to change a zone, and the key that it knows us by.
package struct DynamicUpdateSettings: Hashable, Sendable {
    package var server: ServerAddress
    /// Nil: found by the SOA record of the name's zone.
    package var zone: String?
    /// Nil only for servers that go by the address.
    package var key: TSIGKey?

    package init(server: ServerAddress, zone: String? = nil, key: TSIGKey? = nil) {
        self.server = server
        self.zone = zone
        self.key = key
    }
}

/// A program of the operator's that publishes records.
package struct HookSettings: Hashable, Sendable {
    /// The program's absolute path, then its arguments; no shell is between.
    package var command: [String]
    /// Seconds until it is ended.
    package var timeLimit: Int64

    package init(command: [String], timeLimit: Int64 = 30) {
        self.command = command
        self.timeLimit = timeLimit
    }
}
