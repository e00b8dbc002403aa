// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ScramExchange is in charge of the server's side of the messages of SCRAM (RFC 5802 §5, §7), without any hashing.
///
///     C: n,,n=news,r=rOprNGfwEbeRWgbNEkqO
///     S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096
///     C: c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=
///     S: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=
struct ScramExchange: Hashable, Sendable {
    let name: String
    /// The GS2 header with its commas, which the client repeats.
    private let header: [UInt8]
    private let clientFirstBare: [UInt8]
    private var nonce: [UInt8]
    private var serverFirst: [UInt8] = []

    /// Nil if the message is not one, or asks for what is not offered.
    init?(clientFirst message: [UInt8]) {
        let parts = message.split(separator: UInt8(ascii: ","), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        // RFC 5802 §6: `n` has no channel binding, `y` would if the server offered it, which it does not. `p=` uses
        // one that was never offered.
        guard parts[0].elementsEqual([UInt8(ascii: "n")]) || parts[0].elementsEqual([UInt8(ascii: "y")]) else {
            return nil
        }
        let attributes = parts[2].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        // RFC 5802 §5.1: `m=` is for extensions that must be understood, so anything but n= and r= comes after them.
        guard attributes.count >= 2, let encodedName = ScramExchange.value("n", attributes[0]),
            let nonce = ScramExchange.value("r", attributes[1]), ScramExchange.isNonce(nonce),
            let name = ScramExchange.decodedName(encodedName), !name.isEmpty
        else { return nil }
        var authorizationName = ""
        if !parts[1].isEmpty {
            guard let encoded = ScramExchange.value("a", parts[1]), let decoded = ScramExchange.decodedName(encoded)
            else { return nil }
            authorizationName = decoded
        }
        // Nobody here may act for another: a name that differs is one that does not exist.
        let isItself = authorizationName.isEmpty || authorizationName.utf8.elementsEqual(name.utf8)
        self.name = isItself ? name : ""
        self.header = Array(message.prefix(parts[0].count + parts[1].count + 2))
        self.clientFirstBare = Array(parts[2])
        self.nonce = Array(nonce)
    }

    /// server-first-message.
    mutating func serverFirst(_ challenge: ScramChallenge) -> [UInt8] {
        nonce += challenge.nonce.utf8
        serverFirst =
            Array("r=".utf8) + nonce + Array(",s=\(Base64Text.encode(challenge.salt)),i=\(challenge.iterations)".utf8)
        return serverFirst
    }

    /// What client-final-message proves; nil if it is not one, or not of this exchange.
    func proof(clientFinal message: [UInt8]) -> ScramProof? {
        let attributes = message.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard attributes.count >= 3, let last = attributes.last,
            let binding = ScramExchange.value("c", attributes[0]).flatMap(Base64Text.decode), binding == header,
            let nonce = ScramExchange.value("r", attributes[1]), nonce.elementsEqual(self.nonce),
            let proof = ScramExchange.value("p", last).flatMap(Base64Text.decode)
        else { return nil }
        let withoutProof = message.prefix(message.count - last.count - 1)
        let comma = [UInt8(ascii: ",")]
        return ScramProof(
            name: name, proof: proof,
            authenticationMessage: clientFirstBare + comma + serverFirst + comma + withoutProof)
    }

    private static func value(_ name: Character, _ attribute: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        attribute.starts(with: "\(name)=".utf8) ? attribute.dropFirst(2) : nil
    }

    /// RFC 5802 §7: printable, without commas.
    private static func isNonce(_ octets: ArraySlice<UInt8>) -> Bool {
        (1...256).contains(octets.count) && octets.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// RFC 5802 §5.1: `=2C` stands for a comma and `=3D` for an equals sign, which stands for nothing else.
    private static func decodedName(_ octets: ArraySlice<UInt8>) -> String? {
        var decoded: [UInt8] = []
        var rest = octets
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                decoded.append(byte)
                continue
            }
            if rest.starts(with: "2C".utf8) {
                decoded.append(UInt8(ascii: ","))
            } else if rest.starts(with: "3D".utf8) {
                decoded.append(UInt8(ascii: "="))
            } else {
                return nil
            }
            rest = rest.dropFirst(2)
        }
        return AuthenticationExchange.text(decoded)
    }
}
