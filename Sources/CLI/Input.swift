// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Glibc

/// Files and standard input.
enum Input {
    /// - Parameter path: nil or `-` is standard input.
    static func contents(of path: String?) throws -> [UInt8] {
        guard let path, path != "-" else { return try read(STDIN_FILENO, named: "standard input") }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        return try read(descriptor, named: path)
    }

    private static func read(_ descriptor: Int32, named name: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(name) }
            if count == 0 { return bytes }
            bytes += chunk[0..<count]
        }
    }

    private static func failure(_ name: String) -> ExitCode {
        Output.error("\(name) can't be read: \(unsafe String(cString: strerror(errno)))")
        return ExitCode(ExitStatus.failure)
    }
}
