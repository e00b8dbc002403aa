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

    var receivingLimits: ReceivingLimits {
        var receivingLimits = ReceivingLimits(
            messageOctets: limits.messageOctets, recipients: limits.recipients,
            commandLineOctets: limits.commandLineOctets, errors: limits.errors, sessions: limits.sessions,
            idleTime: limits.idleTime, transactionTime: limits.transactionTime)
        receivingLimits.localDomain = Domain(local.domain)
        return receivingLimits
    }

    var intakeConfiguration: RelayIntakeConfiguration {
        var configuration = RelayIntakeConfiguration(
            hostname: hostname, hidesClientAddress: intake.hidesClientAddress,
            lifetime: retry.lifetime.components.seconds,
            rewriteRules: RewriteRules(rewrites.filter { $0.recipient.isEmpty }.compactMap { try? $0.rule }),
            applications: applications.compactMap { try? $0.fields },
            routes: effectiveRoutes.map(\.name))
        configuration.localMail = localMail
        configuration.aliasFile = local.aliases.isEmpty ? nil : resolve(local.aliases)
        return configuration
    }

    var spoolConfiguration: SpoolConfiguration {
        SpoolConfiguration(
            directory: resolve(spool.directory), minimumFree: .fraction(Double(spool.minimumFreePercent) / 100),
            maximumMessages: spool.maximumMessages, maximumOctets: Int64(spool.maximumOctets))
    }

    var resolver: ResolverConfiguration {
        var resolver = ResolverConfiguration()
        resolver.servers = dns.servers.compactMap { ServerAddress($0) }
        resolver.trustAnchorFile = dns.trustAnchorFile.isEmpty ? nil : resolve(dns.trustAnchorFile)
        return resolver
    }

    /// Who proves keys in place of the zones' name servers.
    var authoritativeServers: [ServerAddress] {
        dns.authoritativeServers.compactMap { ServerAddress($0) }
    }

    var signingPolicies: SigningPolicies {
        var policies = SigningPolicies()
        policies.general = SignatureSettings().overridden(by: signing.signatures)
        for settings in domains {
            guard let domain = Domain(settings.name) else { continue }
            var policy = SigningPolicy()
            if !settings.algorithms.isEmpty {
                policy.algorithms = Set(settings.algorithms.compactMap { SigningPolicy.Algorithm(rawValue: $0) })
            }
            policy.auid = settings.auid.isEmpty ? nil : settings.auid
            policy.isUnsigned = settings.isUnsigned
            policy.signsBelow = settings.signsBelow
            policy.overrides = settings.signatures
            policies.domains[domain] = policy
        }
        return policies
    }

    var retrySchedule: RetrySchedule {
        RetrySchedule(
            firstMilliseconds: retry.first.components.seconds * 1000,
            maximumMilliseconds: retry.maximum.components.seconds * 1000)
    }

    var routingTable: RoutingTable {
        RoutingTable(effectiveRoutes.map(route), capture: effectiveCapture)
    }

    private func route(_ settings: RouteSettings) -> Route {
        let profile = RouteProfile(rawValue: settings.profile)
        return Route(
            name: settings.name, recipientDomains: settings.to.compactMap { DomainPattern($0) },
            target: target(settings),
            signing: RouteSigning(
                profile: profile, ed25519: settings.ed25519, isUnsigned: settings.isUnsigned,
                overrides: settings.signatures),
            encodesEightBit: settings.eightBit == "encode", allowsPrivateTargets: settings.allowsPrivateTargets,
            tls: ClientTLS(rawValue: settings.tls) ?? .opportunistic, maximumConnections: settings.connections,
            maximumMessagesPerConnection: settings.messagesPerConnection,
            maximumRecipients: profile?.rules.recipients ?? 100)
    }

    private func target(_ settings: RouteSettings) -> Route.Target {
        let profile = RouteProfile(rawValue: settings.profile) ?? .generic
        if let smarthost = HostAndPort(settings.smarthost, defaultPort: profile.rules.port) {
            return .smarthost(host: smarthost.host, port: smarthost.port)
        }
        return settings.capture.isEmpty ? .mx(port: settings.port) : .capture(directory: resolve(settings.capture))
    }
}
