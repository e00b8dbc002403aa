// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation
import Mail
import Signing

/// What would leave keys unpublished, or is asked for twice in two ways.
extension ConfigurationChecker {
    private typealias Path = [KeyLocator.Step]

    // MARK: - Rotation

    mutating func checkRotation() {
        checkPublisher(configuration.rotation.rotation, at: [.key("rotation")])
        for (index, domain) in configuration.domains.enumerated() {
            checkPublisher(domain.rotation, at: [.key("domain"), .index(index)])
        }
        checkSecretFile(configuration.keys.passphraseFile, at: [.key("keys"), .key("passphrase-file")])
    }

    private mutating func checkPublisher(_ overrides: RotationOverrides, at path: Path) {
        guard let name = overrides.publisher, name != PublisherTable.byHand else { return }
        let known = configuration.publishers.map(\.name)
        guard !known.contains(name) else { return }
        let path = path + [.key("publisher")]
        let nearest = known.map { ($0, EditDistance.between($0, name)) }.min { $0.1 < $1.1 }
        if let nearest, nearest.1 <= 2 {
            add(path, "there is no [[publisher]] \"\(name)\"", "Did you mean \"\(nearest.0)\"?")
        } else {
            add(
                path, "there is no [[publisher]] \"\(name)\"",
                "Write "
                    + (known + [PublisherTable.byHand]).map { "\"\($0)\"" }.joined(separator: " or ")
                    + ", or add a table [[publisher]] with that name")
        }
    }

    // MARK: - Publishers

    mutating func checkPublishers() {
        var names: Set<String> = []
        for (index, publisher) in configuration.publishers.enumerated() {
            let path: Path = [.key("publisher"), .index(index)]
            if publisher.name.isEmpty {
                add(path + [.key("name")], "the publisher has no name", "Write one, such as name = \"primary\"")
            } else if publisher.name == PublisherTable.byHand {
                add(
                    path + [.key("name")], "\"\(publisher.name)\" stands for publishing by hand",
                    "Choose another name, such as \"primary\"")
            } else if !names.insert(publisher.name).inserted {
                add(
                    path + [.key("name")], "there is already a publisher \"\(publisher.name)\"",
                    "Give each publisher a name of its own")
            }
            switch publisher.kind {
            case nil:
                add(
                    path + [.key("type")], "the publisher says nothing about the way that records take",
                    "Write type = " + SettingKind.word(PublisherTable.Kind.allCases.map(\.rawValue)).summary)
            case .rfc2136:
                checkUpdates(publisher, at: path)
                checkAbsence(of: ["command", "time-limit", "selectors", "ed25519-selectors"], in: publisher, at: path)
            case .command:
                checkCommand(publisher, at: path)
                checkAbsence(of: PublisherTable.updateKeys + ["zone"], in: publisher, at: path)
                checkAbsence(of: ["selectors", "ed25519-selectors"], in: publisher, at: path)
            case .cname: checkDelegation(publisher, at: path)
            }
            if !publisher.zone.isEmpty, Domain(publisher.zone) == nil {
                add(
                    path + [.key("zone")], "\"\(publisher.zone)\" is not a domain name",
                    "Write the name of the zone, such as \"example.com\"")
            }
        }
    }

    private mutating func checkAbsence(of keys: [String], in publisher: PublisherTable, at path: Path) {
        for key in keys where publisher.written(key) {
            add(
                path + [.key(key)], "a publisher of the type \"\(publisher.kind?.rawValue ?? "")\" has no use for this",
                "Remove it, or choose the type that it belongs to")
        }
    }

    private mutating func checkUpdates(_ publisher: PublisherTable, at path: Path) {
        guard !publisher.server.isEmpty else {
            add(
                path + [.key("server")], "nothing says which server takes updates",
                "Write the address of the zone's primary server, such as server = \"192.0.2.53\"")
            return
        }
        guard let server = ServerAddress(publisher.server) else {
            add(
                path + [.key("server")], "\"\(publisher.server)\" is not an address",
                "Write an IP address, with @port if it is not 53, such as \"192.0.2.53@5353\"")
            return
        }
        if publisher.secretFile.isEmpty {
            for key in ["tsig-name", "tsig-algorithm"] where publisher.written(key) {
                add(
                    path + [.key(key)], "the TSIG key has no secret",
                    "Write tsig-secret-file = \"PATH\" with what `tsig-keygen` prints, or remove \(key)")
            }
            if !server.address.isLoopback, !publisher.written("tsig-name"), !publisher.written("tsig-algorithm") {
                add(
                    path + [.key("server")],
                    "updates to \(server.address), which is another machine, would go without a TSIG key, and anybody can forge the sender of a packet",
                    "Make a key with `tsig-keygen waxwing`, give it to the server, and name its file in tsig-secret-file"
                )
            }
        } else {
            checkSecretFile(publisher.secretFile, at: path + [.key("tsig-secret-file")])
        }
        if !publisher.keyName.isEmpty, TSIGKeyFile.name(publisher.keyName) == nil {
            add(
                path + [.key("tsig-name")], "\"\(publisher.keyName)\" can't be the name of a key",
                "Write it as the server has it, such as \"waxwing\"")
        }
    }

