// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Receiving

/// What the tables say that change messages when they come in, in the words of intake.
extension RewriteSettings {
    /// Whom the rule is for.
    var pattern: String { recipient.isEmpty ? from : recipient }

    var rule: RewriteRule {
        get throws(PatternError) { try RewriteRule(from: pattern, to: to) }
    }
}

extension ApplicationSettings {
    var fields: ApplicationFields {
        get throws(PatternError) {
            try ApplicationFields(
                name: name, from: from, isKnown: isKnown,
                listUnsubscribe: listUnsubscribe.isEmpty ? nil : listUnsubscribe,
                listUnsubscribePost: listUnsubscribePost, feedbackID: feedbackID.isEmpty ? nil : feedbackID)
        }
    }
}

extension ConfigurationChecker {
    mutating func checkRewrites() {
        var earlier: [String: [(text: String, pattern: MailboxPattern)]] = [:]
        for (index, settings) in configuration.rewrites.enumerated() {
            let path: [KeyLocator.Step] = [.key("rewrite"), .index(index)]
            let key = settings.recipient.isEmpty ? "from" : "recipient"
            if !settings.from.isEmpty, !settings.recipient.isEmpty {
                add(
                    path + [.key("recipient")], "the rule is for authors and for recipients",
                    "Write two rules, one with `from` and one with `recipient`")
            } else if settings.pattern.isEmpty {
                add(path + [.key("from")], "the rule says nothing about whom it is for", "Write from = \"*@localhost\"")
            } else if settings.to.isEmpty {
                add(
                    path + [.key("to")], "the rule says nothing about the mailbox to write",
                    "Write to = \"alerts@example.com\"")
            } else if check(
                path + [.key(key)], { () throws(PatternError) in _ = try MailboxPattern(settings.pattern) }),
                check(path + [.key("to")], { () throws(PatternError) in _ = try settings.rule }),
                let pattern = try? MailboxPattern(settings.pattern)
            {
                checkPrecedence(of: pattern, at: path + [.key(key)], after: earlier[key, default: []], "a rule")
                earlier[key, default: []].append((settings.pattern, pattern))
            }
        }
    }

    /// The first that matches is taken: what is covered by one before it is never used.
    private mutating func checkPrecedence(
        of pattern: MailboxPattern, at path: [KeyLocator.Step],
        after earlier: [(text: String, pattern: MailboxPattern)], _ kind: String
    ) {
        guard let first = earlier.first(where: { $0.pattern.covers(pattern) }) else { return }
        add(
            path,
            "there is already \(kind) for \"\(first.text)\", which is taken first, so that this is never used",
            pattern.covers(first.pattern) ? "Remove one of the two" : "Put this table before the other, or remove it")
    }

    mutating func checkApplications() {
        var names: Set<String> = []
        var earlier: [(text: String, pattern: MailboxPattern)] = []
        for (index, settings) in configuration.applications.enumerated() {
            let path: [KeyLocator.Step] = [.key("app"), .index(index)]
            if settings.name.isEmpty {
                add(path + [.key("name")], "the table has no name", "Write one, such as name = \"newsletter\"")
            } else if !names.insert(settings.name).inserted {
                add(
                    path + [.key("name")], "there is already an [[app]] \"\(settings.name)\"",
                    "Give each application a name of its own")
            }
            checkAccess(of: settings, at: path)
            if settings.from.isEmpty, !settings.isKnown {
                add(
                    path + [.key("from")], "the table is for nobody's mail",
                    "Name author domains or mailboxes, such as from = [\"shop.example\"]")
            }
            if settings.listUnsubscribe.isEmpty, settings.feedbackID.isEmpty, !settings.listUnsubscribePost,
                !settings.isKnown
            {
                add(
                    path, "the table adds no field and lets nobody in",
                    "Write list-unsubscribe or feedback-id, or how the application is known (password = true, users, networks or certificate), or remove the table"
                )
            }
            checkTemplates(of: settings, at: path)
            let authors = settings.from.map { (text: $0, pattern: try? ApplicationFields.author($0)) }
            // Who is known is not told by its author.
            guard !settings.isKnown else { continue }
            for (place, author) in authors.enumerated() {
                guard let pattern = author.pattern else { continue }
                checkPrecedence(
                    of: pattern, at: path + [.key("from"), .index(place)], after: earlier, "an [[app]]")
            }
            earlier += authors.compactMap { author in author.pattern.map { (text: author.text, pattern: $0) } }
        }
    }

    /// Each setting beside good ones, to say which of them is wrong.
    private mutating func checkTemplates(of settings: ApplicationSettings, at path: [KeyLocator.Step]) {
        var sound = ApplicationSettings()
        sound.name = "sound"
        sound.from = ["example.com"]
        var candidates: [([KeyLocator.Step], ApplicationSettings)] = []
        func candidate(_ steps: [KeyLocator.Step], _ change: (inout ApplicationSettings) -> Void) {
            var candidate = sound
            change(&candidate)
            candidates.append((path + steps, candidate))
        }
        if !settings.name.isEmpty { candidate([.key("name")]) { $0.name = settings.name } }
        for (place, author) in settings.from.enumerated() {
            candidate([.key("from"), .index(place)]) { $0.from = [author] }
        }
        candidate([.key("list-unsubscribe")]) { candidate in
            candidate.listUnsubscribe = settings.listUnsubscribe
            candidate.listUnsubscribePost = settings.listUnsubscribePost
        }
        candidate([.key("feedback-id")]) { $0.feedbackID = settings.feedbackID }
        for (path, candidate) in candidates {
            check(path) { () throws(PatternError) in _ = try candidate.fields }
        }
    }

    /// False if there is a fault, which is noted.
    @discardableResult
    mutating func check(_ path: [KeyLocator.Step], _ body: () throws(PatternError) -> Void) -> Bool {
        do throws(PatternError) {
            try body()
            return true
        } catch {
            // A clause with its remedy behind a semicolon, where one is needed.
            let parts = error.text.split(separator: "; ", maxSplits: 1)
            let remedy = parts.count > 1 ? String(parts[1]) : "correct it"
            add(path, String(parts.first ?? ""), remedy.prefix(1).uppercased() + remedy.dropFirst())
            return false
        }
    }
}
