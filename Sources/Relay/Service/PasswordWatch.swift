// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Receiving
import ServiceLifecycle
import Synchronization

/// PasswordWatch is in charge of letting applications in by the passwords that are in the file now: it looks every two
/// seconds, and takes a file over whole or not at all.
final class PasswordWatch: Service {
    private static let interval = Duration.seconds(2)

    private struct State {
        var configuration: Configuration
        var stamp: PasswordFile.Stamp?
    }

    private let receiving: ReceivingService
    private let logger: Logger
    private let state: Mutex<State>

    init(_ configuration: Configuration, receiving: ReceivingService, logger: Logger) throws(ConfigurationError) {
        self.receiving = receiving
        self.logger = logger
        self.state = Mutex(State(configuration: configuration))
        try replace(configuration)
    }

    /// Takes another configuration over.
    ///
    /// - Throws: when its file of passwords can't be read; then all stays as it was.
    func replace(_ configuration: Configuration) throws(ConfigurationError) {
        // Looked at before it is read: what changes in between is read again.
        let stamp = PasswordFile(configuration).stamp
        let applications = try configuration.receivingApplications()
        state.withLock { $0 = State(configuration: configuration, stamp: stamp) }
        receiving.replaceApplications(applications)
        for name in configuration.applications.filter(\.usesPassword).map(\.name)
        where !applications.passwords.contains(name) {
            logger.warning(
                "an application has no password yet",
                metadata: ["app": "\(name)", "next_step": "waxwing apps password \(name)"])
        }
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: PasswordWatch.interval)
                self.look()
            }
        }
    }

    private func look() {
        let (configuration, stamp) = state.withLock { ($0.configuration, $0.stamp) }
        let next = PasswordFile(configuration).stamp
        guard next != stamp else { return }
        do throws(ConfigurationError) {
            try replace(configuration)
            logger.notice("the passwords of applications were read again")
        } catch {
            state.withLock { $0.stamp = next }
            logger.error(
                "the passwords of applications could not be read: those from before stay in force",
                metadata: ["faults": "\(error.description)"])
        }
    }
}
