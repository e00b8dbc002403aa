// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Receiving

extension ConfigurationChecker {
    /// Whether each way in that a table names can be one.
    mutating func checkAccess(of settings: ApplicationSettings, at path: [KeyLocator.Step]) {
        for (place, user) in settings.users.enumerated() {
            let step = path + [.key("users"), .index(place)]
            switch UserDatabase.identifier(of: user) {
            case nil:
                add(step, "there is no user \"\(user)\" on this machine", "Name one that is, or write its number")
            case Applications.overflowUserID?:
                add(
                    step, "\"\(user)\" is what every user looks like that a user namespace does not know",
                    "Let the application run as a user of its own")
            default: break
            }
        }
        for (place, network) in settings.networks.enumerated() where NetworkPrefix(network) == nil {
            add(
                path + [.key("networks"), .index(place)], "\"\(network)\" is neither an address nor a prefix",
                "Write one such as \"192.0.2.7\" or \"192.0.2.0/24\", with no bits behind the prefix")
        }
        for (place, name) in settings.certificateNames.enumerated() where name.isEmpty {
            add(path + [.key("certificate"), .index(place)], "the name is empty", "Write a DNS name or a mailbox")
        }
        for (place, rate) in settings.rates.enumerated() {
            check(path + [.key("rate"), .index(place)]) { () throws(PatternError) in _ = try Rate(rate) }
        }
        if !settings.isKnown {
            let limits: [(String, Bool)] = [
                ("message-size", settings.messageOctets != 0), ("recipients", settings.recipients != 0),
                ("rate", !settings.rates.isEmpty),
            ]
            for (key, isSet) in limits where isSet {
                add(
                    path + [.key(key)], "nobody is held to this: the table does not say how the application is known",
                    "Write password = true, users, networks or certificate, or remove it")
            }
        }
    }

    /// A listener that others can reach is of use only to applications that can show who they are.
    mutating func checkReach(of address: IPAddress, at path: [KeyLocator.Step]) {
        guard !address.isLoopback else { return }
        let canComeIn = configuration.applications.contains { application in
            application.usesPassword || !application.certificateNames.isEmpty
                || application.networks.contains { NetworkPrefix($0)?.isLoopback == false }
        }
        guard !canComeIn else { return }
        add(
            path, "\(address) can be reached from other machines, and no [[app]] could submit from there",
            "Write an [[app]] with password = true, networks or certificate, or listen on \"127.0.0.1\" or \"::1\"")
    }
}
