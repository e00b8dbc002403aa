// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Forwarding
import Glibc
import Mail
import Receiving
import Reporting
import Signing
import Spooling

extension ControlHandlers {
    /// What the control socket of a running relay does.
    init(stages: Stages, configuration: Configuration, reloader: Reloader) {
        let spoolDirectory = configuration.resolve(configuration.spool.directory)
        let queue: @Sendable () throws -> QueueReading = {
            try QueueReading(directory: spoolDirectory, isActive: { stages.spool.isActive($0) })
        }
        self.init(
            status: { StatusDocument(stages, configuration) },
            reload: { reloader.reload() },
            queue: { limit, after in try queue().list(limit: limit, after: after) },
            queueEntry: { id in try queue().show(id) },
            keys: { await stages.keys.perform($0) },
            reloadKeys: { stages.keys.reload() })
    }
}

extension StatusDocument {
    init(_ stages: Stages, _ configuration: Configuration) {
        let counts = stages.spool.counts
        self.init(
            version: Version.text, hostname: configuration.hostname, processID: getpid(),
            startedAt: stages.startedAt.seconds, configurationFile: configuration.file,
            listeners: stages.receiving.listeners.map { Listener(address: $0.address, port: $0.port) },
            sessions: stages.receiving.sessionCounts.open,
            queue: Queue(
                messages: counts.messages, active: counts.active, deferred: counts.deferred,
                octets: Int(counts.octets)),
            counters: stages.reporter.counters.snapshot, keys: stages.keys.status)
        capture = stages.forwarder.capture?.description
    }
}
