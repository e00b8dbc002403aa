// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@Suite("Structure of the package")
struct StructureTests {
    static let maximumFileLines = 400
    static let maximumFunctionLines = 70

    /// Functions that are one exhaustive switch over the actions of a state machine, and nothing else.
    static let exhaustiveSwitches: Set<String> = []

    static let topLevel: Set<String> = ["Deploy", "Keys", "Package.swift", "README.md", "Sources", "Tests"]

    @Test("every module imports only what its row of the table permits", arguments: try sources())
    func imports(file: Repository.File) throws {
        let permitted = try #require(ImportTable.permitted[file.module], "\(file.module) has no row in the table")
        let allowed = file.module == "Mail" ? permitted : permitted.union(ImportTable.platform)
        for module in ImportTable.imports(in: file.text) where !allowed.contains(module) {
            Issue.record("\(file.path) imports \(module)")
        }
    }

    @Test("the table has a row for every module and no other, and C modules have one importer")
    func rows() throws {
        let directories = try Repository.names(in: "Sources").filter { !$0.hasPrefix(".") }
        let systemLibraries = Set(ImportTable.soleImporters.keys.filter { $0 != "GRDB" })
        #expect(Set(directories) == systemLibraries.union(ImportTable.permitted.keys))
        for (module, importer) in ImportTable.soleImporters {
            #expect(ImportTable.permitted.filter { $0.value.contains(module) }.map(\.key) == [importer])
        }
    }

    @Test("no arrow of the table leads back to where it came from")
    func noCycles() {
        var remaining = ImportTable.permitted
        while let leaf = remaining.first(where: { row in row.value.allSatisfy { remaining[$0] == nil } }) {
            remaining[leaf.key] = nil
        }
        #expect(remaining.isEmpty, "\(remaining.keys.sorted()) import each other")
    }

    @Test("a file has at most 400 lines", arguments: try sourcesAndTests())
    func fileSize(file: Repository.File) {
        #expect(file.lines.count <= StructureTests.maximumFileLines, "\(file.path)")
    }

    @Test("a function has at most 70 lines", arguments: try sourcesAndTests())
    func functionSize(file: Repository.File) {
        for function in FunctionFinder.functions(in: file.text)
        where function.lineCount > StructureTests.maximumFunctionLines
            && !StructureTests.exhaustiveSwitches.contains("\(file.path) \(function.name)")
        {
            Issue.record("\(file.path):\(function.line): \(function.name) has \(function.lineCount) lines")
        }
    }

    @Test("a file starts with its licence", arguments: try sourcesAndTests())
    func licence(file: Repository.File) {
        #expect(
            file.lines.prefix(2) == [
                "// SPDX-License-Identifier: Apache-2.0", "// SPDX-FileCopyrightText: The Waxwing authors",
            ], "\(file.path)")
    }

    @Test("the sources neither give up nor put off", arguments: try sources())
    func noTraps(file: Repository.File) {
        let code = String(decoding: CodeScanner.code(of: file.text), as: UTF8.self)
        for word in ["try!", "fatalError"] where code.contains(word) {
            Issue.record("\(file.path) has \(word)")
        }
        for word in ["TODO", "FIXME"] where file.text.contains(word) {
            Issue.record("\(file.path) has \(word)")
        }
    }

    @Test("the top level holds what is fixed and dot-files")
    func top() throws {
        let names = Set(try Repository.names(in: "").filter { !$0.hasPrefix(".") })
        // SwiftPM writes its resolution beside the manifest; git ignores it.
        #expect(names.subtracting(["Package.resolved"]) == StructureTests.topLevel)
    }

    private static func sources() throws -> [Repository.File] {
        try Repository.swiftFiles(below: "Sources")
    }

    private static func sourcesAndTests() throws -> [Repository.File] {
        try Repository.swiftFiles(below: "Sources", "Tests")
    }
}
