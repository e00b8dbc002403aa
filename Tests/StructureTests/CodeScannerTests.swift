// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@Suite("Code scanner")
struct CodeScannerTests {
    private func code(_ text: String) -> String {
        String(decoding: CodeScanner.code(of: text), as: UTF8.self)
    }

    private func words(_ text: String) -> [String] {
        code(text).split(whereSeparator: \.isWhitespace).map(String.init)
    }

    @Test(
        "comments and literals are blanked, code stays",
        arguments: [
            ("a // b {", ["a"]),
            ("a /* b */ c", ["a", "c"]),
            ("a /* b /* c */ d */ e", ["a", "e"]),
            ("a /* never ends", ["a"]),
            (#"a "b { // c" d"#, ["a", "d"]),
            (#"a "b \" c" d"#, ["a", "d"]),
            (#"a "b \\" d"#, ["a", "d"]),
            (#"a "\(b("c") { d }) e" f"#, ["a", "f"]),
            (#"a "\(b(")") + "x\("y")")" f"#, ["a", "f"]),
            (##"a #"b " \" c"# d"##, ["a", "d"]),
            (##"a #"b \#("c") "# d"##, ["a", "d"]),
            ("a \"\"\"\nb \" \"\" {\n\"\"\" c", ["a", "c"]),
            ("a #/b { \" /# c", ["a", "c"]),
            ("#expect(a == 1)", ["#expect(a", "==", "1)"]),
            ("a / b", ["a", "/", "b"]),
            ("", []),
            ("\"", []),
        ])
    func blanks(text: String, expected: [String]) {
        #expect(words(text) == expected)
    }

    @Test("every line and every octet stays in its place")
    func places() throws {
        for file in try Repository.swiftFiles(below: "Sources", "Tests") {
            let code = CodeScanner.code(of: file.text)
            #expect(code.count == file.text.utf8.count, "\(file.path)")
            for (kept, original) in zip(code, file.text.utf8) where kept != original {
                guard kept == UInt8(ascii: " "), original != UInt8(ascii: "\n") else {
                    Issue.record("\(file.path) was changed")
                    break
                }
            }
        }
    }

    @Test("the braces of every file match once it is scanned")
    func braces() throws {
        for file in try Repository.swiftFiles(below: "Sources", "Tests") {
            var depth = 0
            for byte in CodeScanner.code(of: file.text) {
                if byte == UInt8(ascii: "{") { depth += 1 }
                if byte == UInt8(ascii: "}") { depth -= 1 }
                if depth < 0 { break }
            }
            #expect(depth == 0, "\(file.path)")
        }
    }

    @Test("functions are found with their lines")
    func functions() {
        let text = """
            protocol P {
                func requirement() -> Int
                init(a: Int)
                subscript(i: Int) -> Int { get }
            }
            struct S {
                init?(a: Int) { self.a = a }
                deinit {
                }
                func `default`(
                    a: () -> Void = { },
                    b: Int
                ) async throws(E)
                    -> Int
                where T: P
                {
                    let s = "} func no() {"
                    func nested() {
                    }
                }
                static func == (a: S, b: S) -> Bool {
                    return S.init(a: 1).a == self.init(b) { 1 }
                }
                func generic<T>(_: T) where T: A,
                    T: B {
                    // }
                }
            }
            """
        let found = FunctionFinder.functions(in: text)
        #expect(
            found == [
                .init(name: "subscript", line: 4, lineCount: 1),
                .init(name: "init", line: 7, lineCount: 1),
                .init(name: "deinit", line: 8, lineCount: 2),
                .init(name: "default", line: 10, lineCount: 11),
                .init(name: "nested", line: 18, lineCount: 2),
                .init(name: "operator", line: 21, lineCount: 3),
                .init(name: "generic", line: 24, lineCount: 4),
            ])
    }

    @Test("a function that is one line too long is seen")
    func tooLong() {
        for count in [StructureTests.maximumFunctionLines, StructureTests.maximumFunctionLines + 1] {
            let text = "func f() {\n" + String(repeating: "    // {\n", count: count - 2) + "}\n"
            #expect(FunctionFinder.functions(in: text).map(\.lineCount) == [count])
        }
    }

    @Test("imports are found in every form, and only where they are code")
    func imports() {
        let text = """
            import A
            package import B
            @preconcurrency internal import C
            import struct D.E
            import F.G; import H
            // import No1
            let s = "import No2"
            let t = \"\"\"
            import No3
            \"\"\"
            let important = 1
            """
        #expect(ImportTable.imports(in: text) == ["A", "B", "C", "D", "F", "H"])
    }
}
