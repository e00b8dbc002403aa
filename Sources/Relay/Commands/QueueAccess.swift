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
        if let answer = try await answer(to: path, as: QueueDocument.self) { return answer }
        return try reading().list(limit: limit, after: after)
    }

    /// Nil: no such message.
    package func show(_ id: QueueID) async throws -> QueueEntryDocument? {
        if let answer = try await answer(to: "/v1/queue/\(id)", as: QueueEntryDocument.self) { return answer }
        return try reading().show(id)
    }

    /// Nil when there is no daemon, or none that this user may ask.
    private func answer<Document: Decodable>(
        to path: String, as type: Document.Type
    ) async throws(ControlError) -> Document? {
        do throws(ControlError) {
            return try await client.get(path, as: type)
        } catch {
            switch error {
            case .noDaemon, .noPermission: return nil
            case .pathTooLong, .noAnswer, .refused: throw error
            }
        }
    }

    private func reading() throws -> QueueReading {
        try QueueReading(directory: configuration.resolve(configuration.spool.directory))
    }
}
