// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

@testable import DKIM

/// What the tests of this module share: the files under `Vectors`, the published keys, small conversions.
enum Vectors {
    static func bytes(_ path: String) throws -> [UInt8] {
        let root = try #require(Bundle.module.resourceURL).appendingPathComponent("Vectors")
        return try Array(Data(contentsOf: root.appendingPathComponent(path)))
    }

    static func names(in directory: String, suffix: String) throws -> [String] {
        let root = try #require(Bundle.module.resourceURL).appendingPathComponent("Vectors/\(directory)")
        return try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0.hasSuffix(suffix) }.sorted()
    }

    static func rsaKey() throws -> SigningKey { try SigningKey(pem: bytes("RFC/private-rsa.key")) }
    static func ed25519Key() throws -> SigningKey { try SigningKey(pem: bytes("RFC/ed.pem")) }

    /// The key records of the domains in the vectors, as they stand in RFC 8463 §A.2 and RFC 6376 §C.
    static let keyRecords: [String: String] = [
        "brisbane._domainkey.football.example.com":
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "test._domainkey.football.example.com":
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2"
            + "jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2"
            + "EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        "brisbane._domainkey.example.com":
            "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxO"
            + "CKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWTo"
            + "IMmPSPDdQPNUYckcQ2QIDAQAB",
    ]

    /// A clock at the time when the vectors of this directory were made.
    static let now: Int64 = 1_795_500_000

    static var verifier: Verifier {
        Verifier(now: now) { name in keyRecords[name].map { .texts([$0]) } ?? .none }
    }

    /// A whole message with a signature on top.
    static func sign(
        _ message: [UInt8], with template: SignatureTemplate, signedAt: Int64 = now, expiresAt: Int64? = now + 604_800
    ) throws -> [UInt8] {
        let header = try HeaderFields(message)
        let hasher = try BodyHasher(template.canonicalization.body)
        hasher.append(Array(message[header.bodyStart...]))
        return try template.sign(
            header, bodyHash: hasher.finish(), signedAt: signedAt, expiresAt: expiresAt) + message
    }

    static func hash(_ body: [UInt8], _ canonicalization: Canonicalization) throws -> String {
        let hasher = try BodyHasher(canonicalization)
        hasher.append(body)
        return try Base64.string(hasher.finish())
    }
}

func octets(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ octets: some Sequence<UInt8>) -> String { String(decoding: Array(octets), as: UTF8.self) }
