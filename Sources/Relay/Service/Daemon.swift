// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Receiving
import Reporting
import ServiceLifecycle
import Spooling
import UnixSignals

/// Daemon is in charge of the running relay: it makes the stages in the order in which they need each other,
/// runs them as one ordered list of services, and stops them in reverse.
///
///     spool → event loops and threads → resolver → keys → forwarder → certificates → receiving → drop directory → rotation
///     → control socket → readiness
package struct Daemon: Sendable {
    /// A shutdown ends within 30 s: sessions get this long to finish their transactions….
    static let receivingDrain = Duration.seconds(12)
    /// …and then deliveries get this long.
    static let forwardingGraceSeconds = 12
    /// After this, whatever still runs is cancelled.
    static let shutdownLimit = Duration.seconds(27)

    let configuration: Configuration
    let stages: Stages
    let log: LogOutput
    let logger: Logger

    /// Opens the spool, loads the keys and takes the listening ports.
    ///
    /// - Throws: an error whose description says what is wrong and how to mend it.
    package init(_ configuration: Configuration) async throws {
        try await self.init(configuration, write: LogOutput.standardError)
    }

    /// - Parameter write: takes the lines of the log.
    init(_ configuration: Configuration, write: @escaping @Sendable ([UInt8]) -> Void) async throws {
        ProcessSettings.apply()
        self.configuration = configuration
        self.log = LogOutput(
            format: LogOutput.Format(setting: configuration.log.format),
            level: Logger.Level(rawValue: configuration.log.level) ?? .info, write: write)
        self.logger = log.logger(label: "waxwing")
        configuration.logWarnings(to: logger)
        configuration.logCapture(to: logger)
        self.stages = try await Stages(configuration, logger: logger)
    }

    /// Runs until SIGTERM or SIGINT, then drains.
    package func run() async throws {
        try await run(makeGroup(stoppingAt: [.sigterm, .sigint]))
    }

    func run(_ group: ServiceGroup) async throws {
        try await group.run()
        logger.info("waxwing has stopped")
        try await stages.stopThreads()
    }

    /// The services in the order in which they need each other.
    func makeGroup(stoppingAt signals: [UnixSignal]) -> ServiceGroup {
        let reloader = Reloader(configuration, stages: stages, log: log, logger: logger)
        let control = ControlService(
            ControlConfiguration(
                socketPath: configuration.resolve(configuration.control.socket),
                groupID: GroupDatabase.identifier(of: configuration.control.group)),
            handlers: ControlHandlers(stages: stages, configuration: configuration, reloader: reloader),
            eventLoopGroup: stages.eventLoops, logger: logger)
        let services: [any Service] = [
            SpoolService(spool: stages.spool), stages.forwarder, stages.certificates, stages.receiving, stages.drop,
            stages.passwords, stages.keys.rotation, control, ReloadSignal(reloader: reloader),
            Readiness(receiving: stages.receiving, logger: logger),
        ]
        var group = ServiceGroupConfiguration(
            services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
            gracefulShutdownSignals: signals, logger: serviceLogger)
        group.maximumGracefulShutdownDuration = Daemon.shutdownLimit
        return ServiceGroup(configuration: group)
    }

    /// The list of services is Waxwing's own: its coming and going is told in Waxwing's words.
    private var serviceLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }
}

/// Closes the spool after everything that writes to it has stopped.
private struct SpoolService: Service {
    let spool: Spool

    func run() async throws {
        try? await gracefulShutdown()
        await spool.close()
    }
}
