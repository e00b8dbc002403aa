// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

/// Repository is in charge of reading the sources of the package that these tests are part of.
enum Repository {
    struct File: CustomTestStringConvertible {
        /// From the repository's top, such as `Sources/Mail/Domain.swift`.
        var path: String
        var text: String

        var testDescription: String { path }

        var lines: [Substring] {
            text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0)
        }

        /// The module of a file in Sources.
        var module: String {
            String(path.split(separator: "/")[1])
        }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The Swift files below directories of the top level.
    static func swiftFiles(below directories: String...) throws -> [File] {
        try directories.flatMap { directory in
            let top = root.appending(path: directory)
            let paths = try FileManager.default.subpathsOfDirectory(atPath: top.path)
            return try paths.filter { $0.hasSuffix(".swift") && !$0.contains(".build") }.sorted().map { path in
                let text = try String(contentsOf: top.appending(path: path), encoding: .utf8)
                return File(path: "\(directory)/\(path)", text: text)
            }
        }
    }

    static func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: directory).path).sorted()
    }
}
