// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension FaultCase {
    private static let update = "[[publisher]]\nname = \"a\"\ntype = \"rfc2136\"\n"
    private static let loopback = update + "server = \"127.0.0.1\"\n"
    private static let hook = "[[publisher]]\nname = \"a\"\ntype = \"command\"\n"
    private static let alias = "[[publisher]]\nname = \"a\"\ntype = \"cname\"\n"
    private static let aliasOfZone = alias + "zone = \"keys.test\"\n"
    private static let domain = "[[domain]]\nname = \"example.com\"\n"

    /// Settings of rotation that can't be meant.
    static let rotation: [FaultCase] = [
        FaultCase(
            text: "[rotation]\ninterval = \"180\"", line: 2, key: "rotation.interval", problem: "no unit",
            remedy: "s, min, h, d"),
        FaultCase(
            text: "[rotation]\ninterval = 180", line: 2, key: "rotation.interval", problem: "180 has no unit",
            remedy: "in quotes"),
        FaultCase(
            text: "[rotation]\ninterval = \"0 d\"", line: 2, key: "rotation.interval", problem: "too small",
            remedy: "or \"never\""),
        FaultCase(
            text: "[rotation]\ninterval = \"sometimes\"", line: 2, key: "rotation.interval", problem: "whole number",
            remedy: "such as"),
        FaultCase(
            text: "[rotation]\nwait = \"8 d\"", line: 2, key: "rotation.wait", problem: "too large",
            remedy: "0 s to 7 d"),
        FaultCase(
            text: "[rotation]\ncheck-interval = \"0 s\"", line: 2, key: "rotation.check-interval", problem: "too small",
            remedy: "1 s to 7 d"),
        FaultCase(
            text: "[rotation]\nselector = \"mail\"", line: 2, key: "rotation.selector",
            problem: "\"mail\" does not make selectors", remedy: "{letter} once"),
        FaultCase(
            text: domain + "selector = \"-{letter}\"", line: 3, key: "domain[1].selector", problem: "does not make",
            remedy: "such as"),
        FaultCase(
            text: "[rotation]\nselector = 1", line: 2, key: "rotation.selector", problem: "a number", remedy: "`\"s"),
        FaultCase(
            text: "[rotation]\ndrift = \"ignore\"", line: 2, key: "rotation.drift", problem: "\"ignore\"",
            remedy: "\"defer\" or \"continue\""),
        FaultCase(
            text: "[rotation]\npublisher = \"primary\"", line: 2, key: "rotation.publisher",
            problem: "no [[publisher]] \"primary\"", remedy: "Write \"manual\", or add a table"),
        FaultCase(
            text: loopback + domain + "publisher = \"b\"", line: 7, key: "domain[1].publisher",
            problem: "no [[publisher]] \"b\"", remedy: "Did you mean \"a\"?"),
        FaultCase(
            text: "[rotation]\npublisher = true", line: 2, key: "rotation.publisher", problem: "true or false",
            remedy: "`\"primary\"`"),
        FaultCase(
            text: "[[publisher]]\ntype = \"rfc2136\"\nserver = \"::1\"", line: 1, key: "publisher[1].name",
            problem: "no name", remedy: "name ="),
        FaultCase(
            text: "[[publisher]]\nname = \"manual\"\ntype = \"rfc2136\"\nserver = \"::1\"", line: 2,
            key: "publisher[1].name", problem: "publishing by hand", remedy: "another name"),
        FaultCase(
            text: loopback + loopback, line: 6, key: "publisher[2].name", problem: "already a publisher \"a\"",
            remedy: "name of its own"),
        FaultCase(
            text: "[[publisher]]\nname = \"a\"", line: 1, key: "publisher[1].type", problem: "nothing about the way",
            remedy: "\"rfc2136\" or \"command\" or \"cname\""),
        FaultCase(
            text: "[[publisher]]\nname = \"a\"\ntype = \"bind\"", line: 3, key: "publisher[1].type",
            problem: "\"bind\"", remedy: "\"rfc2136\""),
        FaultCase(
            text: update, line: 1, key: "publisher[1].server", problem: "which server", remedy: "primary server"),
        FaultCase(
            text: update + "server = \"ns1.example.com\"", line: 4, key: "publisher[1].server",
            problem: "not an address", remedy: "@port"),
        FaultCase(
            text: update + "server = \"192.0.2.1\"", line: 4, key: "publisher[1].server", problem: "without a TSIG key",
            remedy: "tsig-keygen"),
        FaultCase(
            text: loopback + "tsig-name = \"waxwing\"", line: 5, key: "publisher[1].tsig-name", problem: "no secret",
            remedy: "tsig-secret-file"),
        FaultCase(
            text: loopback + "tsig-algorithm = \"hmac-sha512\"", line: 5, key: "publisher[1].tsig-algorithm",
            problem: "no secret", remedy: "remove tsig-algorithm"),
        FaultCase(
            text: loopback + "tsig-secret-file = \"f\"\ntsig-algorithm = \"hmac-md5\"", line: 6,
            key: "publisher[1].tsig-algorithm", problem: "\"hmac-md5\"", remedy: "\"hmac-sha256\""),
        FaultCase(
            text: loopback + "tsig-secret-file = \"f\"\ntsig-name = \"a key\"", line: 6,
            key: "publisher[1].tsig-name", problem: "can't be the name", remedy: "as the server has it"),
        FaultCase(
            text: loopback + "tsig-secret-file = \"credential:../tsig\"", line: 5,
            key: "publisher[1].tsig-secret-file", problem: "can't be the name of a credential",
            remedy: "LoadCredential="),
        FaultCase(
            text: "[keys]\npassphrase-file = \"credential:\"", line: 2, key: "keys.passphrase-file",
            problem: "can't be the name of a credential", remedy: "LoadCredential="),
        FaultCase(
            text: loopback + "command = [\"/bin/true\"]", line: 5, key: "publisher[1].command",
            problem: "type \"rfc2136\" has no use", remedy: "Remove it"),
        FaultCase(
            text: loopback + "zone = \"a..b\"", line: 5, key: "publisher[1].zone", problem: "not a domain name",
            remedy: "example.com"),
        FaultCase(
            text: loopback + "selectors = [\"a\", \"b\"]", line: 5, key: "publisher[1].selectors",
            problem: "has no use", remedy: "the type that it belongs to"),
        FaultCase(
            text: hook, line: 1, key: "publisher[1].command", problem: "which program", remedy: "command = ["),
        FaultCase(
            text: hook + "command = [\"publish\"]", line: 4, key: "publisher[1].command[1]",
            problem: "not an absolute path", remedy: "/usr/local/sbin"),
        FaultCase(
            text: hook + "command = [\"/nonexistent/publish\"]", line: 4, key: "publisher[1].command[1]",
            problem: "no program /nonexistent/publish", remedy: "correct the path"),
        FaultCase(
            text: hook + "command = [\"/etc/passwd\"]", line: 4, key: "publisher[1].command[1]",
            problem: "/etc/passwd is not a program", remedy: "chmod 755 /etc/passwd"),
        FaultCase(
            text: hook + "command = \"/bin/true\"", line: 4, key: "publisher[1].command", problem: "a string",
            remedy: "["),
        FaultCase(
            text: hook + "command = [\"/bin/true\"]\nserver = \"::1\"", line: 5, key: "publisher[1].server",
            problem: "type \"command\" has no use", remedy: "Remove it"),
        FaultCase(
            text: hook + "command = [\"/bin/true\"]\ntime-limit = \"2 h\"", line: 5, key: "publisher[1].time-limit",
            problem: "too large", remedy: "1 s to 1 h"),
        FaultCase(
            text: alias + "server = \"::1\"", line: 1, key: "publisher[1].zone", problem: "where the aliases lead",
            remedy: "zone ="),
        FaultCase(
            text: aliasOfZone, line: 1, key: "publisher[1]", problem: "how records get into the zone",
            remedy: "server = \"ADDRESS\""),
        FaultCase(
            text: aliasOfZone + "server = \"::1\"\ncommand = [\"/bin/true\"]", line: 5, key: "publisher[1].server",
            problem: "by the command", remedy: "remove command"),
        FaultCase(
            text: aliasOfZone + "server = \"::1\"\nselectors = [\"a\"]", line: 6, key: "publisher[1].selectors",
            problem: "there are 1 selectors", remedy: "Write two"),
        FaultCase(
            text: aliasOfZone + "server = \"::1\"\nselectors = [\"a\",\n\"A\"]", line: 7,
            key: "publisher[1].selectors[2]", problem: "two selectors \"a\"", remedy: "name of its own"),
        FaultCase(
            text: aliasOfZone + "server = \"::1\"\ned25519-selectors = [\"a\", \"ww2\"]", line: 6,
            key: "publisher[1].ed25519-selectors[2]", problem: "two keys can't share one", remedy: "name of its own"),
        FaultCase(
            text: aliasOfZone + "server = \"::1\"\nselectors = [\"a_b\", \"c\"]", line: 6,
            key: "publisher[1].selectors[1]", problem: "not a selector", remedy: "such as"),
    ]
}
