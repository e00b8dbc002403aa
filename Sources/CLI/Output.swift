// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Glibc
import Relay

/// What a command ends with, besides 0 for success.
enum ExitStatus {
    static let failure: Int32 = 1
    /// EX_USAGE of sysexits.h.
    static let usage: Int32 = 64
    /// Of verify: what was asked can't be said.
    static let unknown: Int32 = 2
    /// EX_CONFIG of sysexits.h.
    static let configuration: Int32 = 78

    /// Of these, monitoring systems take the status as it is: 0 fine, 1 problem, 2 wrong usage.
    static let monitored: Set<String> = ["dns", "keys"]
    static let monitoredUsage: Int32 = 2

    /// What a command ends with that would end with `status`.
    static func of(_ status: Int32, of arguments: [String]) -> Int32 {
        guard status == usage, let command = arguments.first, monitored.contains(command) else { return status }
        return monitoredUsage
    }
}

/// Octets to standard output, words to standard error.
enum Output {
    /// Each line of `text` after the program's name.
    static func error(_ text: String) {
        for line in text.split(separator: "\n") { write("waxwing: \(line)\n", to: STDERR_FILENO) }
    }

    /// Says what went wrong and gives the status to end with.
    static func failure(_ error: any Error) -> any Error {
        if error is ExitCode { return error }
        Output.error("\(error)")
        return ExitCode(error is ConfigurationError ? ExitStatus.configuration : ExitStatus.failure)
    }

    /// Whether somebody reads along.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Text beside the output proper, to standard error as it is.
    static func explanation(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    static func text(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    static func line(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    static func bytes(_ bytes: [UInt8]) {
        write(bytes, to: STDOUT_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        write(Array(text.utf8), to: descriptor)
    }

    /// Nobody can be told of an error here; the reader went away.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        unsafe bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return }
                offset += count
            }
        }
    }
}
