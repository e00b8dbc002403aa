// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import DNS

/// A real BIND on a loopback port of its own, whose zones can be changed by dynamic updates.
final class BindServer: Sendable {
    static let program = [
        ProcessInfo.processInfo.environment["WAXWING_NAMED"], "/usr/sbin/named", "/usr/local/sbin/named",
    ].compactMap { $0 }.first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    /// Where tests must not be left out, a missing server fails them.
    static let isWanted = program != nil || ProcessInfo.processInfo.environment["CI"] != nil
    static let advice: Comment = "LEFT OUT: BIND is not installed (apt-get install bind9)"

    /// One of each algorithm, all with the same rights.
    static let keys: [TSIGKey] = [
        TSIGKey(name: "k256.test", algorithm: .hmacSHA256, secret: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        TSIGKey(name: "k384.test", algorithm: .hmacSHA384, secret: "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        TSIGKey(
            name: "k512.test", algorithm: .hmacSHA512,
            // Longer than a block of the hash.
            secret: Data(repeating: 7, count: 150).base64EncodedString()),
    ]
    /// Known to the server, and allowed nothing.
    static let powerless = TSIGKey(
        name: "powerless.test", algorithm: .hmacSHA256, secret: "CCECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")

    let address: ServerAddress
    private let directory: URL
    private let process: pid_t

    /// - Parameter zones: the entries of each zone beside SOA and NS, by its name; with `allow-update` for the keys.
    init(_ zones: [String: String]) async throws {
        guard let program = BindServer.program else { throw NameServer.Failure(description: "BIND is not installed") }
        address = ServerAddress(address: try #require(IPAddress("127.0.0.1")), port: try NameServer.freePort())
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-bind-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var configuration = """
            options {
              directory "\(directory.path)";
              listen-on port \(address.port) { 127.0.0.1; };
              listen-on-v6 { none; };
              pid-file none;
              session-keyfile none;
              managed-keys-directory "\(directory.path)";
              recursion no;
              dnssec-validation no;
              notify no;
              minimal-responses yes;
              check-names primary ignore;
            };
            controls { };

            """
        for key in BindServer.keys + [BindServer.powerless] {
            configuration +=
                "key \"\(key.name)\" { algorithm \(key.algorithm.rawValue); secret \"\(key.secret)\"; };\n"
        }
        let allowed = BindServer.keys.map { "key \"\($0.name)\"; " }.joined()
        for (name, entries) in zones {
            configuration +=
                "zone \"\(name)\" { type primary; file \"\(name).zone\"; allow-update { \(allowed)}; };\n"
            let text = "$TTL 60\n@ IN SOA ns1 hostmaster 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"
            try (text + entries + "\n").write(
                to: directory.appendingPathComponent(name + ".zone"), atomically: true, encoding: .utf8)
        }
        let file = directory.appendingPathComponent("named.conf")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        process = try NameServer.spawn([program, "-f", "-n", "1", "-c", file.path, "-L", directory.path + "/log"])
        for _ in 0..<200 {
            if await NameServer.answers(address, zones.keys.first ?? "test") { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        let log = try? String(contentsOf: directory.appendingPathComponent("log"), encoding: .utf8)
        stop()
        throw NameServer.Failure(description: "BIND does not answer: \(log ?? "no log")")
    }

    /// Call once, when the test is over.
    func stop() {
        NameServer.end(process)
        try? FileManager.default.removeItem(at: directory)
    }

    /// The text records of a name as the server has them, and how many strings each has.
    func texts(_ name: String) async throws -> [(text: String, strings: Int, ttl: UInt32)] {
        let message = try #require(QueryMessage.octets(name: name, type: .txt))
        let outcome = await Exchange.perform([Exchange(server: address, transport: .tcp, message: message)]).first
        guard case .reply(let octets) = outcome else { throw NameServer.Failure(description: "\(outcome as Any)") }
        return try #require(ReplyMessage(octets)).answers(.txt, of: name).map { record in
            (
                String(decoding: record.fields.map { $0.dropFirst() }.joined(), as: UTF8.self), record.fields.count,
                record.ttl
            )
        }
    }
}
