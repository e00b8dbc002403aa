// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why something about keys can't be done: what, where, and how to mend it.
package struct KeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line of ASCII, or more where a command has more to say.
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { text }
}
