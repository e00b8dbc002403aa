// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS

/// RecordLookup is in charge of the questions of one check: all of them together have one time limit.
package struct RecordLookup: Resolver {
    /// The names that the DNS gives an address.
    package typealias Names = @Sendable (IPAddress) async throws(DNSError) -> [String]

    private let resolver: any Resolver
    private let names: Names
    private let deadline: ContinuousClock.Instant

    /// - Parameter timeLimit: after it no further question is asked; those that are open take as long as the resolver
    ///   gives them.
    package init(_ resolver: any Resolver, names: @escaping Names, timeLimit: Duration = .seconds(10)) {
        self.resolver = resolver
        self.names = names
        self.deadline = ContinuousClock.now + timeLimit
    }

    package func mx(_ name: String) async throws(DNSError) -> MXAnswer {
        try mayAsk()
        return try await resolver.mx(name)
    }

    package func addresses(_ host: String) async throws(DNSError) -> [IPAddress] {
        try mayAsk()
        return try await resolver.addresses(host)
    }

    package func txt(_ name: String) async throws(DNSError) -> TXTAnswer {
        try mayAsk()
        return try await resolver.txt(name)
    }

    /// The names of an address (PTR), at least one.
    func names(of address: IPAddress) async throws(DNSError) -> [String] {
        try mayAsk()
        return try await names(address)
    }

    private func mayAsk() throws(DNSError) {
        guard ContinuousClock.now < deadline else { throw .temporary("the DNS took too long to answer") }
    }
}
