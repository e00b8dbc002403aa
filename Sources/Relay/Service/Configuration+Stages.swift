// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Forwarding
import Mail
import NIOCore
import Receiving
import SMTP
import Signing
import Spooling

/// What each stage gets of the configuration, in its own words.
extension Configuration {
    var hostname: String {
        general.hostname.isEmpty ? Machine.name : general.hostname
    }

    func receiving(drainTime: Duration) -> ReceivingConfiguration {
        ReceivingConfiguration(
            hostname: hostname,
            listeners: receivingListeners, limits: receivingLimits, drainTime: drainTime)
    }

    var receivingListeners: [ListenerConfiguration] {
        effectiveListeners.map { listener in
            ListenerConfiguration(
                address: listener.address, port: listener.port,
                bareLineFeed: BareLineFeed(rawValue: listener.bareLineFeed) ?? .reject)
        }
    }

    var receivingLimits: ReceivingLimits {
        ReceivingLimits(
            messageOctets: limits.messageOctets, recipients: limits.recipients,
            commandLineOctets: limits.commandLineOctets, errors: limits.errors, sessions: limits.sessions,
            idleTime: limits.idleTime, transactionTime: limits.transactionTime)
    }

    var intakeConfiguration: RelayIntakeConfiguration {
        RelayIntakeConfiguration(
            hostname: hostname, hidesClientAddress: intake.hidesClientAddress,
            lifetime: retry.lifetime.components.seconds,
            rewriteRules: RewriteRules(rewrites.compactMap { try? $0.rule }),
            applications: applications.compactMap { try? $0.fields })
    }

    var spoolConfiguration: SpoolConfiguration {
        SpoolConfiguration(
            directory: resolve(spool.directory), minimumFree: .fraction(Double(spool.minimumFreePercent) / 100),
            maximumMessages: spool.maximumMessages, maximumOctets: Int64(spool.maximumOctets))
    }

    var resolver: ResolverConfiguration {
        var resolver = ResolverConfiguration()
        resolver.servers = dns.servers.compactMap { ServerAddress($0) }
        return resolver
    }

    /// Who proves keys in place of the zones' name servers.
    var authoritativeServers: [ServerAddress] {
        dns.authoritativeServers.compactMap { ServerAddress($0) }
    }

    /// Domains that the file allows to go without a signature.
    var unsignedDomains: Set<Domain> {
        Set(domains.filter(\.isUnsigned).compactMap { Domain($0.name) })
    }

    var signingPolicy: SigningPolicy {
        var policy = SigningPolicy()
        policy.lifetime = signing.expiry.components.seconds
        return policy
    }

    var retrySchedule: RetrySchedule {
        RetrySchedule(
            firstMilliseconds: retry.first.components.seconds * 1000,
            maximumMilliseconds: retry.maximum.components.seconds * 1000)
    }

    var routingTable: RoutingTable {
        RoutingTable(effectiveRoutes.map(route))
    }

    private func route(_ settings: RouteSettings) -> Route {
        Route(
            name: settings.name, recipientDomains: settings.to.compactMap { DomainPattern($0) },
            target: target(settings),
            signing: RouteSigning(ed25519: settings.ed25519, isUnsigned: settings.isUnsigned),
            allowsPrivateTargets: settings.allowsPrivateTargets,
            tls: ClientTLS(rawValue: settings.tls) ?? .opportunistic, maximumConnections: settings.connections,
            maximumMessagesPerConnection: settings.messagesPerConnection)
    }

    private func target(_ settings: RouteSettings) -> Route.Target {
        if let smarthost = HostAndPort(settings.smarthost, defaultPort: 25) {
            return .smarthost(host: smarthost.host, port: smarthost.port)
        }
        return settings.capture.isEmpty ? .mx(port: settings.port) : .capture(directory: resolve(settings.capture))
    }
}
