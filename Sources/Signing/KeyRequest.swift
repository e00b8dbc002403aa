// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What is asked of `KeyCommands`: by the command line itself, or through the control socket.
package struct KeyRequest: Codable, Hashable, Sendable {
    package enum Verb: String, Codable, Hashable, Sendable {
        case generate, `import`, list, show, activate
    }

    /// The forms of a key record.
    package enum Format: String, Codable, Hashable, Sendable, CaseIterable {
        case plain, bind
    }

    package var verb: Verb
    /// Needed for all but `list`.
    package var domain: String?
    /// Needed for `import`.
    package var selector: String?
    /// For `generate`; nil is `rsa-2048`.
    package var algorithm: String?
    /// For `import`: PKCS#8 or PKCS#1.
    package var pem: String?
    /// For `show`; nil is all forms, for reading.
    package var format: Format?
    /// For `activate`: without proof from the DNS.
    ///
    /// Nil is false.
    package var isUnproven: Bool?
    /// The name of the user who asks, for the key's history.
    package var user: String?

    package init(
        _ verb: Verb, domain: String? = nil, selector: String? = nil, algorithm: String? = nil, pem: String? = nil,
        format: Format? = nil, isUnproven: Bool? = nil, user: String? = nil
    ) {
        self.verb = verb
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        self.pem = pem
        self.format = format
        self.isUnproven = isUnproven
        self.user = user
    }
}

/// What came of a request, ready to print.
package struct KeyResponse: Codable, Hashable, Sendable {
    /// `text` belongs on standard error, and the exit code is 1.
    package var isError: Bool
    package var text: String
    /// Lines for standard error beside the text.
    package var warnings: [String]
    /// Keys changed: a running relay must reload its ring.
    package var hasChanged: Bool

    package init(isError: Bool = false, text: String, warnings: [String] = [], hasChanged: Bool = false) {
        self.isError = isError
        self.text = text
        self.warnings = warnings
        self.hasChanged = hasChanged
    }
}
