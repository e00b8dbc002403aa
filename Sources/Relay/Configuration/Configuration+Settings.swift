// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import SMTP

extension Configuration {
    /// Every setting there is, in the order of the annotated example.
    static let tables: [SettingTable] = [
        SettingTable(
            "", \.general, defaults: GeneralSettings(), "",
            [
                .text(
                    "hostname", \.hostname, example: "relay.example.com",
                    "The name Waxwing gives itself in EHLO, in its greeting and in trace fields. It should be the name that the address of this machine resolves to. Default: the machine's name."
                )
            ]),
        listenerTable,
        tlsTable,
        SettingTable(
            "limits", \.limits, defaults: LimitSettings(), "What one session may ask for.",
            [
                .quantity(
                    "message-size", \.messageOctets, .size((64 << 10)...(1 << 30)),
                    "Largest content of a message; announced as SIZE."),
                // RFC 5321 §4.5.3.1.8: a server must take at least 100 recipients.
                .number("recipients", \.recipients, 100...100_000, "Recipients of one message."),
                // RFC 5321 §4.5.3.1.4: 512 octets with CRLF is the least.
                .number("command-line", \.commandLineOctets, 512...65_536, "Octets of a command line, with its CRLF."),
                .number("errors", \.errors, 1...10_000, "Commands answered with an error before a session is closed."),
                .number("sessions", \.sessions, 1...100_000, "Sessions at a time, over all listeners."),
                .duration("idle-time", \.idleTime, 1...86_400, "A session that says nothing for so long is closed."),
                .duration("transaction-time", \.transactionTime, 1...86_400, "From MAIL to the end of the content."),
            ]),
        SettingTable(
            "intake", \.intake, defaults: IntakeSettings(), "What happens to a message when it comes in.",
            [
                .flag(
                    "hide-client-address", \.hidesClientAddress, "Leave the client's address out of the Received field."
                )
            ]),
        SettingTable(
            each: "rewrite", \.rewrites, effective: { $0.rewrites }, defaults: RewriteSettings(),
            "Gives an author whom nobody could answer or sign for a usable mailbox, before signing: in From, where the display name stays, and in the reverse-path. Or gives a recipient another mailbox. The first rule whose `from` or `recipient` matches is taken.",
            [
                .text(
                    "from", \.from, example: "*@localhost",
                    "Which mailboxes: root@localhost, *@localhost, @*.internal for all domains below, or * for every mailbox without a usable domain. Required, or `recipient`."
                ),
                .text(
                    "recipient", \.recipient, example: "root@localhost",
                    "Which recipients, in place of `from` and in its form: the envelope changes, no field does."),
                .text(
                    "to", \.to, example: "alerts@example.com",
                    "The mailbox instead; *@example.com keeps the local-part. Required."),
            ]),
        localTable,
        captureTable,
        SettingTable(
            each: "app", \.applications, effective: { $0.applications }, defaults: ApplicationSettings(),
            "An application: how it is known, what it may send, and header fields that its mail gets before signing when it does not bring them. In the templates, {queue-id}, {app}, {author-domain} and {recipient} stand for what is known of the message; a field with {recipient} is left out where there is more than one.",
            [
                .text(
                    "name", \.name, example: "newsletter",
                    "Its name, also to authenticate with, and what {app} stands for. Required, each different."),
                .list(
                    "from", \.from, example: ["shop.example", "news@example.org"],
                    "Author domains, *.domain for those below, and mailboxes. With `password`, `users`, `networks` or `certificate`: what the application may use in From and in MAIL FROM; empty for every domain that has a key. Without any of them the table is only about header fields, of mail from these authors: the first table that names the author is taken, and this is required."
                ),
            ], ApplicationSettings.accessSettings,
            [
                .text(
                    "list-unsubscribe", \.listUnsubscribe, example: "<https://example.com/u/{queue-id}>",
                    "The List-Unsubscribe field: URIs in angle brackets."),
                .flag(
                    "list-unsubscribe-post", \.listUnsubscribePost,
                    "Add List-Unsubscribe-Post too: one click unsubscribes at the HTTPS URI (RFC 8058)."),
                .text(
                    "feedback-id", \.feedbackID, example: "campaign:{app}:mail:example",
                    "The Feedback-ID field: up to four words with colons between them."),
            ]),
        accessTable,
        SettingTable(
            "keys", \.keys, defaults: KeySettings(), "Signing keys.",
            [
                .text("directory", \.directory, as: .path, "Holds DOMAIN/SELECTOR/private.pem and its companions."),
                .text(
                    "passphrase-file", \.passphraseFile, as: .path, example: "credential:key-passphrase",
                    "What private keys are encrypted with, as far as they are: a file that only its owner may read, or credential:NAME for a credential of the systemd unit. Left out: no key has a passphrase."
                ),
            ]),
        SettingTable(
            "spool", \.spool, defaults: SpoolSettings(), "Where accepted mail is kept until it has left.",
            [
                .text("directory", \.directory, as: .path, "On a local disk; one daemon at a time."),
                .quantity(
                    "minimum-free", \.minimumFreePercent, .percent(0...99),
                    "With less free space on the spool's disk, new mail is refused for the time being (452)."),
                .number("maximum-messages", \.maximumMessages, 1...1_000_000_000, "With more in the queue, the same."),
                .quantity(
                    "maximum-size", \.maximumOctets, .size((1 << 20)...(1 << 50)),
                    "With more content in the queue, the same."),
            ]),
        SettingTable(
            "control", \.control, defaults: ControlSettings(), "How commands reach the running daemon.",
            [
                .text(
                    "socket", \.socket, as: .path,
                    "A Unix socket for root, for the user that runs the daemon, and for `group`."),
                .text(
                    "group", \.group, example: "waxwing",
                    "Members of this group may control the daemon too. Default: nobody else."),
            ]),
        sendmailTable,
        SettingTable(
            "dns", \.dns, defaults: DNSSettings(), "Who is asked for MX hosts and key records.",
            [
                .list(
                    "servers", \.servers, example: ["192.0.2.53", "192.0.2.54@5353"],
                    "Addresses, each with an optional @port. Empty: the servers of /etc/resolv.conf."),
                .list(
                    "authoritative-servers", \.authoritativeServers, example: ["192.0.2.1"],
                    "Who must show a key's record before it is activated, in place of the name servers of its zone: for a hidden primary. Empty: the zone's name servers."
                ),
                .text(
                    "trust-anchor", \.trustAnchorFile, as: .path, example: "trust-anchors",
                    "A file of DS or DNSKEY records, written as in a zone file: below their names Waxwing itself checks the signatures (DNSSEC) of what the servers say, and believes no answer without valid ones. Left out: it checks none."
                ),
            ]),
        SettingTable(
            "signing", \.signing, defaults: SigningSettings(),
            "How DKIM signatures are made. A [[domain]] and a [[route]] may say otherwise; the route has the last word.",
            SigningSettings.settings()),
        SettingTable(
            "retry", \.retry, defaults: RetrySettings(), "When a deferred message is tried again.",
            [
                .duration("first", \.first, 1...86_400, "Until the second attempt; later waits double."),
                .duration("maximum", \.maximum, 1...(7 * 86_400), "The longest wait between two attempts."),
                .duration(
                    "lifetime", \.lifetime, 60...(30 * 86_400),
                    "A message that could not be delivered for so long fails and is reported to its sender."),
            ]),
        rotationTable,
        publisherTable,
        SettingTable(
            each: "domain", \.domains, effective: { $0.domains }, defaults: DomainSettings(),
            "Author domains with settings of their own. A domain needs no table to be signed, only a key.",
            [
                .text("name", \.name, example: "example.com", "The domain of the From field. Required."),
                .flag("unsigned", \.isUnsigned, "Send mail of this domain without signatures."),
                .flag(
                    "subdomains", \.signsBelow,
                    "The keys of this domain sign for author domains below it, too, as far as those have no active key of their own; so do these settings."
                ),
                .list(
                    "algorithms", \.algorithms, example: ["rsa", "ed25519"],
                    "Which kinds of this domain's keys may sign: \"rsa\", \"ed25519\". Few receivers verify Ed25519, so leave RSA in. Empty: both."
                ),
                .text(
                    "auid", \.auid, example: "@example.com",
                    "The i= of the signatures: in this domain or below it. Most signers need none. Left out, so is the tag."
                ),
            ], DomainSettings.settings(insteadOf: "In place of the same in [signing]."),
            DomainSettings.rotationSettings(insteadOf: "In place of the same in [rotation].")),
        SettingTable(
            each: "route", \.routes, effective: { $0.effectiveRoutes }, defaults: RouteSettings(),
            "Where mail goes. The first route whose `to` matches the recipient's domain is taken. Each has exactly one of `mx`, `smarthost` and `capture`. Default: one route to everybody's MX hosts.",
            [
                .text("name", \.name, example: "internet", "Shown by `waxwing queue`. Required, each different."),
                .list(
                    "to", \.to, example: ["example.org", "*.example.net"],
                    "Recipient domains: a name, *.name for everything below it, or * for all."),
                .flag("mx", \.mx, "Deliver to the MX hosts of the recipient's domain."),
                .text(
                    "smarthost", \.smarthost, example: "smtp.example.net:587",
                    "Hand everything to this host. The port, when left out, is 25, and 587 for a provider with a profile."
                ),
                .text(
                    "profile", \.profile, as: .word(RouteProfile.allCases.map(\.rawValue)), example: "generic", profiles
                ),
                .text(
                    "capture", \.capture, as: .path, example: "captured",
                    "Write messages as files into this directory instead of sending them, for development."),
                .number("port", \.port, 1...65_535, "The port of the MX hosts."),
                .flag("ed25519", \.ed25519, example: true, "Sign with Ed25519 beside RSA. Default: on MX routes only."),
                .flag("unsigned", \.isUnsigned, "Send without signatures on this route."),
            ],
            RouteSettings.settings(insteadOf: "In place of the same in [signing] and [[domain]]."),
            [
                .text(
                    "eight-bit", \.eightBit, as: .word(["keep", "encode"]),
                    "Octets above 127: leave as they are where the next hop takes them (8BITMIME), or always encoded, for next hops that would pass them on changed. A next hop without 8BITMIME gets them encoded in any case."
                ),
                .flag(
                    "allow-private-targets", \.allowsPrivateTargets,
                    "Deliver to MX hosts with loopback and private addresses too."),
                .text(
                    "tls", \.tls, as: .word(["opportunistic", "required", "off"]),
                    "STARTTLS when offered, always, or never."),
                .number("connections", \.connections, 1...10_000, "Connections at a time to one next hop."),
                .number(
                    "messages-per-connection", \.messagesPerConnection, 1...1_000_000,
                    "A connection is closed after so many messages."),
            ]),
        SettingTable(
            "log", \.log, defaults: LogSettings(), "The log, on standard error.",
            [
                .text(
                    "level", \.level, as: .word(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                    "The least that is logged. Each accepted and delivered message is a line of level debug."),
                .text(
                    "format", \.format, as: .word(["auto", "text", "json"]),
                    "auto: text, with priorities for the journal instead of times under systemd."),
            ]),
    ]

    private static var profiles: String {
        let lines = RouteProfile.allCases.map(\.rules.words)
        return
            "What the smarthost does to messages, and what Waxwing does about it. Left out: the one that the smarthost's name tells.\n"
            + lines.joined(separator: "\n") + "\n"
    }
}
