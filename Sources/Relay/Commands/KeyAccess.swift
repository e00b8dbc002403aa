// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Glibc
import Logging
import Mail
package import Signing
import Spooling

/// KeyAccess is in charge of who carries out a key command: the daemon when one runs, so that a change takes
/// effect at once, else this process.
package struct KeyAccess: Sendable {
    private let configuration: Configuration

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// - Throws: `ControlError` when a daemon runs and can't be asked, `ConfigurationError` when none runs and the
    ///   configuration names a secret that the request takes and that can't be read.
    package func perform(_ request: KeyRequest) async throws -> KeyResponse {
        var request = request
        request.user = ControlPeer.userName(of: getuid())
        if let response = try await askDaemon(request) { return response }
        return try await performHere(request)
    }

    /// Nil when this process is to do it.
    private func askDaemon(_ request: KeyRequest) async throws(ControlError) -> KeyResponse? {
        // The daemon hands out no private keys: whoever may read the files may have them.
        if request.verb == .export { return nil }
        let client = ControlClient(socketPath: configuration.resolve(configuration.control.socket))
        do throws(ControlError) {
            return try await client.post(
                "/v1/keys", request, as: KeyResponse.self, timeLimitSeconds: ControlClient.keyTimeLimitSeconds)
        } catch {
            switch error {
            case .noDaemon: return nil
            // Reading needs nobody's leave but the file system's.
            case .noPermission where request.verb.onlyReads: return nil
            case .noPermission, .pathTooLong, .noAnswer, .refused: throw error
            }
        }
    }

    private func performHere(_ request: KeyRequest) async throws -> KeyResponse {
        let policies = try rotationPolicies(for: request.verb)
        let store = KeyStore(
            directory: configuration.resolve(configuration.keys.directory),
            passphrase: try keyPassphrase(for: request.verb))
        let resolver: UnboundResolver
        do throws(DNSError) {
            let logger = Logger(label: "waxwing", factory: { _ in SwiftLogNoOpLogHandler() })
            resolver = try UnboundResolver(configuration.resolver, logger: logger)
        } catch {
            return KeyResponse(isError: true, text: "the DNS resolver does not start: \(error.text); check [dns]\n")
        }
        let uses = recordedUses
        let rotator = Rotator(
            store: store, clock: .system, policies: policies, configuration, resolver: resolver, uses: { _ in uses })
        let signing = configuration.signingPolicies
        return await KeyCommands(rotator: rotator, policies: { signing }).perform(request)
    }

    /// What the spool knows, if there is one; the daemon that knew more may have been killed.
    private var recordedUses: KeyUses {
        let reader = try? SpoolReader.open(directory: configuration.resolve(configuration.spool.directory))
        return KeyUses((try? reader?.keyUses()) ?? [])
    }

    /// What a request takes that is carried out here: one that publishes nothing needs no secret.
    ///
    /// - Throws: when it does, and this user can't read one.
    func rotationPolicies(for verb: KeyRequest.Verb) throws(ConfigurationError) -> RotationPolicies {
        switch verb {
        case .publish, .rotate, .activate, .retire, .revoke, .remove: try configuration.rotationPolicies()
        case .generate, .import, .export, .list, .show, .check, .log: configuration.rotationPoliciesWithoutSecrets
        }
    }

    /// What opens private keys, for a request that reads one; the record of a key is in its description.
    ///
    /// - Throws: when it does, and this user can't read it.
    func keyPassphrase(for verb: KeyRequest.Verb) throws(ConfigurationError) -> String? {
        switch verb {
        case .export, .publish, .rotate, .activate, .retire, .revoke, .remove: try configuration.keyPassphrase()
        case .generate, .import, .list, .show, .check, .log: nil
        }
    }
}
