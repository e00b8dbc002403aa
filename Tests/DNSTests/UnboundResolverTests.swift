// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Logging
import Testing

@testable import DNS

@Suite(.enabled(if: NameServer.isWanted, NameServer.advice), .serialized)
struct UnboundResolverTests {
    static let zone = """
        $TTL 60
        @ IN SOA ns1 hostmaster 1 60 60 60 60
        @ IN NS ns1
        ns1 IN A 127.0.0.1
        @ IN MX 20 mx2
        @ IN MX 10 MX1
        mx1 IN A 192.0.2.1
        mx1 IN AAAA 2001:db8::1
        mx2 IN A 192.0.2.2
        alias IN CNAME @
        chain IN CNAME alias
        dangling IN CNAME nowhere
        null IN MX 0 .
        mixed IN MX 0 .
        mixed IN MX 5 mx1
        text IN TXT "one " "two"
        text IN TXT "three"
        empty IN A 192.0.2.9
        six IN AAAA 2001:db8::6
        """

    static func server() async throws -> NameServer {
        try await NameServer(["example.test": zone, "broken.test": ""])
    }

    @Test func mailExchangersComeInOrderOfPreference() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let resolver = try server.resolver()
        let records = [
            MXRecord(preference: 10, host: "mx1.example.test"), MXRecord(preference: 20, host: "mx2.example.test"),
        ]
        #expect(try await resolver.mx("example.test") == .records(records))
        // Asked through aliases, once and twice removed, with any case and with a final dot.
        #expect(try await resolver.mx("alias.example.test") == .records(records))
        #expect(try await resolver.mx("CHAIN.example.test.") == .records(records))
    }

    @Test func aNullMXIsTold() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let resolver = try server.resolver()
        #expect(try await resolver.mx("null.example.test") == .nullMX)
        #expect(
            try await resolver.mx("mixed.example.test")
                == .records([MXRecord(preference: 5, host: "mx1.example.test")]))
    }

    @Test func noDataAndNoNameAreToldApart() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let resolver = try server.resolver()
        #expect(try await resolver.mx("mx1.example.test") == .noData)
        #expect(try await resolver.mx("nowhere.example.test") == .nameError)
        #expect(try await resolver.mx("dangling.example.test") == .nameError)
        #expect(try await resolver.txt("mx1.example.test") == .noData)
        #expect(try await resolver.txt("nowhere.example.test") == .nameError)
        await #expect(throws: DNSError.noData) { try await resolver.addresses("null.example.test") }
        await #expect(throws: DNSError.nameError) { try await resolver.addresses("nowhere.example.test") }
    }

    @Test func stringsOfATextRecordAreJoined() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let answer = try await server.resolver().txt("text.example.test")
        guard case .records(let records) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(Set(records.map { String(decoding: $0, as: UTF8.self) }) == ["one two", "three"])
    }

    @Test func bothKindsOfAddressesAreFound() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let resolver = try server.resolver()
        #expect(
            Set(try await resolver.addresses("mx1.example.test").map(\.description)) == ["192.0.2.1", "2001:db8::1"])
        #expect(try await resolver.addresses("mx2.example.test").map(\.description) == ["192.0.2.2"])
        #expect(try await resolver.addresses("six.example.test").map(\.description) == ["2001:db8::6"])
        #expect(try await resolver.addresses("192.0.2.77").map(\.description) == ["192.0.2.77"])
        #expect(try await resolver.addresses("::1").map(\.description) == ["::1"])
    }

    @Test func aServerThatFailsOrRefusesIsTemporary() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let resolver = try server.resolver()
        for name in ["broken.test", "www.broken.test", "not-served.invalid-zone.example"] {
            await expectTemporary { _ = try await resolver.mx(name) }
            await expectTemporary { _ = try await resolver.txt(name) }
            await expectTemporary { _ = try await resolver.addresses(name) }
        }
    }

    @Test func aSilentServerIsTemporaryAtTheDeadline() async throws {
        let silent = try SilentServer()
        defer { silent.stop() }
        let resolver = try UnboundResolver(
            .asking([silent.address], timeLimit: .milliseconds(300)), logger: .none)
        await #expect(throws: DNSError.temporary("no name server answered in time")) {
            try await resolver.mx("example.test")
        }
        // Those that wait for a turn have the same deadline.
        var configuration = ResolverConfiguration.asking([silent.address], timeLimit: .milliseconds(300))
        configuration.maximumInFlight = 1
        let narrow = try UnboundResolver(configuration, logger: .none)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    await expectTemporary { _ = try await narrow.mx("host\(number).example.test") }
                }
            }
        }
    }

    @Test func questionsBeyondTheLimitWaitTheirTurnAndAreAnswered() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        var configuration = ResolverConfiguration.asking([server.address])
        configuration.maximumInFlight = 2
        let resolver = try UnboundResolver(configuration, logger: .none)
        let answers = await withTaskGroup(of: MXAnswer?.self) { group in
            for number in 0..<100 {
                group.addTask { try? await resolver.mx("host\(number).example.test") }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 100)
        #expect(answers.allSatisfy { $0 == .nameError })
    }

    @Test func questionsBeyondTheWaitingOnesAreRefusedAtOnce() async throws {
        let silent = try SilentServer()
        defer { silent.stop() }
        var configuration = ResolverConfiguration.asking([silent.address], timeLimit: .milliseconds(500))
        configuration.maximumWaiting = 0
        let resolver = try UnboundResolver(configuration, logger: .none)
        await #expect(throws: DNSError.temporary("too many questions to the DNS are open")) {
            try await resolver.mx("example.test")
        }
    }

    @Test func theHostsFileAnswersForAddresses() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-hosts-\(UUID())")
        try "192.0.2.44 smarthost.internal\n".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        var configuration = ResolverConfiguration.asking([server.address])
        configuration.hostsFile = file.path
        let resolver = try UnboundResolver(configuration, logger: .none)
        #expect(try await resolver.addresses("smarthost.internal").map(\.description) == ["192.0.2.44"])
    }

    @Test func serversOfResolvConfAreAsked() async throws {
        // resolv.conf can't name a port: nothing listens on 127.0.0.199, and that is what must be found.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-resolv-\(UUID())")
        try "nameserver 127.0.0.199\n".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        var configuration = ResolverConfiguration.asking([])
        configuration.resolvConf = file.path
        configuration.timeLimit = .milliseconds(500)
        let resolver = try UnboundResolver(configuration, logger: .none)
        await expectTemporary { _ = try await resolver.mx("example.test") }
    }

    @Test func nameServersAreThoseOfTheZoneItself() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let resolver = try server.resolver()
        #expect(try await resolver.nameServers("example.test") == ["ns1.example.test"])
        #expect(try await resolver.nameServers("mx1.example.test") == [])
        #expect(try await resolver.nameServers("nowhere.example.test") == [])
        // The servers of an alias's target are not those of the alias.
        #expect(try await resolver.nameServers("alias.example.test") == [])
    }

    @Test func aResolverThatGoesAwayAnswersWhatIsOpen() async throws {
        let silent = try SilentServer()
        defer { silent.stop() }
        for _ in 0..<20 {
            let question = Task {
                let resolver = try UnboundResolver(
                    .asking([silent.address], timeLimit: .milliseconds(20)), logger: .none)
                _ = try await resolver.mx("example.test")
            }
            await expectTemporary { try await question.value }
        }
    }
}

