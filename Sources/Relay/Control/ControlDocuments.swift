// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What `GET /v1/status` answers and `waxwing status` prints.
package struct StatusDocument: Codable, Hashable, Sendable {
    package struct Listener: Codable, Hashable, Sendable {
        package var address: String
        package var port: Int

        package init(address: String, port: Int) {
            self.address = address
            self.port = port
        }
    }

    package struct Queue: Codable, Hashable, Sendable {
        /// Messages in the spool.
        package var messages: Int
        /// Of these, messages on their way out now.
        package var active: Int
        /// Of these, messages that wait for their next attempt.
        package var deferred: Int
        /// Octets of content.
        package var octets: Int

        package init(messages: Int, active: Int, deferred: Int, octets: Int) {
            self.messages = messages
            self.active = active
            self.deferred = deferred
            self.octets = octets
        }
    }

    /// What needs looking after about keys.
    package struct Keys: Codable, Hashable, Sendable {
        /// Domains whose mail is accepted and does not leave, and why.
        package var held: [String: String]
        /// Names of key records that DNS does not show as they should be.
        package var drifted: [String]
        /// Domains with a rotation under way.
        package var rotating: Int

        package init(held: [String: String], drifted: [String], rotating: Int) {
            self.held = held
            self.drifted = drifted
            self.rotating = rotating
        }
    }

    package var version: String
    package var hostname: String
    package var processID: Int32
    /// Seconds since the Unix epoch.
    package var startedAt: Int64
    /// The configuration file; nil when the defaults are in force.
    package var configurationFile: String?
    package var listeners: [Listener]
    package var sessions: Int
    package var queue: Queue
    /// The counters of `EventCounters` since the start.
    package var counters: [String: Int]
    /// Nil: nobody looks after keys here, or an older daemon answers.
    package var keys: Keys?
    /// Who gets all mail instead of its recipients, in words; nil in ordinary life.
    package var capture: String?

    package init(
        version: String, hostname: String, processID: Int32, startedAt: Int64, configurationFile: String?,
        listeners: [Listener], sessions: Int, queue: Queue, counters: [String: Int], keys: Keys? = nil
    ) {
        self.version = version
        self.hostname = hostname
        self.processID = processID
        self.startedAt = startedAt
        self.configurationFile = configurationFile
        self.listeners = listeners
        self.sessions = sessions
        self.queue = queue
        self.counters = counters
        self.keys = keys
    }
}

/// What `POST /v1/reload` answers.
package struct ReloadDocument: Codable, Hashable, Sendable {
    /// False: the file was refused and the old configuration stays in force.
    package var applied: Bool
    /// What changed, what needs a restart, or what is wrong with the file, a line each.
    package var lines: [String]

    package init(applied: Bool, lines: [String]) {
        self.applied = applied
        self.lines = lines
    }
}

/// The body of every answer that is no success.
package struct ControlErrorDocument: Codable, Hashable, Sendable {
    package var error: String

    package init(error: String) {
        self.error = error
    }
}

/// One message in `GET /v1/queue`.
package struct QueueSummaryDocument: Codable, Hashable, Sendable {
    package var queueID: String
    /// queued, active, deferred or held.
    package var state: String
    /// Seconds since the Unix epoch.
    package var arrival: Int64
    package var expiry: Int64
    package var octets: Int
    /// Empty for the null reverse-path.
    package var reversePath: String
    package var authorDomain: String
    package var recipients: Int
    /// Recipients that are neither delivered nor failed.
    package var openRecipients: Int
    /// Seconds since the Unix epoch; nil when no attempt is to come.
    package var nextAttempt: Int64?
    /// The last reply or error: `550 5.1.1 no such user`.
    package var lastDiagnostic: String?
    /// Seconds since the Unix epoch: not tried before; nil when nobody asked for that.
    package var release: Int64?

    package init(
        queueID: String, state: String, arrival: Int64, expiry: Int64, octets: Int, reversePath: String,
        authorDomain: String, recipients: Int, openRecipients: Int, nextAttempt: Int64?, lastDiagnostic: String?,
        release: Int64? = nil
    ) {
        self.queueID = queueID
        self.state = state
        self.arrival = arrival
        self.expiry = expiry
        self.octets = octets
        self.reversePath = reversePath
        self.authorDomain = authorDomain
        self.recipients = recipients
        self.openRecipients = openRecipients
        self.nextAttempt = nextAttempt
        self.lastDiagnostic = lastDiagnostic
        self.release = release
    }
}

/// What `GET /v1/queue/<queue ID>` answers.
package struct QueueEntryDocument: Codable, Hashable, Sendable {
    package var queueID: String
    /// Seconds since the Unix epoch.
    package var arrival: Int64
    package var expiry: Int64
    package var octets: Int
    /// Empty for the null reverse-path.
    package var reversePath: String
    package var isHeld: Bool
    /// On its way out now; false when no daemon was asked.
    package var isActive: Bool
    /// What intake changed before it was signed: the words of `Repair`, such as `folded-header`.
    package var repairs: [String]
    package var recipients: [QueueRecipientDocument]
    /// What was asked for the message; nil if nothing was.
    package var options: QueueOptionsDocument?

    package init(
        queueID: String, arrival: Int64, expiry: Int64, octets: Int, reversePath: String, isHeld: Bool,
        isActive: Bool, repairs: [String], recipients: [QueueRecipientDocument],
        options: QueueOptionsDocument? = nil
    ) {
        self.queueID = queueID
        self.arrival = arrival
        self.expiry = expiry
        self.octets = octets
        self.reversePath = reversePath
        self.isHeld = isHeld
        self.isActive = isActive
        self.repairs = repairs
        self.recipients = recipients
        self.options = options
    }
}

/// One recipient of a message in the queue.
package struct QueueRecipientDocument: Codable, Hashable, Sendable {
    package var mailbox: String
    /// queued, active, deferred, delivered or failed.
    package var state: String
    package var attempts: Int
    /// Seconds since the Unix epoch; nil when no attempt is to come.
    package var nextAttempt: Int64?
    /// The last reply or error: `550 5.1.1 no such user`.
    package var lastDiagnostic: String?
    package var lastNextHop: String?
    /// Who must act: sender, recipient, operator or network.
    package var owner: String?
    /// NOTIFY and ORCPT of RCPT, as they came (RFC 3461).
    package var notify: String?
    package var originalRecipient: String?

    package init(
        mailbox: String, state: String, attempts: Int, nextAttempt: Int64?, lastDiagnostic: String?,
        lastNextHop: String?, owner: String?, notify: String? = nil, originalRecipient: String? = nil
    ) {
        self.mailbox = mailbox
        self.state = state
        self.attempts = attempts
        self.nextAttempt = nextAttempt
        self.lastDiagnostic = lastDiagnostic
        self.lastNextHop = lastNextHop
        self.owner = owner
        self.notify = notify
        self.originalRecipient = originalRecipient
    }
}

/// What `GET /v1/queue` answers.
package struct QueueDocument: Codable, Hashable, Sendable {
    package var messages: [QueueSummaryDocument]
    /// The `after` of the next page; nil on the last one.
    package var next: String?

    package init(messages: [QueueSummaryDocument], next: String?) {
        self.messages = messages
        self.next = next
    }
}
