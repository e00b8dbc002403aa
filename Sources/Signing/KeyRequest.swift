// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import FoundationEssentials

/// What is asked of `KeyCommands`: by the command line itself, or through the control socket.
///
/// What is nil was not asked for; an older peer sends and understands less.
package struct KeyRequest: Codable, Hashable, Sendable {
    package enum Verb: String, Codable, Hashable, Sendable, CaseIterable {
        case generate, `import`, export, list, show, check, publish, rotate, activate, retire, revoke, remove, log

        /// Whether nothing is different afterwards: whoever may read the key directory may do it.
        package var onlyReads: Bool {
            switch self {
            case .export, .list, .show, .check, .log: true
            case .generate, .import, .publish, .rotate, .activate, .retire, .revoke, .remove: false
            }
        }
    }

    /// The forms of a key record.
    package typealias Format = RecordFormat

    package var verb: Verb
    /// Needed for all but `list`, `check` and `log`.
    package var domain: String?
    /// Needed for `import` and `export`.
    package var selector: String?
    /// For `generate`; nil is `rsa-2048`.
    ///
    /// For `rotate`: of which kind the keys are and what the fresh one is to be; nil is each kind as it is.
    package var algorithm: String?
    /// For `import`: PKCS#8 or PKCS#1, or the seed of an Ed25519 key in base64.
    package var pem: String?
    /// For `import`: what the key is encrypted with, and for `export`, what it is to be encrypted with.
    package var passphrase: String?
    /// For `show`; nil is all forms, for reading.
    package var format: Format?
    /// For `list`: only keys in this state.
    package var state: KeyState?
    /// Without proof from the DNS, which is recorded.
    package var isForced: Bool?
    /// For `rotate` and `activate`: not longer than until the key is proven.
    package var skipsWait: Bool?
    /// For `rotate` and `revoke`: somebody else may have the key.
    package var isCompromised: Bool?
    /// For `generate`: the key is kept published, to be used when the active one is compromised.
    package var wantsStandby: Bool?
    /// For `rotate`: a running rotation goes on, and none is begun.
    package var onlyContinues: Bool?
    /// The name of the user who asks, for the key's history.
    package var user: String?

    package init(
        _ verb: Verb, domain: String? = nil, selector: String? = nil, algorithm: String? = nil, pem: String? = nil,
        passphrase: String? = nil, format: Format? = nil, state: KeyState? = nil, isForced: Bool? = nil,
        skipsWait: Bool? = nil, isCompromised: Bool? = nil, wantsStandby: Bool? = nil, onlyContinues: Bool? = nil,
        user: String? = nil
    ) {
        self.verb = verb
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        self.pem = pem
        self.passphrase = passphrase
        self.format = format
        self.state = state
        self.isForced = isForced
        self.skipsWait = skipsWait
        self.isCompromised = isCompromised
        self.wantsStandby = wantsStandby
        self.onlyContinues = onlyContinues
        self.user = user
    }
}

/// As logs and failed tests show it: without the key and its passphrase.
extension KeyRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "keys \(verb.rawValue)" + [domain, selector, algorithm].compactMap { $0 }.map { " \($0)" }.joined()
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: [] as [Mirror.Child]) }
}

/// What came of a request, ready to print.
///
/// What is nil is false or unknown: an older peer does not say it.
package struct KeyResponse: Codable, Hashable, Sendable {
    /// `text` belongs on standard error, and the exit code is 1.
    package var isError: Bool
    package var text: String
    /// Lines for standard error beside the text.
    package var warnings: [String]
    /// Keys changed: a running relay must reload its ring.
    package var hasChanged: Bool
    /// Whose keys changed; nil: perhaps all.
    package var changedDomains: [String]?
    /// The request was carried out and shows that something is wrong: the exit code is 1.
    package var hasProblem: Bool?
    /// Of `rotate`: nothing is left to wait for.
    package var isFinished: Bool?
    /// What `text` says as JSON, for scripts.
    package var document: String?

    /// The keys that `list`, `show` and `check` tell of; nil if the document tells of something else.
    package var keys: [KeyDocument]? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return document.flatMap { try? decoder.decode([KeyDocument].self, from: Data($0.utf8)) }
    }

    package init(
        isError: Bool = false, text: String, warnings: [String] = [], hasChanged: Bool = false,
        changedDomains: [String]? = nil, hasProblem: Bool? = nil, isFinished: Bool? = nil, document: String? = nil
    ) {
        self.isError = isError
        self.text = text
        self.warnings = warnings
        self.hasChanged = hasChanged
        self.changedDomains = changedDomains
        self.hasProblem = hasProblem
        self.isFinished = isFinished
        self.document = document
    }
}
