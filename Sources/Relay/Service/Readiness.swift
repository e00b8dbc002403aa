// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Logging
import Receiving
import ServiceLifecycle
import Systemd

/// Readiness is in charge of telling the service manager and the log that everything has started, and that the relay is
/// stopping.
///
/// It is the last service: the first one that a shutdown reaches.
struct Readiness: Service {
    let receiving: ReceivingService
    let logger: Logger

    func run() async throws {
        let listeners = try await receiving.listening()
        let manager = ServiceManager()
        logger.info(
            "waxwing is running",
            metadata: ["listeners": "\(listeners.map(\.description).joined(separator: " "))", "pid": "\(getpid())"])
        manager.notify(.ready)
        CodePages.release()
        try? await gracefulShutdown()
        manager.notify(.stopping)
        logger.info("waxwing is stopping: sessions and deliveries finish first")
    }
}
