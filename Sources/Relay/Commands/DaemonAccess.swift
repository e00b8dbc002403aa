// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// DaemonAccess is in charge of asking the running daemon for what only it can tell or do.
package struct DaemonAccess: Sendable {
    private let client: ControlClient

    package init(_ configuration: Configuration) {
        self.client = ControlClient(socketPath: configuration.resolve(configuration.control.socket))
    }

    package func status() async throws -> StatusDocument {
        try await client.get("/v1/status", as: StatusDocument.self)
    }

    package func reload() async throws -> ReloadDocument {
        try await client.post("/v1/reload", Int?.none, as: ReloadDocument.self)
    }
}
