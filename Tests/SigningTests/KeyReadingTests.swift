// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import Signing

@Suite struct KeyReadingTests {
    struct Case: Sendable {
        var mode: mode_t
        var owner: uid_t
        var group: gid_t = 500
        /// The command that mends it; nil if nothing is wrong.
        var command: String?
    }

    /// The reader is user 500 with group 500, as a service is that has both for itself.
    static let asService = [
        Case(mode: 0o600, owner: 500), Case(mode: 0o400, owner: 500), Case(mode: 0o700, owner: 500),
        Case(mode: 0o640, owner: 500, command: "`chmod 600 /k/private.pem`"),
        Case(mode: 0o604, owner: 500, command: "`chmod 600 /k/private.pem`"),
        Case(mode: 0o602, owner: 500, command: "`chmod 600 /k/private.pem`"),
        Case(mode: 0o640, owner: 0), Case(mode: 0o440, owner: 0), Case(mode: 0o600, owner: 0),
        Case(mode: 0o660, owner: 0, command: "`chown 500 /k/private.pem && chmod 600 /k/private.pem` as root"),
        Case(mode: 0o644, owner: 0, command: "`chown 500 /k/private.pem && chmod 600 /k/private.pem` as root"),
        Case(mode: 0o640, owner: 0, group: 100, command: "`chown 500 /k/private.pem && chmod 600 /k/private.pem`"),
        Case(mode: 0o640, owner: 0, group: 0, command: "`chown 500 /k/private.pem && chmod 600 /k/private.pem`"),
        Case(mode: 0o600, owner: 501, command: "`chown 500 /k/private.pem` as root"),
        Case(mode: 0o640, owner: 501, command: "`chown 500 /k/private.pem` as root"),
    ]

    static let asRoot = [
        Case(mode: 0o600, owner: 0), Case(mode: 0o600, owner: 500), Case(mode: 0o640, owner: 0),
        Case(mode: 0o640, owner: 0, group: 0, command: "`chmod 600 /k/private.pem`"),
        Case(mode: 0o640, owner: 500, command: "`chmod 600 /k/private.pem`"),
        Case(mode: 0o604, owner: 0, command: "`chmod 600 /k/private.pem`"),
        Case(mode: 0o650, owner: 0, command: "`chmod 600 /k/private.pem`"),
    ]

    @Test(arguments: asService.map { (500, $0) } + asRoot.map { (0, $0) })
    func aPrivateKeyFileIsGoodOrTheCommandIsSaidThatMendsIt(reader: Int, file: Case) {
        let flaw = KeyReading.flaw(
            of: "/k/private.pem", mode: S_IFREG | file.mode, user: file.owner, group: file.group,
            KeyReading.Reader(user: uid_t(reader), group: gid_t(reader)))
        if let command = file.command {
            #expect(flaw?.remedy?.contains("run \(command)") == true, "\(file): \(flaw?.text ?? "nothing")")
        } else {
            #expect(flaw == nil, "\(file)")
        }
    }

    @Test func aPrivateKeyBehindASymbolicLinkIsRefusedAndTheCommandMendsIt() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (target, link) = (scratch.path + "/a key", scratch.path + "/private.pem")
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: target))
        #expect(unsafe chmod(target, 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        let error = #expect(throws: KeyError.self) { try KeyReading.privateContent(of: link) }
        let text = try #require(error?.text)
        #expect(text.contains("symbolic link"))
        let command = try #require(text.split(separator: "`").dropFirst().first)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", String(command)]
        try shell.run()
        shell.waitUntilExit()
        #expect(try KeyReading.privateContent(of: link) == [1, 2, 3])
    }

    @Test func onlyRegularFilesOfBoundedSizeAreRead() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (pipe, large, empty) = (scratch.path + "/pipe", scratch.path + "/large", scratch.path + "/empty")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        #expect(throws: KeyError.self) { try KeyReading.privateContent(of: pipe) }
        #expect(throws: KeyError.self) { try KeyReading.privateContent(of: scratch.path) }
        #expect(throws: KeyError.self) { try KeyReading.privateContent(of: scratch.path + "/absent") }
        let most = DurableFiles.maximumFileOctets
        for (count, isRead) in [(most, true), (most + 1, false)] {
            try Data(count: count).write(to: URL(fileURLWithPath: large))
            #expect(unsafe chmod(large, 0o600) == 0)
            #expect((try? KeyReading.privateContent(of: large).count) == (isRead ? most : nil))
        }
        try Data().write(to: URL(fileURLWithPath: empty))
        #expect(try KeyReading.content(of: empty) == [])
    }

    /// 0440 is what `stat` shows of a file that systemd made 0400 and opened to the service by an access control list.
    @Test(arguments: [
        (0o400, true), (0o440, true), (0o600, true), (0o460, false), (0o444, false), (0o404, false), (0o402, false),
    ])
    func aCredentialMayHaveTheModeThatSystemdGivesIt(mode: Int, isGood: Bool) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let path = scratch.path + "/credential"
        try Data([7]).write(to: URL(fileURLWithPath: path))
        #expect(unsafe chmod(path, mode_t(mode)) == 0)
        #expect((try? KeyReading.credentialContent(of: path)) == (isGood ? [7] : nil))
    }

    @Test func aDirectoryOfAnotherUserIsWarnedOf() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        if geteuid() == 0 { #expect(unsafe chown(scratch.path, 12_345, 12_345) == 0) }
        let other = KeyReading.Reader(user: 23_456, group: 23_456)
        let warning = try #require(KeyReading.warning(at: scratch.path, other))
        #expect(warning.contains("run `chown 23456 \(scratch.path)` as root"))
        let owner = KeyReading.Reader(user: geteuid() == 0 ? 12_345 : geteuid(), group: 1)
        #expect(KeyReading.warning(at: scratch.path, owner) == nil)
        #expect(KeyReading.warning(at: scratch.path, KeyReading.Reader(user: 0, group: 0)) == nil)
        #expect(KeyReading.warning(at: scratch.path + "/absent", other) == nil)
    }

    @Test func aFileThatChangesInAnyWayHasAnotherIdentity() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let path = scratch.path + "/file"
        #expect(KeyReading.identity(of: path) == nil)
        try Data([1]).write(to: URL(fileURLWithPath: path))
        let first = try #require(KeyReading.identity(of: path))
        _ = try KeyReading.content(of: path)
        #expect(KeyReading.identity(of: path) == first)
        #expect(unsafe rename(path, path + ".moved") == 0)
        try Data([2]).write(to: URL(fileURLWithPath: path))
        #expect(KeyReading.identity(of: path) != first)
    }
}
