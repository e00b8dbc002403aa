// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension FaultCase {
    /// Settings of `[local]`, `[capture]` and rules for recipients that can't be meant.
    static let local: [FaultCase] = [
        FaultCase(
            text: "[local]\ndomain = \"localhost\"", line: 2, key: "local.domain", problem: "no domain that the world",
            remedy: "example.com"),
        FaultCase(
            text: "[local]\ndomain = \"a..b\"", line: 2, key: "local.domain", problem: "no domain", remedy: "such as"),
        FaultCase(
            text: "[local]\naliases = \"/dev/null\"\ndomain = \"example.com\"", line: 2, key: "local.aliases",
            problem: "not a file", remedy: "leave the setting out"),
        FaultCase(
            text: "[local]\ndomain = \"example.com\"\naliases = \"/nonexistent/aliases\"", line: 3,
            key: "local.aliases", problem: "No such file", remedy: "may read"),
        FaultCase(
            text: "[capture]\nto = \"dev\"", line: 2, key: "capture.to", problem: "not a mailbox",
            remedy: "dev@example.com"),
        FaultCase(
            text: "[capture]\nto = \"dev@example.com\"\ndirectory = \"x\"", line: 3, key: "capture.directory",
            problem: "a mailbox and into a directory", remedy: "one of the two"),
        FaultCase(
            text: "[capture]\nexcept = [\"@example.com\"]", line: 2, key: "capture.except",
            problem: "nobody says where", remedy: "to = "),
        FaultCase(
            text: "[capture]\nto = \"dev@example.com\"\nexcept = [\"@ours.test\", \"@*\"]", line: 3,
            key: "capture.except[2]", problem: "means no recipients", remedy: "@example.com"),
        FaultCase(
            text: "[[rewrite]]\nrecipient = \"root@localhost\"", line: 1, key: "rewrite[1].to",
            problem: "nothing about the mailbox", remedy: "alerts@example.com"),
        FaultCase(
            text: "[[rewrite]]\nfrom = \"*\"\nrecipient = \"*\"\nto = \"a@example.com\"", line: 3,
            key: "rewrite[1].recipient", problem: "for authors and for recipients", remedy: "two rules"),
        FaultCase(
            text: "[[rewrite]]\nrecipient = \"root\"\nto = \"a@example.com\"", line: 2, key: "rewrite[1].recipient",
            problem: "has no @", remedy: "@root"),
        FaultCase(
            text:
                "[[rewrite]]\nrecipient = \"*@a.test\"\nto = \"a@example.com\"\n[[rewrite]]\nrecipient = \"b@a.test\"\nto = \"b@example.com\"",
            line: 5, key: "rewrite[2].recipient", problem: "already a rule for \"*@a.test\"", remedy: "before"),
    ]
}
