// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation

@testable import Relay

/// A DNS made of lines: a name, a type and data; what isn't in it does not exist.
///
/// `TIMEOUT` for data: the question has no answer; for a type too: none about that name has. In texts and in
/// the names of records `\ff` is an octet.
struct RecordTable: Resolver {
    private var records: [String: [(type: String, data: String)]] = [:]

    init(_ lines: String) {
        for line in lines.split(separator: "\n") where !line.hasPrefix("#") { add(line) }
    }

    mutating func add(_ line: some StringProtocol) {
        let words = String(line).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2 else { return }
        let data = words.count > 2 ? String(words[2]) : ""
        records[Self.plain(String(decoding: Self.octets(String(words[0])), as: UTF8.self)), default: []].append(
            (String(words[1]), data))
    }

    private static func plain(_ name: String) -> String {
        (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
    }

    /// The data of a type; nil if the name does not exist.
    private func data(_ name: String, _ type: String, depth: Int = 0) throws(DNSError) -> [String]? {
        guard let all = records[Self.plain(name)] else { return nil }
        if let alias = all.first(where: { $0.type == "CNAME" }), depth < 8 {
            return try data(alias.data, type, depth: depth + 1)
        }
        let found = all.filter { $0.type == type }.map(\.data)
        if all.contains(where: { $0.type == "TIMEOUT" }) && found.isEmpty || found.contains("TIMEOUT") {
            throw .temporary("SERVFAIL")
        }
        return found
    }

    func txt(_ name: String) async throws(DNSError) -> TXTAnswer {
        guard let found = try data(name, "TXT") else { return .nameError }
        return found.isEmpty ? .noData : .records(found.map(Self.octets))
    }

    func mx(_ name: String) async throws(DNSError) -> MXAnswer {
        guard let found = try data(name, "MX") else { return .nameError }
        let hosts = found.map { text in
            let words = text.split(separator: " ", omittingEmptySubsequences: false)
            return MXRecord(preference: Int(words[0]) ?? 0, host: words.count > 1 ? String(words[1]) : "")
        }
        if hosts.isEmpty { return .noData }
        return hosts.allSatisfy { $0.host.isEmpty } ? .nullMX : .records(hosts)
    }

    func addresses(_ host: String) async throws(DNSError) -> [IPAddress] {
        if let literal = IPAddress(host) { return [literal] }
        guard let four = try data(host, "A"), let sixteen = try data(host, "AAAA") else { throw .nameError }
        let found = (four + sixteen).compactMap { IPAddress($0) }
        guard !found.isEmpty else { throw .noData }
        return found
    }

    func names(of address: IPAddress) async throws(DNSError) -> [String] {
        guard let found = try data(address.reverseName, "PTR") else { throw .nameError }
        guard !found.isEmpty else { throw .noData }
        return found
    }

    var lookup: RecordLookup {
        // A machine with much to do must not change what a test finds.
        RecordLookup(
            self, names: { address throws(DNSError) in try await names(of: address) }, timeLimit: .seconds(86_400))
    }

    private static func octets(_ text: String) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "\\") else {
                octets.append(octet)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if let value = UInt8(digits, radix: 16), digits.count == 2 {
                octets.append(value)
                rest = rest.dropFirst(2)
            }
        }
        return octets
    }
}
