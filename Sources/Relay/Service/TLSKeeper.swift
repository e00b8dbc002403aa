// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Logging
import Receiving
import ServiceLifecycle
import Synchronization

/// TLSKeeper is in charge of certificates that are renewed while the relay runs: it looks at their files every few
/// seconds and has new connections use what is new, if it is sound.
final class TLSKeeper: Service, Sendable {
    private static let interval = Duration.seconds(5)

    private struct State {
        var configuration: Configuration
        var fingerprints: [Fingerprint]
    }

    let tls: ServerTLS
    private let state: Mutex<State>
    private let logger: Logger

    /// Reads the files.
    ///
    /// - Throws: what is wrong with them.
    init(_ configuration: Configuration, logger: Logger) throws {
        tls = ServerTLS(hostname: configuration.hostname)
        self.logger = logger
        state = Mutex(
            State(configuration: configuration, fingerprints: TLSKeeper.fingerprints(configuration.tlsFiles)))
        replace(try configuration.tlsMaterial(), of: configuration)
    }

    /// Takes over what another configuration names; it was found to be sound.
    func replace(_ material: TLSMaterial, of configuration: Configuration) {
        state.withLock { state in
            state.configuration = configuration
            state.fingerprints = TLSKeeper.fingerprints(configuration.tlsFiles)
        }
        use(material)
    }

    func run() async throws {
        // Ends with the sleep, which a shutdown cancels.
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: TLSKeeper.interval)
                self.look()
            }
        }
    }

    /// Reads the files if any of them is another than before.
    func look() {
        let changed: Configuration? = state.withLock { state in
            let now = TLSKeeper.fingerprints(state.configuration.tlsFiles)
            guard now != state.fingerprints else { return nil }
            state.fingerprints = now
            return state.configuration
        }
        guard let changed else { return }
        do throws(ConfigurationError) {
            use(try changed.tlsMaterial())
            logger.notice("the certificate files have changed and were read again")
        } catch {
            logger.error(
                "the changed certificate files can't be used: those before stay in use until the files change again",
                metadata: ["faults": "\(error.description)"])
        }
    }

    private func use(_ material: TLSMaterial) {
        do throws(TLSFault) {
            try tls.replace(material.identity, authorities: material.authorities)
        } catch {
            logger.error("TLS can't be set up", metadata: ["error": "\(error)"])
        }
    }

    private static func fingerprints(_ files: [String]) -> [Fingerprint] {
        files.map { Fingerprint($0) }
    }

    /// What tells one state of a file from another.
    private struct Fingerprint: Hashable {
        private let file: Int?
        private let size: Int?
        private let modified: Date?

        /// Of the file that the path leads to in the end: a link may be turned to another.
        init(_ path: String) {
            let end = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            let attributes = try? FileManager.default.attributesOfItem(atPath: end)
            file = (attributes?[.systemFileNumber] as? NSNumber)?.intValue
            size = (attributes?[.size] as? NSNumber)?.intValue
            modified = attributes?[.modificationDate] as? Date
        }
    }
}