@Suite struct AddressAnswerTests {
    static let one = RecordSet(kind: .records([[192, 0, 2, 1]]), isAlias: false)

    @Test func oneAddressIsEnough() throws {
        let answers: [UnboundQuestion.Answer] = [.success(Self.one), .failure(.temporary("late"))]
        #expect(try UnboundResolver.addresses(from: answers).count == 1)
        #expect(try UnboundResolver.addresses(from: answers.reversed()).count == 1)
    }

    @Test func withoutAnAddressAnOpenQuestionIsTemporary() {
        let noData = RecordSet(kind: .noData, isAlias: false)
        let answers: [UnboundQuestion.Answer] = [.success(noData), .failure(.temporary("late"))]
        #expect(throws: DNSError.temporary("late")) { try UnboundResolver.addresses(from: answers) }
        #expect(throws: DNSError.temporary("late")) { try UnboundResolver.addresses(from: answers.reversed()) }
        #expect(throws: DNSError.noData) { try UnboundResolver.addresses(from: [.success(noData), .success(noData)]) }
    }
}

/// Takes questions and never answers.
final class SilentServer: Sendable {
    let address: ServerAddress
    private let descriptor: CInt

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let file = descriptor
        let result = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(file, generic, length) == 0 && getsockname(file, generic, &length) == 0
            }
        }
        guard result else { throw NameServer.Failure(description: "no free port") }
        address = ServerAddress(
            address: try #require(IPAddress("127.0.0.1")), port: Int(UInt16(bigEndian: name.sin_port)))
    }

    func stop() {
        close(descriptor)
    }
}

func expectTemporary(
    _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async {
    do {
        try await body()
        Issue.record("an answer where none could be", sourceLocation: sourceLocation)
    } catch {
        guard case .temporary? = error as? DNSError else {
            Issue.record("\(error)", sourceLocation: sourceLocation)
            return
        }
    }
}

extension Logger {
    static let none = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
