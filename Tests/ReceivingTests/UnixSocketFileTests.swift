// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import Receiving

/// The name of a Unix socket, in a directory of the test's own.
@Suite struct UnixSocketFileTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = "/tmp/ww-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode : 0
    }

    @Test func itHasTheModeThatWasAskedForAndGoesAtTheEnd() throws {
        try withDirectory { directory in
            let path = directory + "/s"
            let file = try UnixSocketFile(UnixSocket(path: path, mode: 0o620))
            #expect(mode(path) == S_IFSOCK | 0o620)
            close(file.descriptor)
            file.remove()
            #expect(mode(path) == 0)
        }
    }

    @Test func onlyAListenerThatIsGoneIsReplaced() throws {
        try withDirectory { directory in
            let socket = UnixSocket(path: directory + "/s")
            let first = try UnixSocketFile(socket)
            #expect(listen(first.descriptor, 1) == 0)
            #expect(throws: ReceivingError.addressInUse(.unixSocket(socket))) { try UnixSocketFile(socket) }
            #expect(mode(socket.path) & S_IFMT == S_IFSOCK)
            close(first.descriptor)
            let second = try UnixSocketFile(socket)
            close(second.descriptor)
            // What has taken the name meanwhile is not the socket's to remove.
            try FileManager.default.removeItem(atPath: socket.path)
            #expect(FileManager.default.createFile(atPath: socket.path, contents: nil))
            second.remove()
            #expect(mode(socket.path) & S_IFMT == S_IFREG)
        }
    }

    @Test func whatIsNotASocketStays() throws {
        try withDirectory { directory in
            let path = directory + "/s"
            #expect(FileManager.default.createFile(atPath: path, contents: Data("precious".utf8)))
            #expect(throws: ReceivingError.notASocket(path: path)) { try UnixSocketFile(UnixSocket(path: path)) }
            #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
            let link = directory + "/link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            #expect(throws: ReceivingError.notASocket(path: link)) { try UnixSocketFile(UnixSocket(path: link)) }
        }
    }

    @Test func aPathThatIsTooLongIsAnError() throws {
        let socket = UnixSocket(path: "/tmp/" + String(repeating: "x", count: 120))
        #expect(throws: ReceivingError.self) { try UnixSocketFile(socket) }
    }
}
