// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Relay

/// SendmailProgram is in charge of being sendmail, mailq and newaliases: other programs call it by these names, and read
/// nothing but its status.
enum SendmailProgram {
    private static let names: Set<String> = ["sendmail", "mailq", "newaliases", "send-mail"]

    static let usage = """
        usage: sendmail [option ...] [recipient ...] < message

        Takes a message from standard input, hands it to the relay, and exits 0 once it is on the disk; with
        the relay down it is left in the drop directory, from where the relay takes it.

          -t              recipients are those of To, Cc and Bcc, and those that are named
          -i, -oi         a line with a single dot does not end the message
          -f, -r ADDRESS  the reverse-path; -f "" for the null one
          -F NAME         the display name in a From field that must be added
          -bs             speak SMTP on standard input and output
          -bp             show the queue, as mailq does
          -v              say what became of the message
          -C, --config FILE
                          the configuration file; default: /etc/waxwing/waxwing.toml

        Other options of sendmail are taken and change nothing.

        """

    /// What a call is about; nil if it is no call of sendmail.
    ///
    /// - Parameter words: the name of the program and its arguments.
    static func call(_ words: [String]) -> (name: String, arguments: [String], isCommand: Bool)? {
        guard let path = words.first else { return nil }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if names.contains(name) { return (name, Array(words.dropFirst()), false) }
        guard words.count > 1, words[1] == "sendmail" else { return nil }
        return ("sendmail", Array(words.dropFirst(2)), true)
    }

    /// Does what is asked for.
    ///
    /// - Parameter isCommand: called as `waxwing sendmail`, so that the configuration may be in the working directory.
    ///   By its own name the program is called in directories where anybody may have put a file.
    /// - Returns: the status to end with.
    static func run(name: String, _ arguments: [String], isCommand: Bool) async -> Int32 {
        // A reader that goes away is an error of one write.
        _ = signal(SIGPIPE, SIG_IGN)
        do throws(SendmailError) {
            let request = try SendmailArguments.parse(name: name, arguments)
            switch request.mode {
            case .help: Output.text(usage)
            case .version: Output.line("waxwing \(Version.text)")
            case .nothing: break
            case .submit, .dialogue, .list: try await perform(request, looksHere: isCommand)
            }
            return SendmailStatus.success.rawValue
        } catch {
            for line in error.description.split(separator: "\n") { Output.explanation("\(name): \(line)\n") }
            return error.status.rawValue
        }
    }

    private static func perform(_ request: SendmailRequest, looksHere: Bool) async throws(SendmailError) {
        let configuration: Configuration
        do {
            configuration = try ConfigurationFile.loadLeniently(request.configuration, looksHere: looksHere)
        } catch {
            throw SendmailError(.configuration, error.description)
        }
        switch request.mode {
        case .list:
            try await list(configuration)
        case .dialogue:
            try Sendmail(configuration).converse()
        default:
            let sendmail = try Sendmail(configuration)
            let lines = try sendmail.send(try sendmail.read(request))
            if request.isVerbose { lines.forEach { Output.line($0) } }
        }
    }

    private static func list(_ configuration: Configuration) async throws(SendmailError) {
        do {
            let document = try await QueueAccess(configuration).list(limit: 1000, after: nil)
            Output.text(document.messages.isEmpty ? "Mail queue is empty\n" : QueueText.list(document))
        } catch {
            let mayAsk = geteuid() == 0 ? "" : "; root, the relay's user and the group of [control] may see the queue"
            throw SendmailError(.unavailable, "\(error)\(mayAsk)")
        }
    }
}
