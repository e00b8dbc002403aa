// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Whom `UnboundResolver` asks and how long it waits.
package struct ResolverConfiguration: Hashable, Sendable {
    /// Recursive servers to ask; empty takes those of `resolvConf`.
    package var servers: [ServerAddress] = []
    /// Read once, when the resolver is made.
    ///
    /// Without it names are resolved from the root.
    package var resolvConf = "/etc/resolv.conf"
    /// Names and addresses that need no DNS; nil for none.
    package var hostsFile: String? = "/etc/hosts"
    /// A file of DS or DNSKEY records in the form of a zone file: answers from their zones must bear valid signatures.
    ///
    /// Read once, when the resolver is made; nil: nothing is validated.
    package var trustAnchorFile: String?
    /// How long one question may take, whatever libunbound still tries (a dead server costs it 17 s).
    package var timeLimit = Duration.seconds(10)
    /// Questions that libunbound works on at once; further ones wait their turn.
    package var maximumInFlight = 1000
    /// Questions that wait their turn; further ones are refused as temporary.
    package var maximumWaiting = 10_000

    package init() {}
}
