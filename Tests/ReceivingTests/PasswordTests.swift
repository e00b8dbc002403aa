// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import Receiving
@testable import SMTP

/// Verifiers of passwords, and the file that they are kept in.
@Suite struct PasswordTests {
    private static let salt = Base64Text.decode("W22ZaJ0SNY7soEsUEjb6gQ==".utf8) ?? []

    private func make(_ password: String) -> ScramVerifier? {
        ScramVerifier(password: Array(password.utf8), salt: PasswordTests.salt, iterations: 4096)
    }

    @Test func theExampleOfTheRFCFits() throws {
        // RFC 7677 §3
        let verifier = try #require(make("pencil"))
        let first = "n=user,r=rOprNGfwEbeRWgbNEkqO"
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        let final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        var proof = ScramProof(
            name: "user", proof: Base64Text.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".utf8) ?? [],
            authenticationMessage: Array("\(first),\(server),\(final)".utf8))
        let signature = try #require(verifier.serverSignature(for: proof))
        #expect(Base64Text.encode(signature) == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        proof.proof[0] ^= 1
        #expect(verifier.serverSignature(for: proof) == nil)
        proof.proof = []
        #expect(verifier.serverSignature(for: proof) == nil)
    }

    @Test func aVerifierKnowsItsPasswordAndNoOther() throws {
        let verifier = try #require(make("pencil"))
        #expect(verifier.matches(Array("pencil".utf8)))
        for wrong in ["Pencil", "pencil ", "", "penci"] { #expect(!verifier.matches(Array(wrong.utf8)), "\(wrong)") }
        #expect(ScramVerifier(verifier.text) == verifier)
        #expect(verifier.text.hasPrefix("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"))
    }

    @Test(
        "a password is the same however it is typed",
        arguments: [
            ("I\u{AD}X", "IX"), ("caf\u{65}\u{301}", "caf\u{E9}"), ("a\u{A0}b", "a b"), ("\u{FB01}sh", "fish"),
            ("\u{2168}", "IX"),
        ])
    func preparation(_ typed: String, _ meant: String) throws {
        let verifier = try #require(make(meant))
        #expect(verifier.matches(Array(typed.utf8)))
    }

    @Test func whatIsNoTextIsNoPassword() {
        for octets in [[0xFF, 0xFE], [], [0xC3, 0xA4, 0x07], [UInt8](repeating: 65, count: 1025)] as [[UInt8]] {
            #expect(PasswordText.prepared(octets) == nil)
            #expect(ScramVerifier(password: octets, salt: PasswordTests.salt, iterations: 4096) == nil)
        }
    }

    @Test(
        "a line that is no verifier is told by its number",
        arguments: [
            "news", "news SCRAM-SHA-256$4096:QUFBQUFBQUE=$AAAA:AAAA", "news SCRAM-SHA-1$4096:QUFBQUFBQUE=$A:A",
            "news secret", "# decoy AAAA",
        ])
    func faults(_ line: String) {
        #expect(throws: PasswordTable.Fault.self) { try PasswordTable("\n\(line)\n") }
        do throws(PasswordTable.Fault) {
            _ = try PasswordTable("\n\(line)\n")
        } catch {
            #expect(error.line == 2)
            #expect(!error.problem.contains("secret"))
        }
    }

    @Test("iterations below those of RFC 7677 and beyond reason are refused", arguments: [4095, 1_000_001])
    func iterations(_ count: Int) throws {
        let verifier = try #require(make("pencil"))
        #expect(ScramVerifier(verifier.text.replacing("$4096:", with: "$\(count):")) == nil)
    }

    @Test func theFileComesBackAsItWas() throws {
        var table = PasswordTable()
        table.set(make("one"), for: "b")
        table.set(make("two"), for: "a")
        let read = try PasswordTable(table.text)
        #expect(read == table)
        #expect(read.text == table.text)
        #expect(throws: PasswordTable.Fault.self) { try PasswordTable(table.text + table.text) }
        table.set(nil, for: "a")
        #expect(!table.contains("a") && table.contains("b"))
    }

    @Test func aNameThatNobodyHasLooksLikeOthersAndAlwaysTheSame() throws {
        var table = PasswordTable()
        table.set(make("one"), for: "a")
        let read = try PasswordTable(table.text)
        let decoy = table.verifier(of: "nobody")
        #expect(read.verifier(of: "nobody") == decoy, "in another process too")
        #expect(decoy.salt.count == 16 && decoy.iterations == 4096)
        #expect(table.verifier(of: "nobody else").salt != decoy.salt)
        #expect(!decoy.matches(Array("one".utf8)))
        let byHand = "a \(try #require(make("one")).text)\n"
        #expect(try PasswordTable(byHand).verifier(of: "x") == PasswordTable(byHand).verifier(of: "x"))
    }

    @Test func aPasswordThatIsMadeIsRandomAndFits() throws {
        let made = try #require(NewPassword.random())
        #expect(made.secret.utf8.count == 27)
        #expect(made.verifier.iterations == 4096)
        #expect(made.verifier.matches(Array(made.secret.utf8)))
        #expect(NewPassword.random()?.secret != made.secret)
        let chosen = try #require(NewPassword.chosen(Array("correct horse".utf8)))
        #expect(chosen.iterations == 100_000)
        #expect(chosen.matches(Array("correct horse".utf8)))
    }
}
