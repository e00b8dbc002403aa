// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Relay
import Testing

/// One way to get a file wrong, and what must be said about it.
struct FaultCase: CustomTestStringConvertible, Sendable {
    let text: String
    let line: Int
    let key: String
    /// Words that the problem must hold.
    let problem: String
    /// Words that the remedy must hold.
    let remedy: String

    var testDescription: String { "\(key): \(problem)" }

    static let all: [FaultCase] = [
        FaultCase(
            text: "[limits]\nmessage-size = 50", line: 2, key: "limits.message-size", problem: "50 has no unit",
            remedy: "\"50 MiB\""),
        FaultCase(
            text: "[limits]\nmessage-size = \"50 MB\"", line: 2, key: "limits.message-size",
            problem: "\"MB\" is not a unit", remedy: "B, KiB, MiB"),
        FaultCase(
            text: "[limits]\nmessage-size = \"50\"", line: 2, key: "limits.message-size", problem: "has no unit",
            remedy: "MiB"),
        FaultCase(
            text: "[limits]\nmessage-size = \"many MiB\"", line: 2, key: "limits.message-size", problem: "whole number",
            remedy: "such as"),
        FaultCase(
            text: "[limits]\nmessage-size = \"99999999999999999 TiB\"", line: 2, key: "limits.message-size",
            problem: "too large", remedy: "1 GiB"),
        FaultCase(
            text: "[limits]\nmessage-size = \"1 B\"", line: 2, key: "limits.message-size", problem: "too small",
            remedy: "64 KiB"),
        FaultCase(
            text: "[limits]\n\nrecipients = 99", line: 3, key: "limits.recipients", problem: "too small",
            remedy: "100 to"),
        FaultCase(
            text: "[limits]\nrecipients = \"100\"", line: 2, key: "limits.recipients", problem: "a string",
            remedy: "`100`"),
        FaultCase(
            text: "[limits]\nidle-time = \"5 minutes\"", line: 2, key: "limits.idle-time", problem: "\"minutes\"",
            remedy: "s, min, h, d"),
        FaultCase(
            text: "[limits]\nidle-time = 1.5", line: 2, key: "limits.idle-time", problem: "floating-point",
            remedy: "\"5 min\""),
        FaultCase(
            text: "[limits]\nrecipient = 100", line: 2, key: "limits.recipient", problem: "no such setting in [limits]",
            remedy: "`recipients`"),
        FaultCase(
            text: "[limit]\nrecipients = 100", line: 1, key: "limit", problem: "no such setting at the top",
            remedy: "`limits`"),
        FaultCase(text: "colour = 1", line: 1, key: "colour", problem: "no such setting", remedy: "hostname"),
        FaultCase(text: "limits = 5", line: 1, key: "limits", problem: "not written as a table", remedy: "[limits]"),
        FaultCase(
            text: "[listener]\nport = 25", line: 1, key: "listener", problem: "not written as a table",
            remedy: "[[listener]]"),
        FaultCase(
            text: "[[limits]]\nerrors = 1", line: 1, key: "limits", problem: "not written as a table",
            remedy: "[limits]"),
        FaultCase(text: "route = [1]", line: 1, key: "route", problem: "not written as a table", remedy: "[[route]]"),
        FaultCase(
            text: "hostname = \"not a name\"", line: 1, key: "hostname", problem: "not a domain name",
            remedy: "relay.example.com"),
        FaultCase(
            text: "hostname = \"a\\u0007b\"", line: 1, key: "hostname", problem: "control character", remedy: "Remove"),
        FaultCase(
            text: "hostname = true", line: 1, key: "hostname", problem: "true or false", remedy: "relay.example.com"),
        FaultCase(
            text: "[[listener]]\naddress = \"0.0.0.0\"", line: 2, key: "listener[1].address",
            problem: "no [[app]] could submit", remedy: "127.0.0.1"),
        FaultCase(
            text: "[[listener]]\n[[listener]]\naddress = \"2001:db8::1\"", line: 3, key: "listener[2].address",
            problem: "other machines", remedy: "::1"),
        FaultCase(
            text: "[[listener]]\naddress = \"localhost\"", line: 2, key: "listener[1].address",
            problem: "not an IP address", remedy: "127.0.0.1"),
        FaultCase(
            text: "[[listener]]\nport = 65536", line: 2, key: "listener[1].port", problem: "too large", remedy: "65535"),
        FaultCase(
            text: "[[listener]]\nport = 2525\n[[listener]]\nport = 2525", line: 3, key: "listener[2].address",
            problem: "already a listener on 127.0.0.1 port 2525", remedy: "Remove"),
        FaultCase(
            text: "[[listener]]\nport = 2525\n[[listener]]\nport = 2525\nbare-lf = \"normalise\"", line: 3,
            key: "listener[2].address", problem: "already a listener on 127.0.0.1 port 2525", remedy: "Remove"),
        FaultCase(
            text: "[[listener]]\nbare-lf = \"normalize\"", line: 2, key: "listener[1].bare-lf",
            problem: "\"normalize\" is not one of the words", remedy: "\"reject\" or \"normalise\""),
        FaultCase(
            text: "[[listener]]\nprot = 25", line: 2, key: "listener[1].prot", problem: "in [[listener]]",
            remedy: "`port`"),
        FaultCase(
            text: "[[rewrite]]\nto = \"a@example.com\"", line: 1, key: "rewrite[1].from", problem: "whom it is for",
            remedy: "from ="),
        FaultCase(
            text: "[[rewrite]]\nfrom = \"*\"", line: 1, key: "rewrite[1].to", problem: "the mailbox to write",
            remedy: "to ="),
        FaultCase(
            text: "[[rewrite]]\nfrom = \"root\"\nto = \"a@example.com\"", line: 2, key: "rewrite[1].from",
            problem: "\"root\" has no @", remedy: "Write \"@root\""),
        FaultCase(
            text: "[[rewrite]]\nfrom = \"*\"\nto = \"nobody\"", line: 3, key: "rewrite[1].to",
            problem: "\"nobody\" is not a mailbox", remedy: "Write one such as \"alerts@example.com\""),
        FaultCase(
            text: "[[rewrite]]\nfrom = \"*\"\nto = \"a@b.test\"\n[[rewrite]]\nfrom = \"*\"\nto = \"c@b.test\"",
            line: 5, key: "rewrite[2].from", problem: "already a rule for \"*\"", remedy: "Remove"),
        FaultCase(
            text:
                "[[rewrite]]\nfrom = \"*\"\nto = \"a@b.test\"\n[[rewrite]]\nfrom = \"root@localhost\"\nto = \"c@b.test\"",
            line: 5, key: "rewrite[2].from", problem: "already a rule for \"*\"", remedy: "before the other"),
        FaultCase(
            text:
                "[[app]]\nname = \"a\"\nfrom = [\"a.test\"]\nfeedback-id = \"{app}:sender\"\n[[app]]\nname = \"b\"\nfrom = [\n\"b.test\",\n\"x@a.test\"]\nfeedback-id = \"{app}:sender\"",
            line: 9, key: "app[2].from[2]", problem: "already an [[app]] for \"a.test\"", remedy: "before the other"),
        FaultCase(
            text: "[[app]]\nname = \"a\"\nfrom = [\"*\"]\nfeedback-id = \"{app}:sender\"", line: 3,
            key: "app[1].from[1]", problem: "not all", remedy: "Name the author domains"),
        FaultCase(
            text: "[[rewrite]]\nform = \"*\"", line: 2, key: "rewrite[1].form", problem: "in [[rewrite]]",
            remedy: "`from`"),
        FaultCase(
            text: "[[app]]\nfrom = [\"a.test\"]\nfeedback-id = \"a:b:c:sender\"", line: 1, key: "app[1].name",
            problem: "no name", remedy: "name ="),
        FaultCase(
            text: "[[app]]\nname = \"news letter\"\nfrom = [\"a.test\"]\nfeedback-id = \"a:b:c:sender\"", line: 2,
            key: "app[1].name", problem: "\"news letter\" is not", remedy: "Correct it"),
        FaultCase(
            text: "[[app]]\nname = \"a\"\nfeedback-id = \"a:b:c:sender\"", line: 1, key: "app[1].from",
            problem: "nobody's mail", remedy: "from ="),
        FaultCase(
            text: "[[app]]\nname = \"a\"\nfrom = [\"a.test\",\n\"b..test\"]\nfeedback-id = \"a:b:c:sender\"", line: 4,
            key: "app[1].from[2]", problem: "b..test", remedy: "orrect it"),
        FaultCase(
            text: "[[app]]\nname = \"a\"\nfrom = [\"a.test\"]", line: 1, key: "app[1]", problem: "adds no field",
            remedy: "feedback-id"),
        FaultCase(
            text: "[[app]]\nname = \"a\"\nfrom = [\"a.test\"]\nlist-unsubscribe = \"https://a.test\"", line: 4,
            key: "app[1].list-unsubscribe", problem: "https://a.test", remedy: "angle brackets"),
        FaultCase(
            text:
                "[[app]]\nname = \"a\"\nfrom = [\"a.test\"]\nlist-unsubscribe = \"<mailto:a@a.test>\"\nlist-unsubscribe-post = true",
            line: 4, key: "app[1].list-unsubscribe", problem: "no HTTPS URI", remedy: "Add one"),
        FaultCase(
            text: "[[app]]\nname = \"a\"\nfrom = [\"a.test\"]\nfeedback-id = \"a:b:c:d:e\"", line: 4,
            key: "app[1].feedback-id", problem: "a:b:c:d:e", remedy: "up to four words"),
        FaultCase(
            text:
                "[[app]]\nname = \"a\"\nfrom = [\"a.test\"]\nfeedback-id = \"{app}:sender\"\n[[app]]\nname = \"a\"\nfrom = [\"b.test\"]\nfeedback-id = \"{app}:sender\"",
            line: 6, key: "app[2].name", problem: "already an [[app]] \"a\"", remedy: "name of its own"),
        FaultCase(
            text: "[intake]\nhide-client-address = 1", line: 2, key: "intake.hide-client-address", problem: "a number",
            remedy: "true"),
        FaultCase(
            text: "[spool]\nminimum-free = \"100 %\"", line: 2, key: "spool.minimum-free", problem: "too large",
            remedy: "99 %"),
        FaultCase(
            text: "[spool]\nminimum-free = 5", line: 2, key: "spool.minimum-free", problem: "no unit", remedy: "\"5 %\""
        ),
        FaultCase(
            text: "[spool]\ndirectory = \"/nonexistent/deep/spool\"", line: 2, key: "spool.directory",
            problem: "no directory /nonexistent/deep", remedy: "mkdir -p /nonexistent/deep"),
        FaultCase(
            text: "[keys]\ndirectory = \"/dev/null\"", line: 2, key: "keys.directory",
            problem: "/dev/null is not a directory", remedy: "directory"),
        FaultCase(
            text: "[keys]\ndirectory = \"\"", line: 2, key: "keys.directory", problem: "empty",
            remedy: "leave the setting out"),
        FaultCase(
            text: "[control]\ngroup = \"no-such-group-here\"", line: 2, key: "control.group", problem: "no group",
            remedy: "groupadd no-such-group-here"),
        FaultCase(
            text: "[control]\nsocket = \"/tmp/\(String(repeating: "a", count: 110))\"", line: 2, key: "control.socket",
            problem: "107 octets", remedy: "/run/waxwing/control.sock"),
        FaultCase(
            text: "[dns]\nservers = [\"127.0.0.1@53\",\n \"ns.example.com\"]", line: 3, key: "dns.servers[2]",
            problem: "not an address", remedy: "127.0.0.1@5353"),
        FaultCase(
            text: "[dns]\nservers = [\"127.0.0.1@0\"]", line: 2, key: "dns.servers[1]", problem: "not an address",
            remedy: "@port"),
        FaultCase(
            text: "[dns]\nservers = \"127.0.0.1\"", line: 2, key: "dns.servers", problem: "a string",
            remedy: "[\"192.0.2.53\""),
        FaultCase(
            text: "[dns]\ntrust-anchor = \"/nowhere/anchors\"", line: 2, key: "dns.trust-anchor",
            problem: "no file /nowhere/anchors", remedy: "DS or DNSKEY"),
        FaultCase(
            text: "[dns]\ntrust-anchor = \".\"", line: 2, key: "dns.trust-anchor", problem: "is a directory",
            remedy: "DS or DNSKEY"),
        FaultCase(text: "[dns]\nservers = [1]", line: 2, key: "dns.servers", problem: "a number", remedy: "["),
        FaultCase(
            text: "[signing]\nexpiry = \"1 min\"", line: 2, key: "signing.expiry", problem: "too small", remedy: "1 h"),
        FaultCase(
            text: "[retry]\nfirst = \"5 h\"", line: 2, key: "retry.first", problem: "longer than the longest",
            remedy: "smaller"),
        FaultCase(
            text: "[retry]\nlifetime = \"1 h\"", line: 1, key: "retry.maximum", problem: "longer than a message's life",
            remedy: "smaller"),
        FaultCase(
            text: "[[domain]]\nunsigned = true", line: 1, key: "domain[1].name", problem: "no name",
            remedy: "example.com"),
        FaultCase(
            text: "[[domain]]\nname = \"a..b\"", line: 2, key: "domain[1].name", problem: "not a domain name",
            remedy: "example.com"),
        FaultCase(
            text: "[[domain]]\nname = \"a.test\"\n[[domain]]\nname = \"A.test\"", line: 4, key: "domain[2].name",
            problem: "already", remedy: "one table"),
        FaultCase(text: "[[route]]\nmx = true", line: 1, key: "route[1].name", problem: "no name", remedy: "name ="),
        FaultCase(
            text: "[[route]]\nname = \"a\"", line: 1, key: "route[1]", problem: "nothing about where",
            remedy: "exactly one"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\ncapture = \"x\"", line: 1, key: "route[1]",
            problem: "more than one place", remedy: "exactly one"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nto = [\"a.test\"]\nmx = true\n[[route]]\nname = \"a\"\nmx = true", line: 6,
            key: "route[2].name", problem: "already a route \"a\"", remedy: "name of its own"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\n[[route]]\nname = \"b\"\nmx = true", line: 4, key: "route[2]",
            problem: "no mail gets here", remedy: "last"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\nto = [\"a.test\",\n\"*b\"]", line: 5, key: "route[1].to[2]",
            problem: "no domain pattern", remedy: "*.domain"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\nto = []", line: 4, key: "route[1].to", problem: "for no domain",
            remedy: "[\"*\"]"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nsmarthost = \"smtp.test:high\"", line: 3, key: "route[1].smarthost",
            problem: "not a host and port", remedy: "smtp.example.net:587"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\ntls = \"maybe\"", line: 4, key: "route[1].tls",
            problem: "\"maybe\"", remedy: "\"opportunistic\""),
        FaultCase(text: "[log]\nlevel = \"loud\"", line: 2, key: "log.level", problem: "\"loud\"", remedy: "\"info\""),
        FaultCase(text: "[log]\nformat = 1979-05-27", line: 2, key: "log.format", problem: "a date", remedy: "`"),
    ]
}

@Suite struct ConfigurationFaultTests {
    @Test(
        "A fault names file, line, key and remedy",
        arguments: FaultCase.all + FaultCase.access + FaultCase.signing + FaultCase.rotation + FaultCase.local)
    func faultsNameTheirPlace(_ example: FaultCase) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read(example.text, file: "waxwing.toml", directory: "/tmp")
        }
        let fault = try #require(error?.faults.first)
        #expect(error?.faults.count == 1)
        #expect(fault.file == "waxwing.toml")
        #expect(fault.line == example.line)
        #expect(fault.key == example.key)
        #expect(fault.problem.contains(example.problem), "\(fault.problem)")
        #expect(fault.remedy.contains(example.remedy), "\(fault.remedy)")
        #expect(fault.description.hasPrefix("waxwing.toml:\(example.line): \(example.key): "))
    }

    @Test("A file that is not TOML is refused with its line")
    func syntaxErrorsHaveALine() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read("[limits]\nrecipients = = 5\n", file: "f.toml", directory: "/tmp")
        }
        #expect(error?.faults.map(\.line) == [2])
        #expect(error?.faults.first?.remedy.contains("config example") == true)
    }

    @Test("All faults of a file are told at once, in its order")
    func allFaultsAreTold() throws {
        let text = "colour = 1\n[log]\nlevel = 2\n[limits]\nerrors = 0\nsession = 5\n"
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read(text, file: "f.toml", directory: "/tmp")
        }
        #expect(error?.faults.map(\.line) == [1, 3, 5, 6])
    }

    @Test("A file that does not exist is refused with a remedy")
    func missingFile() throws {
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile.load("/nonexistent/waxwing.toml") }
        #expect(error?.faults.first?.file == "/nonexistent/waxwing.toml")
        #expect(error?.description.contains("No such file") == true)
    }
}
