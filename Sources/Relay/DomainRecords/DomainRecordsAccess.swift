// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS
import Logging
package import Mail
import Signing

/// DomainRecordsAccess is in charge of what `waxwing dns` rests on: the configuration, the key directory, the addresses
/// of this machine and the DNS.
package struct DomainRecordsAccess: Sendable {
    private let configuration: Configuration
    private let addresses: [IPAddress]

    /// - Parameter addresses: what mail leaves from, in place of what the kernel says; empty: that.
    package init(_ configuration: Configuration, addresses: [IPAddress] = []) {
        self.configuration = configuration
        self.addresses = addresses
    }

    /// - Throws: `KeyError`.
    package func records(of domain: Domain) async throws -> DomainRecords {
        let store = KeyStore(directory: configuration.resolve(configuration.keys.directory))
        // An address that no host of the Internet can have is another one to them.
        let known = addresses.isEmpty ? await SourceAddresses.find().filter(\.isGlobal) : addresses
        let policies = configuration.signingPolicies
        let (credentials, limit) = await credentials(of: policies.sdids(for: domain))
        var keys = try KnownKeys(of: domain, store, policies, credentials: credentials)
        keys.limit = limit
        return DomainRecords(domain, configuration, keys, addresses: known)
    }

    /// What the daemon tells of keys: nobody else can read those among the credentials of the service.
    private func credentials(of domains: [Domain]) async -> ([Signing.KeyDocument], KnownKeys.Limit?) {
        let client = ControlClient(socketPath: configuration.resolve(configuration.control.socket))
        var keys: [Signing.KeyDocument] = []
        do throws(ControlError) {
            for domain in domains {
                let response = try await client.post(
                    "/v1/keys", KeyRequest(.list, domain: domain.name), as: KeyResponse.self)
                guard !response.isError, let documents = response.keys else {
                    return (keys, .noAnswer(PrintableText.of(response.text, limit: 200)))
                }
                keys += documents
            }
        } catch {
            if case .noDaemon = error { return (keys, .noDaemon) }
            return (keys, .noAnswer("\(error)"))
        }
        return (keys, nil)
    }

    /// - Throws: `KeyError`, and `DNSError` when the resolver does not start.
    package func check(_ domain: Domain) async throws -> DomainRecordsDocument {
        let records = try await records(of: domain)
        var settings = configuration.resolver
        settings.timeLimit = DomainRecordsAccess.timeLimit
        // What this machine has been told aside from the DNS is not what others see.
        settings.hostsFile = nil
        let logger = Logger(label: "waxwing", factory: { _ in SwiftLogNoOpLogHandler() })
        let resolver = try UnboundResolver(settings, logger: logger)
        let prover = KeyProver(resolver: resolver, servers: configuration.authoritativeServers)
        let lookup = RecordLookup(resolver) { address throws(DNSError) in try await resolver.names(of: address) }
        return await DomainRecordCheck(records, lookup) { await prover.look(at: $0) }.run()
    }

    /// Of one question.
    private static let timeLimit = Duration.seconds(5)
}
