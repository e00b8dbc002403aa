// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Forwarding
import Logging
import Mail
import Receiving

/// `[local]`: the mail of users of this machine.
package struct LocalSettings: Hashable, Sendable {
    /// Empty: addresses without a domain are refused.
    package var domain = ""
    /// A path; empty: no alias file is read.
    package var aliases = ""
}

/// `[capture]`: one place gets all mail.
package struct CaptureSettings: Hashable, Sendable {
    /// Empty: no mailbox gets it.
    package var to = ""
    /// A path; empty: it does not go into a directory.
    package var directory = ""
    package var except: [String] = []
}

extension Configuration {
    static let localTable = SettingTable(
        "local", \.local, defaults: LocalSettings(),
        "Mail of and for the users of this machine, which cron and its like write without a domain.",
        [
            .text(
                "domain", \.domain, example: "example.com",
                "What addresses without a domain and at localhost get, in the envelope and in From, Sender, Reply-To, To and Cc. Then programs on this machine may write them. Left out: such mail is refused, except as a [[rewrite]] says."
            ),
            .text(
                "aliases", \.aliases, as: .path, example: "/etc/aliases",
                "Who gets the mail of users without a domain, at localhost or at this relay's hostname: a file of aliases(5), addresses only. Read again when it has changed."
            ),
        ])

    static let captureTable = SettingTable(
        "capture", \.capture, defaults: CaptureSettings(),
        "For a staging machine: nobody gets mail but one mailbox or directory. It is decided when a message leaves, so what was queued before and Waxwing's own notifications are captured too. A field X-Captured-For names the recipients. Left out: mail goes to its recipients.",
        [
            .text(
                "to", \.to, example: "dev@example.com",
                "The mailbox that gets each message, once, by the route for its domain."),
            .text(
                "directory", \.directory, as: .path, example: "captured",
                "In place of `to`: files in this directory."),
            .list(
                "except", \.except, example: ["@example.com", "ada@example.org"],
                "Who still gets mail: mailboxes, @domain, and @*.domain for those below it."),
        ])

    /// Who gets all mail; nil in ordinary life.
    var effectiveCapture: Capture? {
        let exceptions = capture.except.compactMap { RecipientPattern($0) }
        if let mailbox = Mailbox(written: capture.to) { return Capture(.mailbox(mailbox), except: exceptions) }
        guard !capture.directory.isEmpty else { return nil }
        return Capture(.directory(resolve(capture.directory)), except: exceptions)
    }

    var localMail: LocalMail {
        LocalMail(
            domain: Domain(local.domain), hostname: hostname,
            rules: RewriteRules(rewrites.filter { !$0.recipient.isEmpty }.compactMap { try? $0.rule }))
    }

    /// Nobody should have to wonder why mail does not arrive.
    func logCapture(to logger: Logger) {
        guard let effectiveCapture else { return }
        logger.warning(
            "capture is on: mail does not go to its recipients", metadata: ["capture": "\(effectiveCapture)"])
    }
}

extension ConfigurationChecker {
    mutating func checkLocal() {
        let local = configuration.local
        if !local.domain.isEmpty, Domain(local.domain).map({ MailboxPattern.isPublic($0) }) != true {
            add(
                [.key("local"), .key("domain")], "\"\(local.domain)\" is no domain that the world could answer",
                "Write the domain that mail of this machine comes from, such as domain = \"example.com\"")
        }
        guard !local.aliases.isEmpty else { return }
        let path: [KeyLocator.Step] = [.key("local"), .key("aliases")]
        if local.domain.isEmpty {
            add(
                path, "aliases are for users without a domain, and nobody says which domain they get in the end",
                "Write domain = \"example.com\" beside it")
        }
        let file = configuration.resolve(local.aliases)
        do throws(AliasFileError) {
            _ = try AliasFile.read(file)
        } catch {
            switch error {
            case .unreadable(let reason):
                add(
                    path, "\(file) can't be read: \(reason)",
                    "Name a file that this user may read, or leave the setting out")
            case .faulty(let faults):
                for fault in faults.faults {
                    add(path, "\(file):\(fault.line): \(fault.problem)", fault.remedy)
                }
            }
        }
    }

    mutating func checkCapture() {
        let capture = configuration.capture
        if !capture.to.isEmpty, Mailbox(written: capture.to) == nil {
            add(
                [.key("capture"), .key("to")], "\"\(capture.to)\" is not a mailbox",
                "Write one, such as to = \"dev@example.com\"")
        }
        if !capture.to.isEmpty, !capture.directory.isEmpty {
            add(
                [.key("capture"), .key("directory")], "all mail goes to a mailbox and into a directory",
                "Write one of the two")
        }
        if capture.to.isEmpty, capture.directory.isEmpty, !capture.except.isEmpty {
            add(
                [.key("capture"), .key("except")], "there are exceptions, and nobody says where all other mail goes",
                "Write to = \"dev@example.com\" or directory = \"captured\", or remove it")
        }
        for (place, text) in capture.except.enumerated() where RecipientPattern(text) == nil {
            add(
                [.key("capture"), .key("except"), .index(place)], "\"\(text)\" means no recipients",
                "Write a mailbox, @example.com, or @*.example.com for the domains below it")
        }
    }
}
