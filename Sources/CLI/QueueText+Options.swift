// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Relay

extension QueueText {
    /// What was asked for a message, a line each.
    static func options(_ options: QueueOptionsDocument) -> String {
        var lines: [(name: String, text: String)] = []
        if let principal = options.principal { lines.append(("by", principal)) }
        if let release = options.release { lines.append(("release", "held until \(Moment.text(release))")) }
        if let priority = options.priority { lines.append(("priority", "\(priority)")) }
        if let tags = options.tags { lines.append(("tags", tags.joined(separator: ", "))) }
        if let route = options.route { lines.append(("route", route)) }
        if options.isTest == true { lines.append(("test", "to be signed and not sent")) }
        if let key = options.idempotencyKey { lines.append(("key", "\(key) (idempotency)")) }
        if options.requiresTLS == true { lines.append(("tls", "required to the last")) }
        if let envelopeID = options.envelopeID { lines.append(("envid", envelopeID)) }
        switch options.returned {
        case "FULL": lines.append(("return", "the whole message with a failure"))
        case "HDRS": lines.append(("return", "the header section with a failure"))
        default: break
        }
        return lines.map { line in
            line.name + String(repeating: " ", count: max(1, 9 - line.name.count)) + line.text + "\n"
        }.joined()
    }
}
