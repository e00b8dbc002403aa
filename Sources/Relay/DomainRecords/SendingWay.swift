// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail

/// A way by which mail leaves this host for the world.
enum SendingWay: Hashable, Sendable {
    /// To the MX hosts of the recipients: receivers see this host.
    case mx
    /// Receivers see the smarthost's own senders.
    case smarthost(host: String, RouteProfile)

    /// Each way that a route of the configuration takes, once.
    static func ways(of routes: [RouteSettings]) -> [SendingWay] {
        var ways: [SendingWay] = []
        for route in routes where route.capture.isEmpty {
            var way = SendingWay.mx
            if let smarthost = HostAndPort(route.smarthost, defaultPort: 25) {
                way = .smarthost(host: smarthost.host.lowercased(), route.knownProfile ?? .generic)
            }
            if !ways.contains(way) { ways.append(way) }
        }
        return ways
    }

    var words: String {
        switch self {
        case .mx: "to the recipients' MX hosts"
        case .smarthost(let host, _): "through \(host)"
        }
    }
}

/// What a smarthost needs of the SPF record of a domain.
struct SmarthostSPF: Hashable, Sendable {
    /// The domain whose record lists the provider's senders; nil: not known.
    var include: String?
    /// The provider puts a reverse-path of its own in place of ours, unless it is told otherwise, so that SPF is checked
    /// against its domain.
    var replacesReversePath = false

    /// From the providers' own documentation.
    init(_ profile: RouteProfile) {
        switch profile {
        case .generic: break
        case .ses: (include, replacesReversePath) = ("amazonses.com", true)
        case .sendgrid: (include, replacesReversePath) = ("sendgrid.net", true)
        case .mailgun: (include, replacesReversePath) = ("mailgun.org", true)
        case .postmark: (include, replacesReversePath) = ("spf.mtasv.net", true)
        case .smtpCom: include = "_spf.smtp.com"
        case .gmailRelay: include = "_spf.google.com"
        case .microsoft365: include = "spf.protection.outlook.com"
        }
    }
}

extension SendingWay {
    /// What is needed in the SPF record of a domain; nil: nothing that could be known.
    func spfTerm(hostname: String, addresses: [IPAddress]) -> String? {
        switch self {
        case .mx:
            // A name follows the host to another address; addresses stand in where there is no name.
            if DomainRecords.isHostName(hostname) { return "a:\(hostname)" }
            let terms = addresses.map { "ip\($0.isIPv6 ? 6 : 4):\($0)" }
            return terms.isEmpty ? nil : terms.joined(separator: " ")
        case .smarthost(let host, let profile):
            if let include = SmarthostSPF(profile).include { return "include:\(include)" }
            if let address = IPAddress(host) {
                return address.isGlobal ? "ip\(address.isIPv6 ? 6 : 4):\(address)" : nil
            }
            return DomainRecords.isHostName(host) ? "a:\(host)" : nil
        }
    }

    /// Whether receivers look at the domain's own record for mail that leaves this way.
    var usesReversePath: Bool {
        switch self {
        case .mx: true
        case .smarthost(_, let profile): !SmarthostSPF(profile).replacesReversePath
        }
    }
}
