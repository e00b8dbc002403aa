// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Relay

/// The status for people.
enum StatusText {
    /// - Parameter now: seconds since the Unix epoch.
    static func of(_ status: StatusDocument, now: Int64) -> String {
        let listeners = status.listeners.map { listener in
            // A Unix socket has a path and no port.
            if listener.address.hasPrefix("/") { return listener.address }
            return listener.address.contains(":")
                ? "[\(listener.address)]:\(listener.port)" : "\(listener.address):\(listener.port)"
        }
        var rows = [
            (
                "waxwing",
                "\(status.version), process \(status.processID), up \(Moment.duration(now - status.startedAt))"
            ),
            ("hostname", status.hostname),
            ("configuration", status.configurationFile ?? "none: the defaults"),
            ("listening on", listeners.joined(separator: ", ")),
            ("sessions", "\(status.sessions)"),
            (
                "queue",
                "\(status.queue.messages) messages, \(status.queue.active) active, \(status.queue.deferred) deferred, \(status.queue.octets) octets"
            ),
        ]
        if let capture = status.capture { rows.append(("capture is on", capture)) }
        if let keys = status.keys { rows += StatusText.rows(of: keys) }
        rows += status.counters.sorted { $0.key < $1.key }.map { ($0.key.replacing("_", with: " "), "\($0.value)") }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
        }.joined()
    }

    /// Only what asks for attention: nothing when all is well.
    private static func rows(of keys: StatusDocument.Keys) -> [(String, String)] {
        var rows = keys.held.sorted { $0.key < $1.key }.map { ("held", "mail of \($0.key): \($0.value)") }
        rows += keys.drifted.sorted().map { ("not in DNS", $0) }
        if keys.rotating > 0 {
            rows.append(("rotating", "\(keys.rotating) \(keys.rotating == 1 ? "domain" : "domains")"))
        }
        return rows
    }
}
