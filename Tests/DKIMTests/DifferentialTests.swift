// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

/// 24 awkward messages × 2, signed by dkimpy: the judgement of three other verifiers is in `RESULTS.tsv`.
@Suite struct DifferentialTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var bodyHash: String
        var message: [UInt8]

        var testDescription: String { name }
        var canonicalization: Canonicalization { name.hasPrefix("simple") ? .simple : .relaxed }
        /// dkimpy reads a lone LF as CRLF; Mail::DKIM and this library hash what is there.
        var hasLoneLineFeeds: Bool { name.hasSuffix(".bare_lf") }
    }

    static func cases() throws -> [Case] {
        let lines = try text(Vectors.bytes("Differential/RESULTS.tsv")).split(separator: "\n").dropFirst()
        let hashes = Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let columns = line.split(separator: "\t").map(String.init)
                return (columns[0], columns[1])
            })
        return try Vectors.names(in: "Differential", suffix: ".eml").map { file in
            let name = String(file.dropLast(".eml".count))
            return Case(
                name: name, bodyHash: hashes[name] ?? "missing in RESULTS.tsv",
                message: try Vectors.bytes("Differential/\(file)"))
        }
    }

    @Test func `every case has a message and a result`() throws {
        let cases = try DifferentialTests.cases()
        #expect(cases.count == 48)
        #expect(cases.allSatisfy { $0.bodyHash.hasSuffix("=") })
    }

    @Test(arguments: try cases())
    func `the body hash is the one that dkimpy signed`(_ testCase: Case) throws {
        let header = try HeaderFields(testCase.message)
        var body = Array(testCase.message[header.bodyStart...])
        if testCase.hasLoneLineFeeds {
            #expect(try Vectors.hash(body, testCase.canonicalization) != testCase.bodyHash)
            body = octets(text(body).replacing("\r\n", with: "\n").replacing("\n", with: "\r\n"))
        }
        #expect(try Vectors.hash(body, testCase.canonicalization) == testCase.bodyHash)
    }

    @Test(arguments: try cases())
    func `the signature of dkimpy passes`(_ testCase: Case) throws {
        let verifications = Vectors.verifier.verify(testCase.message)
        #expect(verifications.map(\.result) == [testCase.hasLoneLineFeeds ? .fail : .pass], "\(verifications)")
    }

    /// The unsigned form of each case, signed here: for the other verifiers, see the end-to-end tests.
    @Test(arguments: try cases())
    func `what this library signs passes`(_ testCase: Case) throws {
        let start = try HeaderFields(testCase.message).fields[1].octets.lowerBound
        let unsigned = Array(testCase.message[start...])
        for (key, selector) in try [(Vectors.rsaKey(), "test"), (Vectors.ed25519Key(), "brisbane")] {
            let template = try SignatureTemplate(
                sdid: "football.example.com", selector: selector, key: key,
                canonicalization: .init(header: testCase.canonicalization, body: testCase.canonicalization))
            let signed = try Vectors.sign(unsigned, with: template)
            #expect(Vectors.verifier.verify(signed).map(\.result) == [.pass])
        }
    }
}
