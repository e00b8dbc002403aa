// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
import Spooling

/// QueueAccess is in charge of what the queue commands read: the daemon's answer when one runs, which knows
/// what is active now, else the spool's file.
package struct QueueAccess: Sendable {
    private let configuration: Configuration
    private let client: ControlClient

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        self.client = ControlClient(socketPath: configuration.resolve(configuration.control.socket))
    }

    package func list(limit: Int, after: QueueID?) async throws -> QueueDocument {
        let path = "/v1/queue?limit=\(limit)" + (after.map { "&after=\($0)" } ?? "")
        do {
            return try await client.get(path, as: QueueDocument.self)
        } catch let error as ControlError where error.isAbsence {
            return try reading().list(limit: limit, after: after)
        }
    }

    /// Nil: no such message.
    package func show(_ id: QueueID) async throws -> QueueEntryDocument? {
        do {
            return try await client.get("/v1/queue/\(id)", as: QueueEntryDocument.self)
        } catch let error as ControlError where error.isAbsence {
            return try reading().show(id)
        }
    }

    private func reading() throws -> QueueReading {
        try QueueReading(directory: configuration.resolve(configuration.spool.directory))
    }
}

extension ControlError {
    /// There is no daemon, or none that this user may ask.
    fileprivate var isAbsence: Bool {
        switch self {
        case .noDaemon, .noPermission: true
        case .pathTooLong, .noAnswer, .refused: false
        }
    }
}
