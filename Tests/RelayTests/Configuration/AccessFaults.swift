// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension FaultCase {
    private static let news = "[[app]]\nname = \"news\"\n"

    /// Ways in that can't be meant.
    static let access: [FaultCase] = [
        FaultCase(
            text: news + "users = [\"no such user\"]", line: 3, key: "app[1].users[1]", problem: "no user",
            remedy: "number"),
        FaultCase(
            text: news + "users = [\"65534\"]", line: 3, key: "app[1].users[1]", problem: "user namespace",
            remedy: "user of its own"),
        FaultCase(
            text: news + "networks = [\"192.0.2.1/24\"]", line: 3, key: "app[1].networks[1]",
            problem: "neither an address nor a prefix", remedy: "192.0.2.0/24"),
        FaultCase(
            text: news + "certificate = [\"\"]", line: 3, key: "app[1].certificate[1]", problem: "empty",
            remedy: "DNS name"),
        FaultCase(
            text: news + "password = true\nrate = [\"100/week\"]", line: 4, key: "app[1].rate[1]",
            problem: "not a rate", remedy: "100/min"),
        FaultCase(
            text: news + "from = [\"a.test\"]\nfeedback-id = \"{app}:sender\"\nrate = [\"1/min\"]", line: 5,
            key: "app[1].rate", problem: "nobody is held to this", remedy: "password = true"),
        FaultCase(
            text: news + "password = true\nfrom = [\"b..test\"]", line: 4, key: "app[1].from[1]", problem: "b..test",
            remedy: "orrect it"),
        // Known only from where nobody else can come: the listener is of use to nobody.
        FaultCase(
            text: news + "networks = [\"127.0.0.0/8\"]\n[[listener]]\naddress = \"0.0.0.0\"", line: 5,
            key: "listener[1].address", problem: "other machines", remedy: "[[app]]"),
    ]
}
