// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Synchronization
import Testing

@testable import DNS

/// A name server on loopback that answers as a test says, over UDP and TCP.
final class ScriptedServer: Sendable {
    /// What to do with a message: the replies to send, one after the other; over TCP an empty array closes.
    typealias Script = @Sendable (_ message: [UInt8], _ transport: Exchange.Transport) -> [[UInt8]]

    let address: ServerAddress
    private let datagrams: CInt
    private let listener: CInt
    private let pause: Duration?
    private let isStopped = Atomic(false)
    private let received = Mutex<[(name: String, transport: Exchange.Transport)]>([])

    /// - Parameter pause: over TCP, after each octet.
    init(
        on host: String = "127.0.0.1", port: Int? = nil, pause: Duration? = nil, _ script: @escaping Script
    ) throws {
        self.pause = pause
        let port = try port ?? NameServer.freePort()
        address = ServerAddress(address: try #require(IPAddress(host)), port: port)
        datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard ScriptedServer.bind(datagrams, address), ScriptedServer.bind(listener, address), listen(listener, 16) == 0
        else { throw NameServer.Failure(description: "no port for a scripted server") }
        let (thread, files) = (ScriptThread(run: { self.run(script) }), (datagrams, listener))
        guard thread.start() else {
            close(files.0)
            close(files.1)
            throw NameServer.Failure(description: "no thread for a scripted server")
        }
    }

    /// Call once; the thread closes its sockets within its next turn.
    func stop() {
        isStopped.store(true, ordering: .releasing)
    }

    /// The names that were asked for, with their transports.
    var questions: [(name: String, transport: Exchange.Transport)] { received.withLock { $0 } }

    private func run(_ script: Script) {
        while !isStopped.load(ordering: .acquiring) {
            var descriptors = [datagrams, listener].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard unsafe poll(&descriptors, 2, 50) > 0 else { continue }
            if descriptors[0].revents != 0 { answerDatagram(script) }
            if descriptors[1].revents != 0 { answerConnection(script) }
        }
        close(datagrams)
        close(listener)
    }

    private func answerDatagram(_ script: Script) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutablePointer(to: &peer) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                let count = unsafe recvfrom(datagrams, &buffer, buffer.count, 0, generic, &length)
                guard count > 0 else { return }
                let message = Array(buffer.prefix(count))
                note(message, .udp)
                for reply in script(message, .udp) {
                    _ = unsafe sendto(datagrams, reply, reply.count, 0, generic, length)
                }
            }
        }
    }

    private func answerConnection(_ script: Script) {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        defer { close(connection) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        _ = unsafe setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var octets: [UInt8] = []
        while octets.count < 2 || octets.count < 2 + (Int(octets[0]) << 8 | Int(octets[1])) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            octets += buffer.prefix(count)
        }
        let message = Array(octets.dropFirst(2))
        note(message, .tcp)
        for reply in script(message, .tcp) {
            let framed = [UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply
            for piece in pause == nil ? [framed] : framed.map({ [$0] }) {
                guard unsafe send(connection, piece, piece.count, CInt(MSG_NOSIGNAL)) == piece.count else { return }
                if let pause { usleep(useconds_t(pause / .microseconds(1))) }
            }
        }
    }

    private func note(_ message: [UInt8], _ transport: Exchange.Transport) {
        let name = Reply.questionName(message)
        received.withLock { $0.append((name, transport)) }
    }

    private static func bind(_ file: CInt, _ address: ServerAddress) -> Bool {
        var one: CInt = 1
        _ = unsafe setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(address.port).bigEndian
        unsafe withUnsafeMutableBytes(of: &name.sin_addr) { unsafe $0.copyBytes(from: address.address.octets) }
        return unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe Glibc.bind(file, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// A thread of its own for a script, which may block.
private final class ScriptThread: Sendable {
    private let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
        self.run = run
    }

    func start() -> Bool {
        let box = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let thread = unsafe Unmanaged<ScriptThread>.fromOpaque(argument).takeRetainedValue()
                thread.run()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

/// Replies to messages, octet by octet.
enum Reply {
    static let authoritative: UInt8 = 0x04
    static let truncated: UInt8 = 0x02

    /// The question with a header of a reply before it and records after it.
    static func to(
        _ message: [UInt8], flags: UInt8 = authoritative, code: UInt8 = 0, answers: [[UInt8]] = [],
        authority: [[UInt8]] = []
    ) -> [UInt8] {
        let end = endOfQuestion(message)
        let header = [
            message[0], message[1], 0x80 | (message[2] & 0x78) | flags, code, 0, 1, 0, UInt8(answers.count), 0,
            UInt8(authority.count), 0, 0,
        ]
        return header + message[12..<end] + answers.joined() + authority.joined()
    }

    /// A record of the name that was asked for, unless another owner is given as octets.
    static func record(_ type: RecordType, owner: [UInt8] = [0xC0, 12], ttl: UInt8 = 60, _ data: [UInt8]) -> [UInt8] {
        owner + [0, UInt8(type.rawValue), 0, 1, 0, 0, 0, ttl, UInt8(data.count >> 8), UInt8(data.count & 255)] + data
    }

    static func text(_ text: String, ttl: UInt8 = 60) -> [UInt8] {
        record(.txt, ttl: ttl, UpdateMessage.strings(Array(text.utf8)).flatMap { $0 })
    }

    static func name(_ name: String) -> [UInt8] { LdnsName.octets(of: name) ?? [0] }

    static func questionName(_ message: [UInt8]) -> String {
        RecordData.name(Array(message[12..<(endOfQuestion(message) - 4)])) ?? "?"
    }

    static func questionType(_ message: [UInt8]) -> Int {
        Int(message[endOfQuestion(message) - 3])
    }

    private static func endOfQuestion(_ message: [UInt8]) -> Int {
        var index = 12
        while index < message.count, message[index] != 0 { index += Int(message[index]) + 1 }
        return index + 5
    }
}

/// Counts calls of a script.
final class Counter: Sendable {
    private let value = Atomic(0)

    /// 1 at first.
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }

    var count: Int { value.load(ordering: .relaxed) }
}
