// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Mail
import NIOPosix
import Receiving
import ServiceLifecycle
import Synchronization

/// DropService is in charge of taking in what sendmail left in the drop directory: one message after the other, each
/// removed only when it is in the spool.
///
/// A crash between the two takes it in twice, and nothing loses it. What is refused for now waits; what is refused for
/// good, or is no message, is set aside for the operator and told in the log.
final class DropService: Service {
    private static let interval = Duration.seconds(1)

    private let directory: DropDirectory
    private let intake: any Intake
    private let admission: DropAdmission
    private let threads: NIOThreadPool
    private let clock: WallClock
    private let logger: Logger
    private let limits: Mutex<ReceivingLimits>

    init(
        directory: DropDirectory, intake: any Intake, admission: @escaping DropAdmission, limits: ReceivingLimits,
        threads: NIOThreadPool, clock: WallClock, logger: Logger
    ) {
        self.admission = admission
        self.directory = directory
        self.intake = intake
        self.threads = threads
        self.clock = clock
        self.logger = logger
        self.limits = Mutex(limits)
    }

    /// For the next messages.
    func replaceLimits(_ limits: ReceivingLimits) {
        self.limits.withLock { $0 = limits }
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown { [self] in
            var retries = DropRetries()
            while !Task.isCancelled {
                await scan(&retries)
                try await Task.sleep(for: DropService.interval)
            }
        }
    }

    /// Takes in all that is there.
    func scan(_ retries: inout DropRetries) async {
        let now = clock.now().seconds
        let names: [String]
        do {
            names = try await threads.runIfActive { [directory] in try directory.names(now: Int(now)) }
        } catch {
            if retries.isDue("", now: now) {
                _ = retries.putOff("", now: now)
                logger.error(
                    "the drop directory can't be read",
                    metadata: ["directory": "\(directory.path)", "error": "\(error)"])
            }
            return
        }
        retries.keep(names)
        var hasRemoved = false
        for name in names where retries.isDue(name, now: now) {
            if Task.isCancelled { break }
            switch await take(name) {
            case .done: hasRemoved = true
            case .gone: break
            case .later(let reason):
                let seconds = retries.putOff(name, now: clock.now().seconds)
                logger.warning(
                    "a dropped message waits",
                    metadata: ["file": "\(directory.path)/\(name)", "reason": "\(reason)", "retry_s": "\(seconds)"])
            }
        }
        guard hasRemoved else { return }
        _ = try? await threads.runIfActive { [directory] in directory.sync() }
    }

    private enum Taking: Sendable {
        /// It is out of the directory, in the spool or set aside.
        case done
        case gone
        case later(String)
    }

    private func take(_ name: String) async -> Taking {
        let limits = limits.withLock { $0 }
        let reader = DropReader(
            directory: directory, intake: intake, admission: admission, maximumContentOctets: limits.messageOctets,
            maximumRecipients: limits.recipients)
        guard let reading = try? await threads.runIfActive({ reader.read(name) }) else {
            return .later("shutting down")
        }
        switch reading {
        case .pending(let pending):
            let result = await withCheckedContinuation { continuation in
                // Encoding may take its time.
                threads.submit { state in
                    guard state == .active else {
                        pending.transaction.abort()
                        continuation.resume(returning: IntakeResult.refused(.systemFault))
                        return
                    }
                    pending.transaction.finish { continuation.resume(returning: $0) }
                }
            }
            return await end(name, pending, result)
        case .refused(let refusal, let userID):
            return await refuse(name, refusal, userID)
        case .fault(.gone):
            return .gone
        case .fault(.system(let reason)):
            return .later(reason)
        case .fault(.malformed(let reason)):
            return await setAside(name, because: "it is no message for sendmail to leave here: \(reason)", userID: nil)
        }
    }

    private func end(_ name: String, _ pending: DropReader.Pending, _ result: IntakeResult) async -> Taking {
        switch result {
        case .accepted(let queueID):
            logger.info(
                "a dropped message was taken in",
                metadata: ["queue-id": "\(queueID)", "uid": "\(pending.userID)", "file": "\(name)"])
            do {
                try await threads.runIfActive { [directory] in try directory.remove(name, pending.file) }
                return .done
            } catch DropFault.gone {
                return .gone
            } catch {
                // It will be taken in again.
                return .later("it is in the spool as \(queueID) and can't be removed: \(error)")
            }
        case .refused(let refusal):
            return await refuse(name, refusal, pending.userID)
        }
    }

    private func refuse(_ name: String, _ refusal: IntakeRefusal, _ userID: UInt32) async -> Taking {
        let reply = "\(refusal.replyCode) \(refusal.status) \(refusal.lines.joined(separator: " "))"
        guard refusal.replyCode >= 500 else { return .later(reply) }
        return await setAside(name, because: reply, userID: userID)
    }

    private func setAside(_ name: String, because reason: String, userID: UInt32?) async -> Taking {
        do {
            let path = try await threads.runIfActive { [directory] in try directory.setAside(name) }
            var metadata: Logger.Metadata = ["file": "\(path)", "reason": "\(reason)"]
            metadata["uid"] = userID.map { "\($0)" }
            metadata["remedy"] = "when the reason is mended, move the file back into \(directory.path); or remove it"
            logger.error("a dropped message was refused", metadata: metadata)
            return .done
        } catch DropFault.gone {
            return .gone
        } catch {
            return .later("\(reason); and it can't be set aside: \(error)")
        }
    }
}
