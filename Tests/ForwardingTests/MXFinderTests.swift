// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Spooling
import Testing

@testable import Forwarding

@Suite struct MXFinderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var answer: Result<MXAnswer, DNSError>
        /// Hosts in order, or the outcome.
        var expected: String

        var testDescription: String { name }

        init(_ name: String, _ answer: Result<MXAnswer, DNSError>, _ expected: String) {
            self.name = name
            self.answer = answer
            self.expected = expected
        }
    }

    static func mx(_ records: (Int, String)...) -> Result<MXAnswer, DNSError> {
        .success(.records(records.map { MXRecord(preference: $0.0, host: $0.1) }))
    }

    static let cases: [Case] = [
        Case("by preference", mx((20, "b.test"), (10, "c.test"), (10, "a.test")), "a.test c.test b.test"),
        Case("implicit MX", .success(.noData), "example.net"),
        Case("null MX", .success(.nullMX), "failed 556 5.1.10"),
        Case("null MX as a record", mx((0, "")), "failed 556 5.1.10"),
        Case("null MX beside others", mx((0, "."), (10, "a.test")), "a.test"),
        Case("NXDOMAIN", .success(.nameError), "failed - 5.1.2"),
        Case("SERVFAIL", .failure(.temporary("SERVFAIL")), "deferred - 4.4.3"),
        Case(
            "this relay in the middle",
            mx((10, "a.test"), (20, "relay.example.com"), (20, "b.test"), (30, "c.test")), "a.test"),
        Case("this relay first", mx((10, "relay.example.com"), (20, "b.test")), "failed - 5.4.6"),
    ]

    @Test("a domain's MX hosts, or why there are none", arguments: cases)
    func hosts(_ mx: Case) async throws {
        let finder = finder(TableResolver(exchangers: ["example.net": mx.answer]))
        guard let domain = Domain("example.net") else { return }
        do throws(RoutingFault) {
            let hosts = try await finder.hosts(of: domain)
            #expect(hosts.map(\.host).joined(separator: " ") == mx.expected)
        } catch {
            #expect(words(error) == mx.expected)
        }
    }

    @Test("of each host IPv4 and IPv6 come in turns, five addresses in all, by preference")
    func addresses() async throws {
        let resolver = TableResolver(hosts: [
            "a.test": answer("2001:4860::1", "2001:4860::2", "192.0.2.1", "192.0.2.2"), "b.test": answer("192.0.2.3"),
            "c.test": .failure(.nameError), "d.test": answer("192.0.2.4", "192.0.2.5"),
        ])
        let hosts = [(10, "a.test"), (20, "c.test"), (30, "b.test"), (40, "d.test")]
        let target = SiteTarget.mx(hosts: hosts.map { MXRecord(preference: $0.0, host: $0.1) }, port: 25)
        let found = try await finder(resolver).addresses(of: target, allowsPrivate: false)
        // Three of the first host, so that a host that is down with all its addresses does not use up the attempt.
        #expect(
            found.map(\.remote) == [
                "a.test[192.0.2.1]:25", "a.test[2001:4860::1]:25", "a.test[192.0.2.2]:25", "b.test[192.0.2.3]:25",
                "d.test[192.0.2.4]:25",
            ])
    }

    @Test("hosts of one preference are tried in an order of chance")
    func equals() async throws {
        var names: Set<[String]> = []
        let resolver = TableResolver(hosts: ["a.test": answer("192.0.2.1"), "b.test": answer("192.0.2.2")])
        let random = SeededNumbers(seed: 1)
        let finder = MXFinder(resolver: resolver, hostname: "relay", randomness: random.randomness)
        for _ in 0..<100 {
            let target = SiteTarget.mx(
                hosts: [MXRecord(preference: 5, host: "a.test"), MXRecord(preference: 5, host: "b.test")], port: 25)
            names.insert(try await finder.addresses(of: target, allowsPrivate: false).map(\.host))
        }
        #expect(names == [["a.test", "b.test"], ["b.test", "a.test"]])
    }

    @Test(
        "hosts without an address that may be used",
        arguments: [
            (["a.test": .failure(.noData)], "failed - 5.4.4"), (["a.test": .failure(.nameError)], "failed - 5.4.4"),
            ([:], "deferred - 4.4.3"), (["a.test": answer("127.0.0.1", "10.1.2.3", "::1")], "failed - 5.4.4"),
        ] as [([String: Result<[IPAddress], DNSError>], String)])
    func noAddress(hosts: [String: Result<[IPAddress], DNSError>], expected: String) async {
        do throws(RoutingFault) {
            let target = SiteTarget.mx(hosts: [MXRecord(preference: 0, host: "a.test")], port: 25)
            _ = try await finder(TableResolver(hosts: hosts)).addresses(of: target, allowsPrivate: false)
            Issue.record("found")
        } catch {
            #expect(words(error) == expected)
        }
    }

    @Test("private addresses are used where the route allows them")
    func allowed() async throws {
        let finder = finder(TableResolver(hosts: ["a.test": answer("127.0.0.1")]))
        let target = SiteTarget.mx(hosts: [MXRecord(preference: 0, host: "a.test")], port: 2525)
        let found = try await finder.addresses(of: target, allowsPrivate: true)
        #expect(found.map(\.remote) == ["a.test[127.0.0.1]:2525"])
    }

    @Test("a smarthost may be an address, localhost, or a name; what is wrong with the name is the operator's")
    func smarthost() async throws {
        let finder = finder(TableResolver(hosts: ["s.test": answer("10.0.0.1"), "gone.test": .failure(.nameError)]))
        func find(_ host: String) async throws(RoutingFault) -> [String] {
            try await finder.addresses(of: .smarthost(host: host, port: 25), allowsPrivate: false).map(\.remote)
        }
        #expect(try await find("192.0.2.1") == ["[192.0.2.1]:25"])
        #expect(try await find("::1") == ["[::1]:25"])
        #expect(try await find("localhost") == ["localhost[127.0.0.1]:25", "localhost[::1]:25"])
        #expect(try await find("s.test") == ["s.test[10.0.0.1]:25"])
        for host in ["gone.test", "unknown.test"] {
            do throws(RoutingFault) {
                _ = try await find(host)
                Issue.record("found")
            } catch {
                #expect(words(error) == "deferred - 4.4.3")
                if case .deferred(let diagnostic) = error.outcome { #expect(diagnostic.owner == .operator) }
            }
        }
    }

    @Test(
        "addresses that no host of the Internet has",
        arguments: [
            "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9", "169.254.169.254",
            "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "224.0.0.1",
            "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "fc00::1", "fd12::1",
            "fe80::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::101:101", "2002:7f00:1::1", "2002:a00:1::",
        ])
    func notGlobal(text: String) throws {
        #expect(!AddressPolicy.isGlobal(try #require(IPAddress(text))))
    }

    @Test(
        "addresses beside those",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
            "169.253.0.1", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.1.1", "198.17.0.1", "198.20.0.1",
            "223.255.255.255", "::ffff:1.1.1.1", "2001:4860::1", "64:ff9b::101:101", "2002:101:101::1", "3fff::1",
        ])
    func global(text: String) throws {
        #expect(AddressPolicy.isGlobal(try #require(IPAddress(text))))
    }

    private func finder(_ resolver: TableResolver) -> MXFinder {
        MXFinder(resolver: resolver, hostname: "relay.example.com", randomness: Randomness { 0 })
    }

    private func words(_ fault: RoutingFault) -> String {
        let (word, diagnostic) =
            switch fault.outcome {
            case .delivered(let diagnostic): ("delivered", diagnostic)
            case .deferred(let diagnostic): ("deferred", diagnostic)
            case .failed(let diagnostic): ("failed", diagnostic)
            }
        return "\(word) \(diagnostic.replyCode.map(String.init) ?? "-") \(diagnostic.status)"
    }
}

private func answer(_ addresses: String...) -> Result<[IPAddress], DNSError> {
    .success(addresses.compactMap { IPAddress($0) })
}
