// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Chooses the fields that the names of an `h=` tag mean (RFC 6376 §5.4.2).
struct HeaderSelection {
    private let header: HeaderFields
    /// For each field, whether a name has taken it.
    private var isTaken: [Bool]
    /// The name asked for last, and where it was found: the search for the same one goes on above.
    private var last: (name: [UInt8], index: Int)?

    init(_ header: HeaderFields) {
        self.header = header
        self.isTaken = [Bool](repeating: false, count: header.fields.count)
    }

    /// The field that the next occurrence of a name in `h=` means, from the bottom up; nil if there is none
    /// left, which adds nothing to what is hashed (RFC 6376 §3.5 `h=`, §5.4).
    ///
    /// - Parameter lowercaseName: in lower case.
    mutating func next(_ lowercaseName: [UInt8]) -> Int? {
        var index = header.fields.count - 1
        if let last, last.name == lowercaseName { index = last.index - 1 }
        while index >= 0 {
            if !isTaken[index], header.isNamed(header.fields[index], lowercaseName) {
                isTaken[index] = true
                last = (lowercaseName, index)
                return index
            }
            index -= 1
        }
        last = (lowercaseName, 0)
        return nil
    }
}
