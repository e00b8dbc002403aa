// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

@testable import Relay

@Suite("The configuration of sendmail") struct SendmailConfigurationTests {
    private func read(_ text: String) throws -> Configuration {
        try ConfigurationFile.read(text, file: "waxwing.toml", directory: "/nowhere")
    }

    @Test("leaves mail beside the spool, or where it says")
    func dropDirectory() throws {
        #expect(try read("").dropDirectory == "/nowhere/.waxwing/drop")
        #expect(try read("[spool]\ndirectory = \"s/spool\"").dropDirectory == "/nowhere/s/drop")
        #expect(try read("[sendmail]\ndrop-directory = \"d\"").dropDirectory == "/nowhere/d")
    }

    @Test("submits to the socket that it names, or to the first listener on loopback")
    func place() throws {
        #expect(try read("").submissionPlace == .tcp(address: "127.0.0.1", port: 587))
        let listeners = "[[listener]]\nport = 0\n[[listener]]\naddress = \"::1\"\nport = 2525\n"
        #expect(try read(listeners).submissionPlace == .tcp(address: "::1", port: 2525))
        #expect(
            try read(listeners + "[sendmail]\nsocket = \"run/s.sock\"").submissionPlace
                == .unix(path: "/nowhere/run/s.sock"))
    }

    @Test(
        "is refused where everybody could write to what is nobody else's, or no socket can be",
        arguments: [
            "[sendmail]\ndrop-directory = \".waxwing/spool\"", "[sendmail]\ndrop-directory = \".waxwing/spool/drop\"",
            "[sendmail]\ndrop-directory = \"Keys\"", "[sendmail]\ndrop-directory = \".waxwing\"",
            "[sendmail]\nsocket = \"\(String(repeating: "x", count: 100))\"",
        ])
    func faults(text: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        let fault = try #require(error?.faults.first)
        #expect(fault.line == 2)
        #expect(fault.key?.hasPrefix("sendmail.") == true)
    }

    @Test("costs no mail where a setting is wrong that is the daemon's to complain of")
    func lenient() throws {
        let path = NSTemporaryDirectory() + "/waxwing-\(UInt64.random(in: 0...UInt64.max)).toml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text =
            "hostname = 7\nnonsense = true\n[sendmail]\nsocket = \"/run/s.sock\"\n[dns]\ntrust-anchor = \"gone\"\n"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        #expect(throws: ConfigurationError.self) { try ConfigurationFile.load(path) }
        let configuration = try ConfigurationFile.loadLeniently(path, looksHere: false)
        #expect(configuration.submissionPlace == .unix(path: "/run/s.sock"))
        #expect(configuration.general == GeneralSettings())
        try "hostname = \n".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(throws: ConfigurationError.self) { try ConfigurationFile.loadLeniently(path, looksHere: false) }
    }
}
