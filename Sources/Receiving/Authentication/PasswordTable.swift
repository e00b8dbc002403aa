// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Crypto
internal import SMTP

/// PasswordTable is in charge of the verifiers of all applications, and of the file that they are kept in.
///
/// One line an application, `NAME VERIFIER`; empty lines and lines that start with `#` mean nothing, except
/// `# decoy KEY`: from that key comes what a name is answered that has no verifier, the same in every process.
package struct PasswordTable: Hashable, Sendable {
    /// What is wrong with a line of the file; says nothing of its content.
    package struct Fault: Error, Hashable, Sendable {
        package let line: Int
        package let problem: String
    }

    private static let decoyPrefix = "# decoy "
    private static let decoyOctets = 32

    private(set) var verifiers: [String: ScramVerifier] = [:]
    private var decoyKey: [UInt8]

    /// Without any verifier.
    package init() {
        decoyKey = PasswordTable.random(PasswordTable.decoyOctets)
    }

    package init(_ text: String) throws(Fault) {
        self.init()
        var hasDecoyKey = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.hasSuffix("\r") ? line.dropLast() : line
            if line.hasPrefix(PasswordTable.decoyPrefix) {
                guard let key = Base64Text.decode(line.dropFirst(PasswordTable.decoyPrefix.count).utf8),
                    key.count == PasswordTable.decoyOctets
                else { throw Fault(line: index + 1, problem: "the decoy key is not 32 octets in base64") }
                decoyKey = key
                hasDecoyKey = true
            }
            guard !line.hasPrefix("#"), !line.allSatisfy({ $0 == " " || $0 == "\t" }) else { continue }
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count == 2, let verifier = ScramVerifier(String(words[1])) else {
                throw Fault(
                    line: index + 1,
                    problem: "the line is not \"NAME SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey\"")
            }
            guard verifiers.updateValue(verifier, forKey: String(words[0])) == nil else {
                throw Fault(line: index + 1, problem: "the application has a line already")
            }
        }
        // A file that somebody wrote by hand: what only its reader knows makes a key as lasting as the file.
        if !hasDecoyKey, !verifiers.isEmpty {
            let secret = verifiers.sorted { $0.key < $1.key }.flatMap { $0.value.storedKey }
            decoyKey = Array(SHA256.hash(data: secret))
        }
    }

    /// As the file has it.
    package var text: String {
        let lines = verifiers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)\n" }
        return "\(PasswordTable.decoyPrefix)\(Base64Text.encode(decoyKey))\n" + lines.joined()
    }

    package func contains(_ name: String) -> Bool { verifiers[name] != nil }

    /// Nil takes the application's password away.
    package mutating func set(_ verifier: ScramVerifier?, for name: String) {
        verifiers[name] = verifier
    }

    /// The verifier of a name, or one that looks like it for a name that has none.
    func verifier(of name: String) -> ScramVerifier {
        verifiers[name] ?? decoy(for: name)
    }

    /// The same for the same name, and of as many iterations as some of the others.
    private func decoy(for name: String) -> ScramVerifier {
        let key = SymmetricKey(data: decoyKey)
        let code = Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: key))
        let counts = verifiers.values.map(\.iterations).sorted()
        let iterations = counts.isEmpty ? ScramVerifier.iterationRange.lowerBound : counts[Int(code[31]) % counts.count]
        return ScramVerifier(decoySalt: Array(code.prefix(PasswordTable.saltOctets)), iterations: iterations, key: key)
    }

    /// Of salts that Waxwing makes.
    static let saltOctets = 16

    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// Passwords as `waxwing apps password` makes and takes them.
package enum NewPassword {
    /// Of a secret that is random, so that there is nothing to guess.
    private static let fewIterations = 4096
    /// Of one that somebody thought of.
    private static let manyIterations = 100_000
    /// 27 of 62 signs are 160 bits.
    private static let signs = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    private static let length = 27

    /// A secret of 160 random bits, with its verifier.
    package static func random() -> (secret: String, verifier: ScramVerifier)? {
        var generator = SystemRandomNumberGenerator()
        let secret = String((0..<length).map { _ in signs[Int.random(in: signs.indices, using: &generator)] })
        return verifier(of: Array(secret.utf8), iterations: fewIterations).map { (secret, $0) }
    }

    /// The verifier of a password that somebody chose; nil if it can't be one.
    package static func chosen(_ password: [UInt8]) -> ScramVerifier? {
        verifier(of: password, iterations: manyIterations)
    }

    private static func verifier(of password: [UInt8], iterations: Int) -> ScramVerifier? {
        ScramVerifier(
            password: password, salt: PasswordTable.random(PasswordTable.saltOctets), iterations: iterations)
    }
}
