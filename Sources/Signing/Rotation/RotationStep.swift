// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// The next thing to do for the keys of one kind of a domain.
///
/// Each can be cut off at any point and done again.
enum RotationStep: Hashable, Sendable {
    /// Make a key; the selector is nil unless it is one of those that are delegated for good.
    case generate(KeyDescription.Purpose, Selector?)
    /// Let a standby key, or one that is still published, take the place of the active one.
    case promote(String)
    case publish(RecordChange.Purpose, String)
    case look(String)
    /// With what proves it.
    case activate(String)
    /// Of two active keys, the one that was active before.
    case retire(String)
    /// Do with the private key of a removed key what the settings say.
    case dispose(String, KeyDescription.PrivateKeyFate)
    case rest

    /// The key that it is about; nil for one that is to be made.
    var selector: String? {
        switch self {
        case .generate, .rest: nil
        case .promote(let selector), .publish(_, let selector), .look(let selector), .activate(let selector),
            .retire(let selector), .dispose(let selector, _):
            selector
        }
    }
}

/// What the keys of a domain wait for.
package struct RotationWait: Codable, Hashable, Sendable {
    package var selector: String?
    /// One line: what, and why.
    package var text: String
    /// Seconds since the Unix epoch; nil if nobody knows.
    package var until: Int64?
    /// Nothing happens before the operator does something.
    package var isOperator: Bool
}

/// When keys were last used to sign, as far as the spool knows.
package struct KeyUses: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        package var sdid: Domain
        package var selector: String

        package init(sdid: Domain, selector: String) {
            self.sdid = sdid
            self.selector = selector
        }
    }

    /// Seconds since the Unix epoch, rounded up.
    package var last: [Key: Int64]

    package init(last: [Key: Int64] = [:]) {
        self.last = last
    }

    /// The latest moment at which the key can have signed, if it stopped at `stopped`.
    ///
    /// Not earlier, even if nothing is known to have used it since: `waxwing sign` records nothing, and a daemon that
    /// was killed may not have.
    func upperBound(of key: Key, stopped: Int64) -> Int64 {
        max(last[key] ?? stopped, stopped)
    }
}
