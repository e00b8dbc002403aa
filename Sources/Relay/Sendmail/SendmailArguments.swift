// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// SendmailArguments is in charge of the command line that programs have called sendmail with since 1983: letters with
/// their value glued to them or behind them, flags that may share a dash, and no long options but Waxwing's own.
///
///     sendmail -t -i                                          PHP
///     sendmail -FCronDaemon -i -B8BITMIME -oem root           cron
///     sendmail -oem -oi -f ada@example.com -- you@example.net mutt
///
/// Options end at the first recipient, as POSIX says: what looks like one behind that is refused, since a program that
/// lets strangers name recipients would let them name options too.
package enum SendmailArguments {
    /// Options with a value; those that ask for nothing that Waxwing does are read and forgotten.
    private static let valued: Set<Character> = [
        "A", "B", "b", "C", "D", "e", "F", "f", "h", "L", "M", "N", "O", "o", "p", "R", "r", "V", "X",
    ]
    /// Options whose value, if any, is glued to them.
    private static let glued: Set<Character> = ["d", "Q", "q"]
    private static let flags: Set<Character> = ["c", "G", "I", "i", "m", "n", "s", "T", "t", "U", "v", "x"]

    /// - Parameters:
    ///   - name: the last part of the name that the program was called by.
    ///   - arguments: those after the name.
    package static func parse(name: String, _ arguments: [String]) throws(SendmailError) -> SendmailRequest {
        var request = SendmailRequest()
        switch name {
        case "mailq": request.mode = .list
        case "newaliases": request.mode = .nothing
        default: break
        }
        var rest = arguments[...]
        while let argument = rest.first, argument.hasPrefix("-"), argument != "-" {
            rest.removeFirst()
            if argument == "--" { break }
            if argument.hasPrefix("--") {
                try take(long: argument, &rest, into: &request)
            } else {
                try take(argument.dropFirst(), &rest, into: &request)
            }
        }
        for recipient in rest where recipient.hasPrefix("-") {
            throw SendmailError(
                .usage, "\"\(recipient)\" stands behind a recipient and is no address; write options first")
        }
        request.recipients = Array(rest)
        return request
    }

    /// The letters behind one dash.
    private static func take(
        _ letters: Substring, _ rest: inout ArraySlice<String>, into request: inout SendmailRequest
    ) throws(SendmailError) {
        var letters = letters
        while let letter = letters.popFirst() {
            if glued.contains(letter) {
                if letter == "q" { request.mode = .nothing }
                return
            }
            if valued.contains(letter) {
                guard let value = letters.isEmpty ? rest.popFirst() : String(letters) else {
                    throw SendmailError(.usage, "-\(letter) needs a value, glued to it or as the next argument")
                }
                return try take(letter, value, into: &request)
            }
            guard flags.contains(letter) else {
                throw SendmailError(.usage, "there is no option -\(letter); see sendmail --help")
            }
            take(flag: letter, into: &request)
        }
    }

    private static func take(flag: Character, into request: inout SendmailRequest) {
        switch flag {
        case "I": request.mode = .nothing
        case "i": request.endsAtDot = false
        case "t": request.readsRecipients = true
        case "v": request.isVerbose = true
        default: break
        }
    }

    private static func take(
        _ letter: Character, _ value: String, into request: inout SendmailRequest
    ) throws(SendmailError) {
        switch letter {
        case "b": request.mode = try mode(value)
        case "C": request.configuration = value
        case "F": request.fullName = value
        case "f", "r": request.sender = value
        case "O" where value.lowercased() == "ignoredots=true": request.endsAtDot = false
        case "o" where value == "i": request.endsAtDot = false
        case "o" where value == "t": request.readsRecipients = true
        default: break
        }
    }

    private static func mode(_ value: String) throws(SendmailError) -> SendmailRequest.Mode {
        switch value {
        case "m": return .submit
        case "s": return .dialogue
        case "p": return .list
        case "i": return .nothing
        case "d", "D", "l":
            throw SendmailError(.usage, "-b\(value) would start a daemon: that is `waxwing run`, or its systemd unit")
        default:
            throw SendmailError(.usage, "there is no mode -b\(value); there are -bm, -bs, -bp and -bi")
        }
    }

    private static func take(
        long argument: String, _ rest: inout ArraySlice<String>, into request: inout SendmailRequest
    ) throws(SendmailError) {
        let prefix = "--config="
        switch argument {
        case "--help": request.mode = .help
        case "--version": request.mode = .version
        case "--config":
            guard let path = rest.popFirst() else { throw SendmailError(.usage, "--config needs the name of a file") }
            request.configuration = path
        case _ where argument.hasPrefix(prefix):
            request.configuration = String(argument.dropFirst(prefix.count))
        default:
            throw SendmailError(.usage, "there is no option \(argument); see sendmail --help")
        }
    }
}
