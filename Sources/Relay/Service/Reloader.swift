// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Dispatch
import Forwarding
import Logging
import Mail
import Receiving
import Reporting
import ServiceLifecycle
import Signing
import Synchronization
import Systemd
import UnixSignals

/// Reloader is in charge of taking over a changed configuration file while the relay runs: all of it that can
/// change, or nothing if anything in the file is wrong.
final class Reloader: Sendable {
    private let stages: Stages
    private let log: LogOutput
    private let logger: Logger
    /// What the daemon was started with: some of it stays until the next start.
    private let started: Configuration
    private let current: Mutex<Configuration>

    init(_ configuration: Configuration, stages: Stages, log: LogOutput, logger: Logger) {
        self.stages = stages
        self.log = log
        self.logger = logger
        self.started = configuration
        self.current = Mutex(configuration)
    }

    /// Reads the file again and applies it, or says what is wrong with it.
    ///
    /// One caller at a time.
    func reload() -> ReloadDocument {
        current.withLock { current in
            let next: Configuration
            let rotation: RotationPolicies
            let tls: TLSMaterial
            do throws(ConfigurationError) {
                next = try ConfigurationFile.reload(started)
                rotation = try next.rotationPolicies()
                tls = try next.tlsMaterial()
                try stages.passwords.replace(next)
            } catch {
                logger.error(
                    "the configuration was refused: the one before stays in force",
                    metadata: ["faults": "\(error.description)"])
                return ReloadDocument(applied: false, lines: error.faults.map(\.description))
            }
            let waiting = next.sectionsThatWait(since: started)
            stages.certificates.replace(tls, of: next)
            apply(next, rotation)
            next.logWarnings(to: logger)
            next.logCapture(to: logger)
            current = next
            logger.notice(
                "the configuration was reloaded", metadata: ["after_restart": "\(waiting.joined(separator: " "))"])
            return ReloadDocument(
                applied: true,
                lines: waiting.map { "\($0) has changed: this takes a restart (systemctl restart waxwing)" }
                    + next.warnings.map { "warning: \($0)" })
        }
    }

    private func apply(_ next: Configuration, _ rotation: RotationPolicies) {
        log.logLevel = Logger.Level(rawValue: next.log.level) ?? .info
        stages.keys.replace(rotation, signing: next.signingPolicies)
        stages.forwarder.replaceRoutes(next.routingTable)
        stages.forwarder.replaceRetry(next.retrySchedule)
        stages.intake.replaceRules(next.intakeConfiguration)
        stages.receiving.replaceLimits(next.receivingLimits)
        stages.drop.replaceLimits(next.receivingLimits)
        stages.receiving.replaceListeners(next.receivingListeners)
    }
}

extension Configuration {
    /// What can be meant, but seldom is.
    func logWarnings(to logger: Logger) {
        for warning in warnings {
            logger.warning("the configuration has an odd setting", metadata: ["setting": "\(warning)"])
        }
    }

    /// Where this differs from the configuration that the daemon was started with, in what can't change while
    /// it runs.
    func sectionsThatWait(since started: Configuration) -> [String] {
        var names: [String] = []
        if general != started.general { names.append("hostname") }
        if effectiveListeners.map(\.place) != started.effectiveListeners.map(\.place) { names.append("[[listener]]") }
        if keys != started.keys { names.append("[keys]") }
        if spool != started.spool { names.append("[spool]") }
        if control != started.control { names.append("[control]") }
        if dropDirectory != started.dropDirectory { names.append("[sendmail] drop-directory") }
        if dns != started.dns { names.append("[dns]") }
        if log.format != started.log.format { names.append("[log] format") }
        return names
    }
}

/// Reloads on SIGHUP.
struct ReloadSignal: Service {
    let reloader: Reloader

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            let manager = ServiceManager()
            // On Linux this is CLOCK_MONOTONIC, as sd_notify(3) wants it.
            manager.notify(.reloading(monotonicMicroseconds: DispatchTime.now().uptimeNanoseconds / 1000))
            _ = reloader.reload()
            manager.notify(.ready)
        }
    }
}
