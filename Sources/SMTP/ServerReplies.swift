// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

/// The replies of a `ServerSession`, in one place: made once, written many times.
extension Reply {
    static let done = Reply(250, EnhancedStatusCode(2, 0, 0), "OK")
    static let senderOK = Reply(250, EnhancedStatusCode(2, 1, 0), "Sender OK")
    static let recipientOK = Reply(250, EnhancedStatusCode(2, 1, 5), "Recipient OK")
    static let goOn = Reply(354, "End data with <CR><LF>.<CR><LF>")
    static let bye = Reply(221, EnhancedStatusCode(2, 0, 0), "Bye")
    static let help = Reply(
        214, EnhancedStatusCode(2, 0, 0), "HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; see RFC 5321")
    static let startTLS = Reply(220, EnhancedStatusCode(2, 0, 0), "Begin TLS")
    static let notVerified = Reply(
        252, EnhancedStatusCode(2, 5, 0), "Addresses are not verified here; send the message and see")

    static let greetFirst = Reply(503, EnhancedStatusCode(5, 5, 1), "Send HELO or EHLO first")
    static let nestedMail = Reply(503, EnhancedStatusCode(5, 5, 1), "A transaction is open; RSET ends it")
    static let alreadySecure = Reply(503, EnhancedStatusCode(5, 5, 1), "TLS is running already")
    static let mailFirst = Reply(503, EnhancedStatusCode(5, 5, 1), "Send MAIL first")
    static let recipientFirst = Reply(554, EnhancedStatusCode(5, 5, 1), "No valid recipients")
    static let authenticationRequired = Reply(
        530, EnhancedStatusCode(5, 7, 0), "Authentication required; this listener takes mail from loopback peers only")
    static let sizeExceeded = Reply(552, EnhancedStatusCode(5, 3, 4), "Message exceeds the size limit")
    static let tooManyRecipients = Reply(452, EnhancedStatusCode(4, 5, 3), "Too many recipients")

    static let lineTooLong = Reply(500, EnhancedStatusCode(5, 5, 2), "Line too long")
    static let notImplemented = Reply(502, EnhancedStatusCode(5, 5, 1), "Command not implemented")
    static let outOfStep = Reply(554, EnhancedStatusCode(5, 5, 0), "Client talks before its turn")

    static let tooManyErrors = Reply(421, EnhancedStatusCode(4, 7, 0), "Too many errors")
    static let foreignProtocol = Reply(421, EnhancedStatusCode(4, 7, 0), "This is SMTP")
    static let timedOut = Reply(421, EnhancedStatusCode(4, 4, 2), "Time is up")
    package static let shuttingDown = Reply(421, EnhancedStatusCode(4, 3, 2), "Shutting down, try again later")

    /// For a connection that is one too many: said instead of the greeting, so without a session.
    package static let tooManySessions = Reply(421, EnhancedStatusCode(4, 3, 2), "Too many sessions, try again later")
    package static let tooManySessionsOfPeer = Reply(
        421, EnhancedStatusCode(4, 7, 0), "Too many sessions from this address, try again later")

    /// For a peer of another user name space: it could be anybody.
    package static let unknownUser = Reply(554, EnhancedStatusCode(5, 7, 1), "Your user has no number on this machine")

    /// The reply to a line that is not a command.
    init(_ error: CommandError) {
        switch error {
        case .illegalOctet:
            self.init(500, EnhancedStatusCode(5, 5, 2), "Control character in a command; lines end with CRLF")
        case .unknown:
            self.init(500, EnhancedStatusCode(5, 5, 1), "Command unknown")
        case .foreignProtocol:
            self = .foreignProtocol
        case .syntax(let syntax):
            self.init(501, EnhancedStatusCode(5, 5, 4), "Syntax: \(syntax)")
        case .helloSyntax(let syntax):
            // RFC 2034 §3: no enhanced status code in a reply to HELO or EHLO.
            self.init(501, "Syntax: \(syntax)")
        case .chunkSyntax:
            self.init(501, EnhancedStatusCode(5, 5, 4), "Syntax: BDAT octets [LAST]")
        case .reversePath(let error):
            self.init(error, malformed: EnhancedStatusCode(5, 1, 7), notASCIICode: 553)
        case .forwardPath(let error):
            self.init(error, malformed: EnhancedStatusCode(5, 1, 3), notASCIICode: 550)
        case .nullForwardPath:
            self.init(501, EnhancedStatusCode(5, 1, 3), "A recipient can't be empty")
        case .unknownParameter:
            self.init(555, EnhancedStatusCode(5, 5, 4), "Parameter not recognised")
        case .badParameter(let text):
            self.init(501, EnhancedStatusCode(5, 5, 4), text)
        }
    }

    private init(_ error: PathError, malformed status: EnhancedStatusCode, notASCIICode: Int) {
        switch error {
        case .malformed:
            self.init(501, status, "Address is malformed, expected <local-part@domain>")
        case .tooLong:
            self.init(501, status, "Address too long: local-part 64 octets, domain 253, path 256")
        case .notASCII:
            // RFC 6531 §3.5
            self.init(notASCIICode, EnhancedStatusCode(5, 6, 7), "Address is not ASCII")
        case .domainMissing:
            self.init(501, status, "Address has no domain")
        }
    }

    /// The reply to the end of a content that is refused.
    init(_ fault: DataDecoder.Fault) {
        switch fault {
        case .bareLineFeed, .bareReturn:
            self.init(550, EnhancedStatusCode(5, 5, 2), "bare LF/CR received; lines end with CRLF")
        case .null:
            self.init(550, EnhancedStatusCode(5, 5, 2), "NUL received")
        case .loneDot:
            self.init(
                550, EnhancedStatusCode(5, 5, 2),
                "a dot alone on a line with a bare LF: data ends with CRLF.CRLF, and a dot that begins a line is doubled"
            )
        case .contentTooLong:
            self = .sizeExceeded
        }
    }

    /// The reply to a content that is on disk.
    init(queuedAs queueID: QueueID) {
        self.init(250, EnhancedStatusCode(2, 0, 0), "queued as \(queueID)")
    }
}
