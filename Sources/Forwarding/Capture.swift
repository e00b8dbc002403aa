// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
internal import Synchronization

/// Capture is in charge of who gets mail instead of its recipients, so that a staging machine never mails a customer.
///
/// It is asked when a message leaves: so mail that was queued before it was switched on is captured too, and so are
/// notifications of Waxwing's own.
package struct Capture: Hashable, Sendable, CustomStringConvertible {
    package enum Target: Hashable, Sendable {
        /// This mailbox gets the message, once, by the route for its domain.
        case mailbox(Mailbox)
        /// Files in a directory.
        case directory(String)
    }

    package let target: Target
    private let exceptions: [RecipientPattern]

    package init(_ target: Target, except exceptions: [RecipientPattern] = []) {
        self.target = target
        self.exceptions = exceptions
    }

    /// Whether somebody else gets the mail of this recipient.
    package func isFor(_ recipient: Mailbox) -> Bool {
        if case .mailbox(recipient) = target { return false }
        return !exceptions.contains { $0.matches(recipient) }
    }

    package var description: String {
        let place =
            switch target {
            case .mailbox(let mailbox): mailbox.description
            case .directory(let directory): directory
            }
        guard !exceptions.isEmpty else { return "all mail goes to \(place)" }
        return "all mail goes to \(place), except for " + exceptions.map(\.description).joined(separator: ", ")
    }
}

/// Recipients as `[capture] except` names them: a mailbox, `@example.com`, or `@*.example.com` for the domains below.
package enum RecipientPattern: Hashable, Sendable, CustomStringConvertible {
    case mailbox(Mailbox)
    case domain(DomainPattern)

    /// Nil if `text` has none of the forms; everybody is not an exception.
    package init?(_ text: String) {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let (localPart, host) = (String(text[..<at]), String(text[text.utf8.index(after: at)...]))
        guard host != "*" else { return nil }
        if localPart.isEmpty || localPart == "*" {
            guard let pattern = DomainPattern(host) else { return nil }
            self = .domain(pattern)
        } else {
            guard let mailbox = Mailbox(written: text) else { return nil }
            self = .mailbox(mailbox)
        }
    }

    func matches(_ recipient: Mailbox) -> Bool {
        switch self {
        case .mailbox(let mailbox): mailbox == recipient
        case .domain(let pattern): pattern.matches(recipient)
        }
    }

    package var description: String {
        switch self {
        case .mailbox(let mailbox): mailbox.description
        case .domain(let pattern): "@\(pattern)"
        }
    }
}

/// The field in which a captured message says whom it was for.
///
/// It stands before the signatures and is not signed. Its name is not one that an application may set to control
/// Waxwing, so that a captured message that comes in again is not refused.
enum CapturedField {
    /// More would make a header section that some servers refuse.
    static let maximumRecipients = 100

    static func octets(_ recipients: [Mailbox]) -> [UInt8] {
        var lines = recipients.prefix(maximumRecipients).map { recipient in
            // A local-part in quotes may hold what a field in ASCII may not.
            recipient.description.utf8.map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
        }
        let rest = recipients.count - lines.count
        if rest > 0 { lines[lines.count - 1] += Array(" (and \(rest) more)".utf8) }
        return Array("X-Captured-For: ".utf8) + Array(lines.joined(separator: Array(",\r\n\t".utf8))) + [13, 10]
    }
}

/// CaptureSetting is in charge of the capture that is in force; every thread may ask.
final class CaptureSetting: Sendable {
    struct State: Sendable {
        var capture: Capture?
        /// Changes with it: what was made ready under another one must not leave.
        var version = 0
    }

    private let state: Mutex<State>

    init(_ capture: Capture? = nil) {
        state = Mutex(State(capture: capture))
    }

    var current: State { state.withLock { $0 } }

    func replace(_ capture: Capture?) {
        state.withLock { state in
            guard state.capture != capture else { return }
            state = State(capture: capture, version: state.version + 1)
        }
    }
}
