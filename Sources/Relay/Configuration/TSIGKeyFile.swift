// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation

/// TSIGKeyFile is in charge of reading the secret of a TSIG key: what `tsig-keygen` prints and BIND, Knot and nsupdate
/// read, or the secret alone in base64.
///
///     key "waxwing" {
///         algorithm hmac-sha256;
///         secret "c2VjcmV0IG9mIDMyIG9jdGV0cyBpbiBiYXNlNjQhIQ==";
///     };
///
/// No error says anything about the secret.
struct TSIGKeyFile: Hashable, Sendable {
    /// RFC 8945 §8 wants as many octets as the digest has; fewer than these can be guessed.
    static let minimumSecretOctets = 16

    /// Nil: the file is the secret alone.
    var name: String?
    var algorithm: String?
    var secret: String

    init(_ content: [UInt8]) throws(SecretFault) {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw TSIGKeyFile.unreadable("it is not text")
        }
        let words = try TSIGKeyFile.words(of: text)
        // Before comments: base64 has slashes, and a secret may begin with two.
        let lone = text.split(whereSeparator: \.isWhitespace)
        if lone.count == 1, Data(base64Encoded: String(lone[0])) != nil {
            self.init(name: nil, algorithm: nil, secret: String(lone[0]))
        } else if words.first == .word("key") {
            self = try TSIGKeyFile.clause(words)
        } else if words.count == 1, case .word(let secret)? = words.first {
            self.init(name: nil, algorithm: nil, secret: secret)
        } else {
            throw TSIGKeyFile.unreadable("it starts with no `key` clause, and is more than one word")
        }
        let octets = Data(base64Encoded: secret)?.count ?? 0
        guard octets >= TSIGKeyFile.minimumSecretOctets else {
            throw SecretFault(
                problem: octets == 0
                    ? "the secret of the TSIG key is not base64"
                    : "the secret of the TSIG key has \(octets) octets, few enough to be guessed",
                remedy: "Make one with `tsig-keygen -a hmac-sha256 waxwing`")
        }
    }

    private init(name: String?, algorithm: String?, secret: String) {
        self.name = name
        self.algorithm = algorithm
        self.secret = secret
    }

    /// The key, as far as the settings agree with the file.
    func key(name: String?, algorithm: TSIGKey.Algorithm?) throws(SecretFault) -> TSIGKey {
        guard let keyName = name ?? self.name, let keyName = TSIGKeyFile.name(keyName) else {
            throw SecretFault(
                problem: "nothing says the name of the TSIG key", remedy: "Write tsig-name as the server has it")
        }
        if let own = self.name, TSIGKeyFile.name(own)?.lowercased() != keyName.lowercased() {
            throw SecretFault(
                problem: "the file holds the TSIG key \"\(own)\", and tsig-name says \"\(keyName)\"",
                remedy: "Remove tsig-name, or name the file of that key")
        }
        let own = try ownAlgorithm()
        if let own, let algorithm, own != algorithm {
            throw SecretFault(
                problem: "the TSIG key is for \(own.rawValue), and tsig-algorithm says \(algorithm.rawValue)",
                remedy: "Remove tsig-algorithm")
        }
        return TSIGKey(name: keyName, algorithm: algorithm ?? own ?? .hmacSHA256, secret: secret)
    }

    private func ownAlgorithm() throws(SecretFault) -> TSIGKey.Algorithm? {
        guard let text = algorithm?.lowercased() else { return nil }
        guard let known = TSIGKey.Algorithm(rawValue: text.hasSuffix(".") ? String(text.dropLast()) : text) else {
            let known = TSIGKey.Algorithm.allCases.map(\.rawValue).joined(separator: ", ")
            // Where the two statements were mixed up it is the secret.
            let shown = text.hasPrefix("hmac-") ? "\"\(text.prefix(40))\"" : "something"
            throw SecretFault(
                problem: "the TSIG key is for \(shown), which Waxwing does not use (only \(known))",
                remedy: "Make one with `tsig-keygen -a hmac-sha256 waxwing`")
        }
        return known
    }

    /// A key's name without the final dot; nil if it can't be one (RFC 8945 §4.2: a domain name).
    static func name(_ text: String) -> String? {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let fits = name.utf8.count <= 253 && labels.allSatisfy { (1...63).contains($0.utf8.count) }
        return isName && fits ? name : nil
    }

    // MARK: - Syntax

    private enum Word: Hashable {
        case word(String)
        case open, close, end
    }

    private static func clause(_ words: [Word]) throws(SecretFault) -> TSIGKeyFile {
        guard words.count > 2, case .word(let name) = words[1], words[2] == .open else {
            throw unreadable("`key` is not followed by a name and a brace")
        }
        var statements: [String: String] = [:]
        var rest = words[3...]
        while case .word(let key)? = rest.first {
            guard rest.count >= 3, case .word(let value) = rest[rest.startIndex + 1],
                rest[rest.startIndex + 2] == .end, key == "algorithm" || key == "secret", statements[key] == nil
            else { throw unreadable("a statement is not `algorithm NAME;` or `secret \"BASE64\";`") }
            statements[key] = value
            rest = rest.dropFirst(3)
        }
        guard Array(rest) == [.close, .end] || Array(rest) == [.close] else {
            throw unreadable("it does not end behind one `key` clause")
        }
        guard let secret = statements["secret"] else { throw unreadable("the clause has no secret") }
        return TSIGKeyFile(name: name, algorithm: statements["algorithm"], secret: secret)
    }

    /// Comments as BIND knows them: `#` and `//` to the line's end, and between `/*` and `*/`.
    private static func words(of text: String) throws(SecretFault) -> [Word] {
        var words: [Word] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): rest.removeFirst()
            case UInt8(ascii: "{"): words.append(.open); rest.removeFirst()
            case UInt8(ascii: "}"): words.append(.close); rest.removeFirst()
            case UInt8(ascii: ";"): words.append(.end); rest.removeFirst()
            case UInt8(ascii: "#"): rest = rest.drop { $0 != UInt8(ascii: "\n") }
            case UInt8(ascii: "/") where rest.starts(with: "//".utf8): rest = rest.drop { $0 != UInt8(ascii: "\n") }
            case UInt8(ascii: "/") where rest.starts(with: "/*".utf8):
                rest = rest.dropFirst(2)
                while !rest.isEmpty, !rest.starts(with: "*/".utf8) { rest.removeFirst() }
                rest = rest.dropFirst(2)
            case UInt8(ascii: "\""):
                let inner = rest.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
                guard inner.endIndex < rest.endIndex else { throw unreadable("a quote has no other half") }
                words.append(.word(String(decoding: inner, as: UTF8.self)))
                rest = rest[(inner.endIndex + 1)...]
            default:
                let word = rest.prefix { !" \t\r\n{};\"#".utf8.contains($0) }
                words.append(.word(String(decoding: word, as: UTF8.self)))
                rest = rest[word.endIndex...]
            }
        }
        return words
    }

    private static func unreadable(_ reason: String) -> SecretFault {
        SecretFault(
            problem: "the file holds no TSIG key: \(reason)",
            remedy: "Put into it what `tsig-keygen -a hmac-sha256 waxwing` prints, or the secret alone in base64")
    }
}
