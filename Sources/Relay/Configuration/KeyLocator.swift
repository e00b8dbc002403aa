// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// KeyLocator is in charge of saying on which line of a TOML file a key stands: the parser reports lines only for
/// syntax errors.
///
/// It reads text that the parser has accepted; where it is unsure it knows nothing, and the caller gets the line of the
/// table around the key.
struct KeyLocator: Hashable, Sendable {
    /// A step from the top of the document to a value.
    enum Step: Hashable, Sendable {
        case key(String)
        /// A place in an array, counted from 0.
        case index(Int)
    }

    /// Deeper nesting than this is not followed.
    static let maximumDepth = 32

    private(set) var lines: [[Step]: Int] = [:]

    init(_ text: String) {
        var scanner = KeyScanner(text)
        scanner.scanDocument()
        lines = scanner.lines
    }

    /// The line of the value at `path`, or of the nearest thing around it; nil for the document itself.
    func line(of path: [Step]) -> Int? {
        var path = path
        while !path.isEmpty {
            if let line = lines[path] { return line }
            path.removeLast()
        }
        return nil
    }

    /// `path` as people write it: `listener[2].port`, tables counted from 1.
    static func text(of path: [Step]) -> String {
        var text = ""
        for step in path {
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key
            case .index(let index): text += "[\(index + 1)]"
            }
        }
        return text
    }
}
