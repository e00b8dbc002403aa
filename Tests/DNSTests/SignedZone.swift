// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

/// A zone signed with a fresh key by BIND's own tools.
struct SignedZone {
    /// Beside the server: `sbin/named` and `bin/dnssec-signzone` come together.
    private static let programs = BindServer.program.map {
        URL(filePath: $0).deletingLastPathComponent().deletingLastPathComponent().appending(path: "bin")
    }
    static let isWanted =
        programs.map { FileManager.default.isExecutableFile(atPath: $0.path + "/dnssec-signzone") } == true
        || ProcessInfo.processInfo.environment["CI"] != nil
    static let advice: Comment = "LEFT OUT: dnssec-signzone is not installed (apt-get install bind9 bind9-utils)"

    /// The text of the zone file.
    let text: String
    /// The key as the zone above would vouch for it (RFC 4034 §5), in a line.
    let delegationSigner: String
    /// The key itself, in a line.
    let key: String

    /// - Parameter times: further arguments for the signer, such as when signatures end.
    init(_ name: String, _ text: String, times: [String] = []) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "waxwing-signed-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try text.write(to: directory.appending(path: "zone"), atomically: true, encoding: .utf8)
        try Self.run("dnssec-keygen", ["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", name], in: directory)
        try Self.run("dnssec-signzone", ["-q", "-S", "-z", "-P", "-o", name] + times + ["zone"], in: directory)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let keyFile = try #require(files.first { $0.hasSuffix(".key") })
        func content(_ file: String) throws -> String {
            try String(contentsOf: directory.appending(path: file), encoding: .utf8)
        }
        self.text = try content("zone.signed")
        delegationSigner = try content("dsset-\(name).")
        key = try content(keyFile)
    }

    private static func run(_ program: String, _ arguments: [String], in directory: URL) throws {
        let process = Process()
        process.executableURL = try #require(programs).appending(path: program)
        process.arguments = arguments
        process.currentDirectoryURL = directory
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NameServer.Failure(description: "\(program): \(text)") }
    }
}
