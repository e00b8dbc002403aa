// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why something about keys can't be done: what, where, and how to mend it.
///
/// One line of ASCII, or more where a command has more to say.
package struct KeyError: Error, Hashable, Sendable, CustomStringConvertible {
    package var problem: String
    /// What mends it, such as a command to run; nil where `problem` says it.
    package var remedy: String?

    package init(_ problem: String, remedy: String? = nil) {
        self.problem = problem
        self.remedy = remedy
    }

    package var text: String { remedy.map { "\(problem): \($0)" } ?? problem }

    package var description: String { text }
}
