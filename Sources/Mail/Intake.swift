// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The first seam: what takes a message in.
///
/// Receiving hands it what applications submit; Forwarding hands it bounces. Both get the same fix-ups, the same check
/// that it can be signed, the same spool.
package protocol Intake: Sendable {
    /// Whether a message of `size` octets (nil: not declared) may be announced now; nil is yes.
    /// Asked at MAIL, must not block.
    func refusal(ofSize size: Int?) -> IntakeRefusal?

    /// Opens a transaction. Exactly one of its `finish` and `abort` must be called.
    func begin(_ submission: Submission) -> any IntakeTransaction
}

/// One message on its way into the spool.
///
/// Calls come one at a time, from one thread at a time.
package protocol IntakeTransaction: AnyObject, Sendable {
    /// Takes the next octets of the content: dot-unstuffed, with CRLF line ends.
    ///
    /// True when the caller should offload: this call and the following ones may block on the disk or take their
    /// time, so they belong on a thread that may (content past `StoredContent.inlineLimit` goes to a file, and
    /// content with too long lines is encoded at its end).
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool

    /// The content was repaired on its way here.
    func note(_ repair: Repair)

    /// No more octets follow. `completion` is called once, on any thread, after the commit or the refusal.
    func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void)

    /// The message is not wanted any more: the client went away or said RSET.
    func abort()
}

/// How an intake transaction ended.
package enum IntakeResult: Hashable, Sendable {
    /// The message is on disk.
    case accepted(QueueID)
    case refused(IntakeRefusal)
}

/// Why a message is not taken in, as the reply that says so.
package struct IntakeRefusal: Error, Hashable, Sendable {
    /// 4yz: try again later.
    ///
    /// 5yz: never.
    package var replyCode: Int
    package var status: EnhancedStatusCode
    /// One or more lines of printable ASCII, without codes.
    package var lines: [String]

    package init(replyCode: Int, status: EnhancedStatusCode, lines: [String]) {
        self.replyCode = replyCode
        self.status = status
        self.lines = lines
    }
}

/// What is known of a message before its content arrives.
package struct Submission: Hashable, Sendable {
    package var envelope: Envelope
    /// For the trace field; nil for messages that Waxwing makes itself.
    package var client: ClientDescription?
    /// SIZE= of MAIL, in octets.
    package var declaredSize: Int?
    /// Who hands it in; nil for messages that Waxwing makes itself.
    package var principal: Principal?
    /// What is asked for it before its content is seen.
    package var options: MessageOptions

    package init(
        envelope: Envelope, client: ClientDescription?, declaredSize: Int? = nil, principal: Principal? = nil,
        options: MessageOptions = .none
    ) {
        self.envelope = envelope
        self.client = client
        self.declaredSize = declaredSize
        self.principal = principal
        self.options = options
    }
}

/// Who hands a message in (RFC 5321 §4.4, RFC 3848).
package struct ClientDescription: Hashable, Sendable {
    /// The argument of HELO or EHLO, printable ASCII.
    package var heloName: String
    /// Such as `127.0.0.1` or `::1`; nil on a Unix socket.
    package var address: String?
    /// The `with` keyword of the trace field: SMTP, ESMTP, ESMTPS, ESMTPSA, ….
    package var protocolName: String
    /// The user of this machine who connected to a Unix socket, or left the message in the drop directory.
    package var userID: UInt32?

    package init(heloName: String, address: String?, protocolName: String, userID: UInt32? = nil) {
        self.heloName = heloName
        self.address = address
        self.protocolName = protocolName
        self.userID = userID
    }
}
