// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

@testable import DNS

/// Signed zones on a real server, checked by real anchors.
@Suite(.enabled(if: NameServer.isWanted && SignedZone.isWanted, SignedZone.advice), .serialized)
struct TrustAnchorTests {
    static let zone = """
        $TTL 60
        @ IN SOA ns1 hostmaster 1 60 60 60 60
        @ IN NS ns1
        ns1 IN A 127.0.0.1
        @ IN MX 10 mx1
        mx1 IN A 192.0.2.1
        alias IN CNAME mx1
        text IN TXT "one"

        """

    /// A resolver with these anchors that asks this server.
    static func resolver(_ server: NameServer?, anchors: String) throws -> UnboundResolver {
        let file = FileManager.default.temporaryDirectory.appending(path: "waxwing-anchors-\(UUID())")
        try anchors.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        var configuration = ResolverConfiguration.asking([server?.address].compactMap { $0 })
        configuration.trustAnchorFile = file.path
        return try UnboundResolver(configuration, logger: .none)
    }

    static func failure(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            guard case .temporary(let text)? = error as? DNSError else { return nil }
            return text
        }
    }

    @Test func answersWithValidSignaturesPass() async throws {
        let signed = try SignedZone("example.test", Self.zone)
        let server = try await NameServer(["example.test": signed.text])
        defer { server.stop() }
        for anchors in [signed.delegationSigner, signed.key] {
            let resolver = try Self.resolver(server, anchors: "$TTL 60\n; the anchor\n\n" + anchors)
            #expect(
                try await resolver.mx("example.test") == .records([MXRecord(preference: 10, host: "mx1.example.test")]))
            #expect(try await resolver.addresses("alias.example.test").map(\.description) == ["192.0.2.1"])
            #expect(try await resolver.txt("text.example.test") == .records([Array("one".utf8)]))
            // That something does not exist is signed, too.
            #expect(try await resolver.txt("mx1.example.test") == .noData)
            #expect(try await resolver.txt("nowhere.example.test") == .nameError)
            #expect(try await resolver.nameServers("example.test") == ["ns1.example.test"])
        }
    }

    @Test func answersSignedWithAnotherKeyThanTheAnchorAreTemporaryAndOthersStay() async throws {
        let zones = try ["bogus.test", "bogus.test", "example.test"].map { try SignedZone($0, Self.zone) }
        let server = try await NameServer([
            "bogus.test": zones[0].text, "example.test": zones[2].text, "plain.test": Self.zone,
        ])
        defer { server.stop() }
        let anchors = zones[1].delegationSigner + zones[2].delegationSigner
        let resolver = try Self.resolver(server, anchors: anchors)
        // Once more from the cache, and what does not exist.
        for name in ["text.bogus.test", "text.bogus.test", "mx1.bogus.test", "nowhere.bogus.test"] {
            let text = await Self.failure { _ = try await resolver.txt(name) }
            #expect(text?.hasPrefix("DNSSEC validation failed: ") == true, "\(text ?? "")")
            #expect(text?.contains(name) == true, "\(text ?? "")")
            #expect(text?.utf8.allSatisfy { (32...126).contains($0) } == true)
        }
        #expect(try await resolver.txt("text.example.test") == .records([Array("one".utf8)]))
        #expect(try await resolver.txt("text.plain.test") == .records([Array("one".utf8)]))
        #expect(try await resolver.txt("nowhere.plain.test") == .nameError)
        // Without anchors nobody looks.
        #expect(try await server.resolver().txt("text.bogus.test") == .records([Array("one".utf8)]))
    }

    @Test func expiredAndMissingSignaturesAreTemporary() async throws {
        let expired = try SignedZone(
            "expired.test", Self.zone, times: ["-s", "20200101000000", "-e", "20200201000000"])
        let unsigned = try SignedZone("unsigned.test", Self.zone)
        let server = try await NameServer(["expired.test": expired.text, "unsigned.test": Self.zone])
        defer { server.stop() }
        let resolver = try Self.resolver(server, anchors: expired.delegationSigner + unsigned.delegationSigner)
        for name in ["text.expired.test", "text.unsigned.test"] {
            let text = await Self.failure { _ = try await resolver.txt(name) }
            #expect(text?.contains("DNSSEC validation failed: ") == true, "\(text ?? "")")
        }
    }
}

/// Files that hold no anchor say so before any question is asked.
@Suite struct TrustAnchorFileTests {
    static let anchor =
        "example.test. IN DS 21699 13 2 684CDA87ADA1B345C5D62C2BDC8991418A41CE35A1860C562176C77C AA0A6685"

    @Test(arguments: [
        ("", "has no record"), ("; only a comment\n\n", "has no record"), ("nonsense\n", "is malformed before line 2"),
        (anchor + "\nexample.test. IN DS 21699 13\n", "is malformed before line 3"),
        (anchor + "\n$INCLUDE other\n", "is malformed before line 3"),
        (anchor + "\nexample.test. IN A 192.0.2.1\n", "is neither DS nor DNSKEY"),
        ("example.test. IN DS 1 99 2 AA\n", "has the algorithm 99"),
        ("example.test. IN DS 1 13 9 AA\n", "has a digest of type 9"),
        ("example.test. IN DNSKEY 257 3 99 AAAA\n", "has the algorithm 99"),
        (String(repeating: "$TTL 1\n", count: 20_000), "more than 10000 entries"),
        (String(repeating: "a", count: 100_000), "is malformed"),
    ])
    func aFileWithoutAnchorsIsRefused(content: String, problem: String) async throws {
        let text = await TrustAnchorTests.failure { _ = try TrustAnchorTests.resolver(nil, anchors: content) }
        #expect(text?.hasPrefix("the trust anchor file /") == true, "\(text ?? "")")
        #expect(text?.contains(problem) == true, "\(text ?? "")")
        #expect(text?.contains("such as `example.com. IN DS") == true, "\(text ?? "")")
    }

    @Test(arguments: [
        "\(anchor)", "\(anchor)\n",
        "$ORIGIN test.\n$TTL 60\nexample IN DS 1 13 2 (\n \(anchor.suffix(65)) )\n",
    ])
    func aFileWithAnchorsIsTaken(content: String) throws {
        _ = try TrustAnchorTests.resolver(nil, anchors: content)
    }

    @Test(arguments: ["/nowhere/anchors", "/"])
    func aFileThatCanNotBeReadIsRefused(path: String) async {
        var configuration = ResolverConfiguration.asking([])
        configuration.trustAnchorFile = path
        let text = await TrustAnchorTests.failure { _ = try UnboundResolver(configuration, logger: .none) }
        #expect(text?.hasPrefix("the trust anchor file \(path) can't be read: ") == true, "\(text ?? "")")
    }
}
