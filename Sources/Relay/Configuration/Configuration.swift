// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// Configuration is in charge of what the operator may decide: one value, read from one TOML file, whole or not at all.
///
/// The initial values of its properties are the defaults, and stand nowhere else.
package struct Configuration: Hashable, Sendable {
    /// The directory that relative paths start from: the file's own, or the working directory without a file.
    package var directory: String
    /// The file it was read from; nil when there is none.
    package var file: String?

    package var general = GeneralSettings()
    package var listeners: [ListenerSettings] = []
    package var tls = TLSSettings()
    package var limits = LimitSettings()
    package var intake = IntakeSettings()
    package var rewrites: [RewriteSettings] = []
    package var local = LocalSettings()
    package var capture = CaptureSettings()
    package var applications: [ApplicationSettings] = []
    package var access = AccessSettings()
    package var keys = KeySettings()
    package var spool = SpoolSettings()
    package var control = ControlSettings()
    package var sendmail = SendmailSettings()
    package var dns = DNSSettings()
    package var signing = SigningSettings()
    package var retry = RetrySettings()
    package var rotation = RotationTable()
    package var publishers: [PublisherTable] = []
    package var domains: [DomainSettings] = []
    package var routes: [RouteSettings] = []
    package var log = LogSettings()

    /// Where in the file each of them stands.
    var locator = KeyLocator("")

    package init(directory: String, file: String? = nil) {
        self.directory = directory
        self.file = file
    }

    /// The listeners of the file, or the one on loopback that stands for none.
    package var effectiveListeners: [ListenerSettings] {
        listeners.isEmpty ? [ListenerSettings()] : listeners
    }

    /// The routes of the file, or the one to everybody's MX hosts that stands for none.
    ///
    /// What a provider's rules settle is settled here: which profile a smarthost's name tells, and its limits.
    package var effectiveRoutes: [RouteSettings] {
        if !routes.isEmpty { return routes.map(\.withRulesOfProfile) }
        var route = RouteSettings()
        route.name = "mx"
        route.mx = true
        return [route]
    }

    /// A path of the configuration as the system calls take it.
    package func resolve(_ path: String) -> String {
        path.hasPrefix("/") ? path : directory + (directory.hasSuffix("/") ? "" : "/") + path
    }
}

package struct GeneralSettings: Hashable, Sendable {
    /// Empty: the machine's own name.
    package var hostname = ""
}

package struct LimitSettings: Hashable, Sendable {
    package var messageOctets = 50 << 20
    package var recipients = 1000
    package var commandLineOctets = 4096
    package var errors = 20
    package var sessions = 1000
    package var idleTime = Duration.seconds(300)
    package var transactionTime = Duration.seconds(1800)
}

package struct IntakeSettings: Hashable, Sendable {
    package var hidesClientAddress = false
}

package struct RewriteSettings: Hashable, Sendable {
    /// Empty: the rule is for recipients.
    package var from = ""
    /// Empty: the rule is for authors.
    package var recipient = ""
    package var to = ""
}

package struct ApplicationSettings: Hashable, Sendable {
    package var name = ""
    package var from: [String] = []
    /// Empty: no such field.
    package var listUnsubscribe = ""
    package var listUnsubscribePost = false
    /// Empty: no such field.
    package var feedbackID = ""
    package var usesPassword = false
    /// Names or numbers.
    package var users: [String] = []
    package var networks: [String] = []
    package var certificateNames: [String] = []
    /// 0: as `[limits]` says.
    package var messageOctets = 0
    /// 0: as `[limits]` says.
    package var recipients = 0
    package var rates: [String] = []
}

package struct AccessSettings: Hashable, Sendable {
    package var passwordFile = ".waxwing/passwords"
    package var allowsLocalPeers = true
}

package struct KeySettings: Hashable, Sendable {
    package var directory = "Keys"
    /// A path, or `credential:NAME`; empty: private keys have no passphrase.
    package var passphraseFile = ""
}

package struct SpoolSettings: Hashable, Sendable {
    package var directory = ".waxwing/spool"
    package var minimumFreePercent = 5
    package var maximumMessages = 10_000_000
    package var maximumOctets = 100 << 30
}

package struct ControlSettings: Hashable, Sendable {
    package var socket = ".waxwing/control.sock"
    /// Empty: only root and the user that runs the daemon.
    package var group = ""
}

package struct DNSSettings: Hashable, Sendable {
    /// `address` or `address@port`; empty: the servers of resolv.conf.
    package var servers: [String] = []
    /// The same form; empty: the name servers of each key's zone.
    package var authoritativeServers: [String] = []
    /// A path; empty: nothing is validated by Waxwing itself.
    package var trustAnchorFile = ""
}

package struct SigningSettings: Hashable, Sendable {
    package var signatures = SignatureOverrides(SignatureSettings())
}

package struct RetrySettings: Hashable, Sendable {
    package var first = Duration.seconds(300)
    package var maximum = Duration.seconds(4 * 3600)
    package var lifetime = Duration.seconds(5 * 86_400)
}

package struct DomainSettings: Hashable, Sendable {
    package var name = ""
    package var isUnsigned = false
    package var signsBelow = false
    /// Empty: all.
    package var algorithms: [String] = []
    /// Empty: no `i=`.
    package var auid = ""
    package var signatures = SignatureOverrides()
    package var rotation = RotationOverrides()
}

package struct RouteSettings: Hashable, Sendable {
    package var name = ""
    package var to: [String] = ["*"]
    package var mx = false
    /// `host:port`; empty: not a smarthost route.
    package var smarthost = ""
    /// A directory; empty: not a capture route.
    package var capture = ""
    /// Empty: the one that the smarthost's name tells.
    package var profile = ""
    package var port = 25
    package var ed25519: Bool?
    package var isUnsigned = false
    package var signatures = SignatureOverrides()
    package var eightBit = "keep"
    package var allowsPrivateTargets = false
    package var tls = "opportunistic"
    package var connections = 20
    package var messagesPerConnection = 1000

    /// The profile: the one that is named, else the one that the smarthost's name tells; nil if none does.
    package var knownProfile: RouteProfile? {
        if !profile.isEmpty { return RouteProfile(rawValue: profile) }
        return HostAndPort(smarthost, defaultPort: 25).flatMap { RouteProfile(host: $0.host.lowercased()) }
    }

    fileprivate var withRulesOfProfile: RouteSettings {
        guard let profile = knownProfile else { return self }
        var settings = self
        settings.profile = profile.rawValue
        settings.connections = min(connections, profile.rules.connections ?? connections)
        settings.messagesPerConnection = min(
            messagesPerConnection, profile.rules.messagesPerConnection ?? messagesPerConnection)
        return settings
    }
}

package struct LogSettings: Hashable, Sendable {
    package var level = "info"
    package var format = "auto"
}
