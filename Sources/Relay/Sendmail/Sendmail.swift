// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Mail

/// Sendmail is in charge of what a call of sendmail does with a message: it submits it to the daemon, and leaves it in
/// the drop directory as far as the daemon is down or can't take it for now.
///
/// When it ends without an error, every recipient's message is on the disk.
package struct Sendmail: Sendable {
    private let configuration: Configuration
    private let host: Domain

    package init(_ configuration: Configuration) throws(SendmailError) {
        guard let host = configuration.hostDomain else {
            throw SendmailError(.configuration, "this machine has no name; write hostname into the configuration")
        }
        self.configuration = configuration
        self.host = host
    }

    /// Who calls, as the kernel knows.
    package var user: SendmailMessage.User {
        SendmailMessage.User(name: ControlPeer.userName(of: getuid()), host: host)
    }

    /// Reads a message from standard input.
    package func read(_ request: SendmailRequest) throws(SendmailError) -> SendmailMessage {
        var input = SendmailInput(
            endsAtDot: request.endsAtDot, maximumOctets: configuration.limits.messageOctets)
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while !input.hasEnded {
            let count = unsafe Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw SendmailError(
                    .inputError, "standard input can't be read: \(unsafe String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            try input.append(chunk[..<count])
        }
        return try SendmailMessage(request, input: try input.finish(), user: user)
    }

    /// - Returns: what became of the message, a line each.
    package func send(_ message: SendmailMessage) throws(SendmailError) -> [String] {
        var lines: [String] = []
        var waiting: [Mailbox] = []
        var reason = "no listener can be reached without a password"
        var refusals: [(recipient: Mailbox, diagnostic: Diagnostic)] = []
        if let place = configuration.submissionPlace {
            let outcomes = SendmailSubmission(place: place, hostname: host.name).submit(message)
            for (recipient, outcome) in zip(message.recipients, outcomes) {
                switch outcome {
                case .delivered(let diagnostic):
                    if !lines.contains(diagnostic.text) { lines.append(diagnostic.text) }
                case .deferred(let diagnostic):
                    waiting.append(recipient)
                    reason = "the relay at \(place) did not take it: \(diagnostic.text)"
                case .failed(let diagnostic):
                    refusals.append((recipient, diagnostic))
                }
            }
        } else {
            waiting = message.recipients
        }
        if !waiting.isEmpty {
            try drop(message, for: waiting, because: reason)
            lines.append("left in \(configuration.dropDirectory) for \(waiting.count) recipients, as \(reason)")
        }
        if let first = refusals.first {
            throw Sendmail.error(refusals.map(\.recipient), first.diagnostic, of: message.recipients.count)
        }
        return lines
    }

    /// Speaks SMTP on standard input and output.
    package func converse() throws(SendmailError) {
        do throws(SubmissionFault) {
            guard let place = configuration.submissionPlace else {
                throw SubmissionFault(description: "no listener can be reached without a password")
            }
            try SubmissionPipe(socket: try SubmissionSocket(place)).run()
        } catch {
            throw SendmailError(
                .temporaryFailure, "can't speak with the relay: \(error); start it (systemctl start waxwing)")
        }
    }

    private func drop(
        _ message: SendmailMessage, for recipients: [Mailbox], because reason: String
    ) throws(SendmailError) {
        var files: [[[UInt8]]] = []
        var rest = recipients[...]
        while !rest.isEmpty {
            let file = DropFile(
                envelope: Envelope(
                    reversePath: message.reversePath, recipients: Array(rest.prefix(configuration.limits.recipients))),
                contentOctets: message.content.count)
            // What the daemon can't read must not get there, where nobody sees the error.
            guard let parsed = try? DropFile.parse(file.head), parsed.file == file else {
                throw SendmailError(
                    .unavailable,
                    "\(reason); and an address is not one that can be left for it: write ASCII addresses, or start the"
                        + " relay (systemctl start waxwing)")
            }
            files.append([file.head, message.content])
            rest = rest.dropFirst(configuration.limits.recipients)
        }
        do throws(DropWriteError) {
            try DropWriter(directory: configuration.dropDirectory).write(files)
        } catch {
            throw SendmailError(
                .temporaryFailure,
                "\(reason); and \(error); start the relay (systemctl start waxwing), which makes the directory")
        }
    }

    /// RFC 3463: what a permanent refusal means to the caller.
    private static func error(
        _ refused: [Mailbox], _ diagnostic: Diagnostic, of count: Int
    ) -> SendmailError {
        let status: SendmailStatus =
            switch (diagnostic.status.subject, diagnostic.status.detail) {
            case (1, 7), (1, 8): .dataError
            case (1, _): .noUser
            case (6, _), (3, 4): .dataError
            case (7, _): .noPermission
            default: .unavailable
            }
        let who =
            refused.count == count
            ? "the relay refused the message"
            : "the relay took the message, but not for \(refused.map(\.description).joined(separator: ", "))"
        return SendmailError(status, "\(who): \(diagnostic.text)")
    }
}
