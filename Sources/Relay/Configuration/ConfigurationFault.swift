// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// One thing that is wrong with the configuration: where, what, and how to mend it.
package struct ConfigurationFault: Hashable, Sendable, CustomStringConvertible {
    /// The file as it was named; nil when there is none.
    package var file: String?
    /// Counted from 1.
    package var line: Int?
    /// Such as `limits.message-size` or `listener[2].port` (tables of an array are counted from 1).
    package var key: String?
    package var problem: String
    package var remedy: String

    package init(file: String? = nil, line: Int? = nil, key: String? = nil, problem: String, remedy: String) {
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    /// One line: `waxwing.toml:3: limits.recipients: 0 is too small. Write …`.
    package var description: String {
        var place = file ?? "configuration"
        if let line { place += ":\(line)" }
        if let key { place += ": \(key)" }
        return "\(place): \(problem). \(remedy)" + (remedy.hasSuffix("?") ? "" : ".")
    }
}

/// The configuration can't be used; every fault that was found, in the order of the file.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var faults: [ConfigurationFault]

    package init(_ faults: [ConfigurationFault]) {
        self.faults = faults
    }

    package var description: String {
        faults.map(\.description).joined(separator: "\n")
    }
}
