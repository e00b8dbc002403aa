// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
package import Signing

/// What rotation gets of the configuration, and the secrets that it takes.
extension Configuration {
    /// The settings of all domains and the ways to publish, with their secrets.
    ///
    /// - Throws: every secret that can't be read or used.
    package func rotationPolicies() throws(ConfigurationError) -> RotationPolicies {
        let reading = SecretReading(self)
        guard reading.faults.isEmpty else { throw ConfigurationError(reading.faults.map(\.fault)) }
        return reading.policies
    }

    /// For a process that only reads, and may not see the secrets.
    package var rotationPoliciesWithoutSecrets: RotationPolicies {
        SecretReading(self, readsSecrets: false).policies
    }

    /// What private keys are encrypted with, as far as they are.
    package func keyPassphrase() throws(ConfigurationError) -> String? {
        do throws(SecretFault) {
            return try SecretReading.passphrase(self, credentials: SecretFile.credentialsDirectory)
        } catch {
            throw ConfigurationError([SecretReading.fault(error, at: SecretReading.passphrasePath, self)])
        }
    }

    /// What `waxwing config check` says about secrets.
    ///
    /// - Returns: what is wrong, and what this process can't see although another may.
    package func checkSecrets() -> (faults: [ConfigurationFault], warnings: [ConfigurationFault]) {
        var faults = SecretReading(self).faults
        do throws(SecretFault) {
            _ = try SecretReading.passphrase(self, credentials: SecretFile.credentialsDirectory)
        } catch {
            faults.append((SecretReading.fault(error, at: SecretReading.passphrasePath, self), error.isElsewhere))
        }
        faults += TLSReading(self).faults
        return (faults.filter { !$0.isElsewhere }.map(\.fault), faults.filter(\.isElsewhere).map(\.fault))
    }

    // MARK: - Settings

    /// Without publishers.
    var rotationSettings: RotationPolicies {
        var policies = RotationPolicies()
        let signing = signingPolicies
        // A route has the last word about x=, and any mail may take it.
        let longestOfRoutes = routes.compactMap(\.signatures.lifetime).max() ?? 0
        policies.general = rotation.common.overridden(by: rotation.rotation)
        policies.general.queueLifetime = retry.lifetime.components.seconds
        policies.general.signatureLifetime = max(signing.general.lifetime, longestOfRoutes)
        for table in domains {
            guard let domain = Domain(table.name) else { continue }
            var settings = policies.general.overridden(by: table.rotation)
            if let lifetime = table.signatures.lifetime { settings.signatureLifetime = max(lifetime, longestOfRoutes) }
            policies.domains[domain] = settings
        }
        // The keys of a domain may sign for those below it, by whose tables the signatures may live longer.
        for (domain, settings) in policies.domains {
            var above = domain.parent
            while let parent = above {
                if let other = policies.domains[parent] {
                    policies.domains[parent]?.signatureLifetime = max(
                        other.signatureLifetime, settings.signatureLifetime)
                }
                above = parent.parent
            }
        }
        return policies
    }
}

/// Reads the secrets of all publishers and notes what is wrong with them.
private struct SecretReading {
    typealias Fault = (fault: ConfigurationFault, isElsewhere: Bool)

    static let passphrasePath: [KeyLocator.Step] = [.key("keys"), .key("passphrase-file")]

    var policies: RotationPolicies
    var faults: [Fault] = []

    init(_ configuration: Configuration, readsSecrets: Bool = true) {
        policies = configuration.rotationSettings
        for (index, table) in configuration.publishers.enumerated() {
            var key: TSIGKey?
            if readsSecrets, let place = SecretPlace(table.secretFile) {
                do throws(SecretFault) {
                    let content = try SecretFile.content(
                        of: place, from: configuration, credentials: SecretFile.credentialsDirectory)
                    key = try TSIGKeyFile(content).key(
                        name: table.keyName.isEmpty ? nil : table.keyName, algorithm: table.keyAlgorithm)
                } catch {
                    let path: [KeyLocator.Step] = [.key("publisher"), .index(index), .key("tsig-secret-file")]
                    faults.append((SecretReading.fault(error, at: path, configuration), error.isElsewhere))
                }
            }
            policies.publishers[table.name] = table.settings(key)
        }
    }

    static func fault(
        _ fault: SecretFault, at path: [KeyLocator.Step], _ configuration: Configuration
    ) -> ConfigurationFault {
        ConfigurationFault(
            file: configuration.file, line: configuration.locator.line(of: path), key: KeyLocator.text(of: path),
            problem: fault.problem, remedy: fault.remedy)
    }

    static func passphrase(_ configuration: Configuration, credentials: String?) throws(SecretFault) -> String? {
        guard let place = SecretPlace(configuration.keys.passphraseFile) else { return nil }
        let content = try SecretFile.content(of: place, from: configuration, credentials: credentials)
        let passphrase = SecretContent.passphrase(content)
        guard !passphrase.isEmpty, let text = String(validating: passphrase, as: UTF8.self) else {
            throw SecretFault(
                problem: "the passphrase of private keys is empty or no UTF-8 text",
                remedy: "Write it as the first line of the file")
        }
        return text
    }
}

extension PublisherTable {
    /// Nil unless the table is sound.
    fileprivate func settings(_ key: TSIGKey?) -> PublisherSettings? {
        let method: PublisherSettings.Method
        let zone = Domain(zone)?.name
        if !command.isEmpty {
            method = .command(HookSettings(command: command, timeLimit: timeLimit ?? PublisherTable.standardTimeLimit))
        } else if let server = ServerAddress(server) {
            method = .rfc2136(DynamicUpdateSettings(server: server, zone: zone, key: key))
        } else {
            return nil
        }
        var delegation: PublisherSettings.Delegation?
        if kind == .cname, let zone {
            delegation = PublisherSettings.Delegation(
                zone: zone, rsaSelectors: effectiveRSASelectors.compactMap { Selector($0) },
                ed25519Selectors: effectiveEd25519Selectors.compactMap { Selector($0) })
        }
        return PublisherSettings(name: name, method: method, delegation: delegation)
    }
}