    private mutating func checkCommand(_ publisher: PublisherTable, at path: Path) {
        let path = path + [.key("command")]
        guard let program = publisher.command.first else {
            return add(
                path, "nothing says which program publishes", "Write command = [\"/usr/local/sbin/publish-key\"]")
        }
        guard program.hasPrefix("/") else {
            return add(
                path + [.index(0)], "\"\(program)\" is not an absolute path, and no shell looks for the program",
                "Write the whole path, such as \"/usr/local/sbin/publish-key\"")
        }
        guard let file = ProgramFile(program) else {
            return add(path + [.index(0)], "there is no program \(program)", "Install it, or correct the path")
        }
        guard file.isRegular, file.permissions & 0o111 != 0 else {
            return add(
                path + [.index(0)], "\(program) is not a program",
                "Run `chmod 755 \(ShellWord.quoted(program))` if it is meant to be one")
        }
        // Whoever can write it decides what Waxwing runs.
        if file.permissions & 0o022 != 0 {
            add(
                path + [.index(0)], "\(program) can be changed by others than its owner",
                "Run `chmod go-w \(ShellWord.quoted(program))`")
        }
    }

    private mutating func checkDelegation(_ publisher: PublisherTable, at path: Path) {
        if publisher.zone.isEmpty {
            add(
                path + [.key("zone")], "nothing says where the aliases lead to",
                "Write the zone that Waxwing writes to, such as zone = \"keys.example.com\"")
        }
        if publisher.command.isEmpty {
            if publisher.server.isEmpty {
                add(
                    path, "nothing says how records get into the zone",
                    "Write server = \"ADDRESS\" for updates (RFC 2136), or command = [\"/PROGRAM\"]")
            } else {
                checkUpdates(publisher, at: path)
                checkAbsence(of: ["time-limit"], in: publisher, at: path)
            }
        } else {
            checkCommand(publisher, at: path)
            for key in PublisherTable.updateKeys where publisher.written(key) {
                add(
                    path + [.key(key)], "records get into the zone by the command, which has no use for this",
                    "Remove it, or remove command")
            }
        }
        checkSelectors(publisher, at: path)
    }

    private mutating func checkSelectors(_ publisher: PublisherTable, at path: Path) {
        var seen: Set<Selector> = []
        let lists = [
            ("selectors", publisher.effectiveRSASelectors), ("ed25519-selectors", publisher.effectiveEd25519Selectors),
        ]
        for (key, selectors) in lists {
            if selectors.count != 2 {
                add(
                    path + [.key(key)], "there are \(selectors.count) selectors, where two take turns",
                    "Write two, such as [\"ww1\", \"ww2\"]")
            }
            for (place, text) in selectors.enumerated() {
                guard let selector = Selector(text) else {
                    add(
                        path + [.key(key), .index(place)], "\"\(text)\" is not a selector",
                        "Write letters, digits and inner hyphens, such as \"ww1\"")
                    continue
                }
                if !seen.insert(selector).inserted {
                    add(
                        path + [.key(key), .index(place)],
                        "there are two selectors \"\(selector)\", and two keys can't share one",
                        "Give each a name of its own")
                }
            }
        }
    }

    // MARK: - Secrets

    private mutating func checkSecretFile(_ setting: String, at path: Path) {
        guard case .credential(let name)? = SecretPlace(setting), !SecretPlace.isCredentialName(name) else { return }
        add(
            path, "\"\(name)\" can't be the name of a credential",
            "Write the name that stands in LoadCredential= of the unit, such as \"credential:tsig\"")
    }
}

extension PublisherTable {
    /// The settings of updates by RFC 2136.
    static let updateKeys = ["server", "tsig-name", "tsig-algorithm", "tsig-secret-file"]

    /// Whether the table says something by this setting.
    func written(_ key: String) -> Bool {
        switch key {
        case "server": !server.isEmpty
        case "zone": !zone.isEmpty
        case "tsig-name": !keyName.isEmpty
        case "tsig-algorithm": keyAlgorithm != nil
        case "tsig-secret-file": !secretFile.isEmpty
        case "command": !command.isEmpty
        case "time-limit": timeLimit != nil
        case "selectors": rsaSelectors != nil
        case "ed25519-selectors": ed25519Selectors != nil
        default: false
        }
    }
}

/// What the file system knows of a program, behind all symbolic links.
private struct ProgramFile {
    var isRegular: Bool
    var permissions: Int

    /// Nil if there is nothing of the name.
    init?(_ path: String) {
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else { return nil }
        isRegular = attributes[.type] as? FileAttributeType == .typeRegular
        permissions = attributes[.posixPermissions] as? Int ?? 0
    }
}
