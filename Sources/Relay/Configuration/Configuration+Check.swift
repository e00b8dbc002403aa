// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Forwarding
import Glibc
import Mail

extension Configuration {
    /// What one value alone can't tell: settings against each other, and against this machine.
    func check(_ locator: KeyLocator) throws(ConfigurationError) {
        var checker = ConfigurationChecker(configuration: self, locator: locator)
        checker.checkNames()
        checker.checkListeners()
        checker.checkDoors()
        checker.checkRewrites()
        checker.checkLocal()
        checker.checkCapture()
        checker.checkApplications()
        checker.checkRetry()
        checker.checkRoutes()
        checker.checkSigning()
        checker.checkPublishers()
        checker.checkRotation()
        checker.checkPaths()
        checker.checkSendmail()
        guard checker.faults.isEmpty else {
            throw ConfigurationError(checker.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
        }
    }
}

struct ConfigurationChecker {
    let configuration: Configuration
    let locator: KeyLocator
    var faults: [ConfigurationFault] = []

    init(configuration: Configuration, locator: KeyLocator) {
        self.configuration = configuration
        self.locator = locator
    }

    mutating func add(_ path: [KeyLocator.Step], _ problem: String, _ remedy: String) {
        faults.append(
            ConfigurationFault(
                file: configuration.file, line: locator.line(of: path), key: KeyLocator.text(of: path),
                problem: problem, remedy: remedy))
    }

    // MARK: - Names

    mutating func checkNames() {
        let hostname = configuration.general.hostname
        if !hostname.isEmpty, Domain(hostname) == nil {
            add(
                [.key("hostname")], "\"\(hostname)\" is not a domain name",
                "Write the name of this machine, such as \"relay.example.com\"")
        }
        let group = configuration.control.group
        if !group.isEmpty, GroupDatabase.identifier(of: group) == nil {
            add(
                [.key("control"), .key("group")], "there is no group \"\(group)\" on this machine",
                "Create it (groupadd \(group)) or leave the setting out")
        }
        var seen: Set<Domain> = []
        for (index, domain) in configuration.domains.enumerated() {
            let path: [KeyLocator.Step] = [.key("domain"), .index(index), .key("name")]
            guard let name = Domain(domain.name) else {
                let problem = domain.name.isEmpty ? "the table has no name" : "\"\(domain.name)\" is not a domain name"
                add(path, problem, "Write a domain, such as name = \"example.com\"")
                continue
            }
            if !seen.insert(name).inserted {
                add(path, "there is already a [[domain]] \"\(name)\"", "Put the settings of both into one table")
            }
        }
        checkServers(configuration.dns.servers, at: "servers")
        checkServers(configuration.dns.authoritativeServers, at: "authoritative-servers")
    }

    private mutating func checkServers(_ servers: [String], at key: String) {
        for (index, server) in servers.enumerated() where ServerAddress(server) == nil {
            add(
                [.key("dns"), .key(key), .index(index)], "\"\(server)\" is not an address",
                "Write an IP address, with @port if it is not 53, such as \"127.0.0.1@5353\"")
        }
    }

    // MARK: - Listeners

    mutating func checkListeners() {
        var seen: Set<ListenerSettings.Place> = []
        for (index, listener) in configuration.listeners.enumerated() where listener.hasAddress {
            let path: [KeyLocator.Step] = [.key("listener"), .index(index), .key("address")]
            guard let address = IPAddress(listener.address) else {
                add(
                    path, "\"\(listener.address)\" is not an IP address",
                    "Write an address of this machine, such as \"127.0.0.1\" or \"::1\"")
                continue
            }
            checkReach(of: address, at: path)
            if listener.port != 0, !seen.insert(listener.place).inserted {
                add(
                    path, "there is already a listener on \(listener.address) port \(listener.port)",
                    "Remove one of the two tables")
            }
        }
    }

    // MARK: - Retry

    mutating func checkRetry() {
        let retry = configuration.retry
        if retry.first > retry.maximum {
            add(
                [.key("retry"), .key("first")], "the first wait is longer than the longest one (retry.maximum)",
                "Make retry.first the smaller of the two")
        }
        if retry.maximum > retry.lifetime {
            add(
                [.key("retry"), .key("maximum")], "the longest wait is longer than a message's life (retry.lifetime)",
                "Make retry.maximum the smaller of the two")
        }
    }

    // MARK: - Routes

