// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Logging
import Testing

@testable import DNS

/// A real name server (NSD) on a loopback port of its own, with zones that a test writes.
final class NameServer: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static let program = [
        ProcessInfo.processInfo.environment["WAXWING_NSD"], "/usr/sbin/nsd", "/usr/local/sbin/nsd",
    ].compactMap { $0 }.first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    /// Where tests must not be left out, a missing server fails them.
    static let isWanted = program != nil || ProcessInfo.processInfo.environment["CI"] != nil
    static let advice: Comment = "LEFT OUT: nsd is not installed (apt-get install nsd)"

    let address: ServerAddress
    private let directory: URL
    private let process: pid_t

    /// - Parameter zones: the text of each zone file by the name of its zone; empty text for a zone that can't be
    ///   loaded, which NSD answers with SERVFAIL.
    init(_ zones: [String: String], on host: String = "127.0.0.1", port: Int? = nil) async throws {
        guard let program = NameServer.program else { throw Failure(description: "nsd is not installed") }
        address = ServerAddress(address: try #require(IPAddress(host)), port: try port ?? NameServer.freePort())
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-nsd-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var configuration = """
            server:
              ip-address: \(host)
              port: \(address.port)
              server-count: 1
              username: ""
              chroot: ""
              pidfile: ""
              database: ""
              zonesdir: "\(directory.path)"
              zonelistfile: "\(directory.path)/zone.list"
              xfrdfile: "\(directory.path)/xfrd.state"
              xfrdir: "\(directory.path)"
              logfile: "\(directory.path)/log"
            remote-control:
              control-enable: no

            """
        for (name, text) in zones {
            configuration += "zone:\n  name: \"\(name)\"\n  zonefile: \"\(name).zone\"\n"
            guard !text.isEmpty else { continue }
            try text.write(to: directory.appendingPathComponent(name + ".zone"), atomically: true, encoding: .utf8)
        }
        let file = directory.appendingPathComponent("nsd.conf")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        process = try NameServer.spawn([program, "-d", "-c", file.path])
        try await waitUntilReady(zones.keys.first ?? "test")
    }

    /// Call once, when the test is over: a server that is only released would be gone before the test is.
    func stop() {
        NameServer.end(process)
        try? FileManager.default.removeItem(at: directory)
    }

    static func end(_ process: pid_t) {
        kill(process, SIGTERM)
        var status: CInt = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    /// Whether a server is there, for UDP and TCP.
    static func answers(_ address: ServerAddress, _ zone: String) async -> Bool {
        let message = QueryMessage.octets(name: zone, type: .soa) ?? []
        let outcomes = await Exchange.perform(
            [Exchange.Transport.udp, .tcp].map { Exchange(server: address, transport: $0, message: message) })
        return outcomes.allSatisfy { outcome in
            if case .reply = outcome { return true }
            return false
        }
    }

    static func spawn(_ arguments: [String]) throws -> pid_t {
        var process: pid_t = 0
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [1, 2] as [CInt] {
            unsafe posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        // Threads of the test runner block SIGTERM, which the server must hear.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let result = unsafe posix_spawn(&process, arguments[0], &actions, &attributes, words, environ)
        guard result == 0 else { throw Failure(description: "\(arguments[0]) can't be started (\(result))") }
        return process
    }

    private func waitUntilReady(_ zone: String) async throws {
        for _ in 0..<200 {
            if await NameServer.answers(address, zone) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        let log = try? String(contentsOf: directory.appendingPathComponent("log"), encoding: .utf8)
        stop()
        throw Failure(description: "nsd does not answer: \(log ?? "no log")")
    }

    /// A resolver that asks this server for everything.
    func resolver(timeLimit: Duration = .seconds(10)) throws -> UnboundResolver {
        try UnboundResolver(
            .asking([address], timeLimit: timeLimit),
            logger: Logger(label: "name server", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    static func freePort() throws -> Int {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(file, generic, length) == 0 && getsockname(file, generic, &length) == 0
            }
        }
        guard result else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

extension ResolverConfiguration {
    static func asking(_ servers: [ServerAddress], timeLimit: Duration = .seconds(10)) -> ResolverConfiguration {
        var configuration = ResolverConfiguration()
        configuration.servers = servers
        configuration.hostsFile = nil
        configuration.timeLimit = timeLimit
        return configuration
    }
}