    mutating func checkRoutes() {
        var names: Set<String> = []
        for (index, route) in configuration.routes.enumerated() {
            let path: [KeyLocator.Step] = [.key("route"), .index(index)]
            if route.name.isEmpty {
                add(path + [.key("name")], "the route has no name", "Write one, such as name = \"internet\"")
            } else if !names.insert(route.name).inserted {
                add(
                    path + [.key("name")], "there is already a route \"\(route.name)\"",
                    "Give each route a name of its own")
            }
            checkTarget(of: route, at: path)
            if route.to.isEmpty {
                add(path + [.key("to")], "the route is for no domain", "Write to = [\"*\"] for all, or leave it out")
            }
            for (place, pattern) in route.to.enumerated() where DomainPattern(pattern) == nil {
                add(
                    path + [.key("to"), .index(place)], "\"\(pattern)\" is no domain pattern",
                    "Write a domain, *.domain for everything below it, or * for all")
            }
        }
        // An earlier route for everybody leaves nothing to a later one.
        if let first = configuration.routes.firstIndex(where: { $0.to.contains("*") }),
            first + 1 < configuration.routes.count
        {
            add(
                [.key("route"), .index(first + 1)],
                "no mail gets here: the route \"\(configuration.routes[first].name)\" before it is for all domains",
                "Put the route for all domains last")
        }
    }

    private mutating func checkTarget(of route: RouteSettings, at path: [KeyLocator.Step]) {
        let targets = [route.mx, !route.smarthost.isEmpty, !route.capture.isEmpty].count { $0 }
        if targets != 1 {
            let problem =
                targets == 0 ? "the route says nothing about where mail goes" : "the route goes to more than one place"
            add(path, problem, "Write exactly one of mx = true, smarthost = \"host:port\" and capture = \"DIRECTORY\"")
        }
        if !route.smarthost.isEmpty, HostAndPort(route.smarthost, defaultPort: 25) == nil {
            add(
                path + [.key("smarthost")], "\"\(route.smarthost)\" is not a host and port",
                "Write a name or an address, such as \"smtp.example.net:587\" or \"[::1]:2525\"")
        }
    }

    // MARK: - Paths

    mutating func checkPaths() {
        checkDirectory(configuration.keys.directory, at: [.key("keys"), .key("directory")])
        checkDirectory(configuration.spool.directory, at: [.key("spool"), .key("directory")])
        for (index, route) in configuration.routes.enumerated() where !route.capture.isEmpty {
            checkDirectory(route.capture, at: [.key("route"), .index(index), .key("capture")])
        }
        let socket = configuration.resolve(configuration.control.socket)
        let path: [KeyLocator.Step] = [.key("control"), .key("socket")]
        // struct sockaddr_un holds 108 octets with the final zero.
        if socket.utf8.count > 107 {
            add(
                path, "the path \(socket) is longer than the 107 octets of a Unix socket's name",
                "Choose a shorter one, such as \"/run/waxwing/control.sock\"")
        }
        checkDirectory(configuration.control.socket, at: path, isFile: true)
        checkTrustAnchor()
    }

    /// Whether the content is as it should be is seen by the resolver that reads it.
    private mutating func checkTrustAnchor() {
        guard !configuration.dns.trustAnchorFile.isEmpty else { return }
        let path: [KeyLocator.Step] = [.key("dns"), .key("trust-anchor")]
        let file = configuration.resolve(configuration.dns.trustAnchorFile)
        let remedy = "Name a file with the DS or DNSKEY records of the zones to check, or leave the setting out"
        if !ConfigurationFile.exists(file) {
            add(path, "there is no file \(file)", remedy)
        } else if FileKind.isDirectory(file) {
            add(path, "\(file) is a directory", remedy)
        }
    }

    /// Directories below the configuration's own are made when they are needed; others must have a parent.
    private mutating func checkDirectory(_ setting: String, at path: [KeyLocator.Step], isFile: Bool = false) {
        guard !setting.isEmpty else {
            add(path, "the path is empty", "Write one, or leave the setting out")
            return
        }
        let resolved = configuration.resolve(setting)
        if !isFile, ConfigurationFile.exists(resolved) {
            if !FileKind.isDirectory(resolved) {
                add(path, "\(resolved) is not a directory", "Name a directory")
            }
            return
        }
        guard setting.hasPrefix("/") else { return }
        let parent = ConfigurationFile.directory(of: resolved, from: "/")
        if !FileKind.isDirectory(parent) {
            add(path, "there is no directory \(parent)", "Create it: mkdir -p \(parent)")
        }
    }
}
