// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// `OptionsText` is in charge of how options, notices and principals stand in the database: as text that an operator
/// can read there, a word and its value a line; empty when there is nothing to say.
///
/// What can't stand in a line is written as `%0A`. A word that this version does not know is passed over: nobody's
/// mail waits for it.
enum OptionsText {
    static func text(of options: MessageOptions) -> String {
        if options == .none { return "" }
        var lines = LinesText()
        if let release = options.release { lines.add("release", "\(release.milliseconds)") }
        if let expiry = options.expiry { lines.add("expiry", "\(expiry.milliseconds)") }
        if options.priority != 0 { lines.add("priority", "\(options.priority)") }
        for tag in options.tags { lines.add("tag", tag) }
        if let route = options.route { lines.add("route", route) }
        if options.isTest { lines.add("test", "") }
        if let key = options.idempotencyKey { lines.add("idempotency-key", key) }
        if options.requiresTLS { lines.add("require-tls", "") }
        return lines.text
    }

    static func options(in text: String) -> MessageOptions {
        var options = MessageOptions()
        for (word, value) in LinesText.lines(of: text) {
            switch word {
            case "release": options.release = Int64(value).map { Timestamp(milliseconds: $0) }
            case "expiry": options.expiry = Int64(value).map { Timestamp(milliseconds: $0) }
            case "priority": options.priority = Int(value) ?? 0
            case "tag": options.tags.append(value)
            case "route": options.route = value
            case "test": options.isTest = true
            case "idempotency-key": options.idempotencyKey = value
            case "require-tls": options.requiresTLS = true
            default: break
            }
        }
        return options
    }

    static func text(of notices: DeliveryNotices) -> String {
        if notices == .none { return "" }
        var lines = LinesText()
        if let returned = notices.returned { lines.add("return", returned.rawValue) }
        if let envelopeID = notices.envelopeID { lines.add("envelope-id", envelopeID) }
        for (index, notice) in notices.recipients.sorted(by: { $0.key < $1.key }) {
            if let words = notice.occasionWords { lines.add("notify", "\(index) \(words)") }
            if let original = notice.originalRecipient { lines.add("original-recipient", "\(index) \(original)") }
        }
        return lines.text
    }

    static func notices(in text: String) -> DeliveryNotices {
        var notices = DeliveryNotices()
        for (word, value) in LinesText.lines(of: text) {
            let index = Int(value.prefix { $0 != " " })
            let rest = String(value.drop { $0 != " " }.dropFirst())
            switch word {
            case "return": notices.returned = DeliveryNotices.Returned(rawValue: value)
            case "envelope-id": notices.envelopeID = value
            case "notify":
                guard let index else { continue }
                notices.recipients[index, default: RecipientNotice()].occasions = RecipientNotice.occasions(rest)
            case "original-recipient":
                guard let index else { continue }
                notices.recipients[index, default: RecipientNotice()].originalRecipient = rest
            default: break
            }
        }
        return notices
    }

    static func text(of principal: Principal?) -> String {
        guard let principal else { return "" }
        var lines = LinesText()
        lines.add("name", principal.name)
        if let application = principal.application { lines.add("application", application) }
        if principal.isAuthenticated { lines.add("authenticated", "") }
        return lines.text
    }

    static func principal(in text: String) -> Principal? {
        guard !text.isEmpty else { return nil }
        var principal = Principal(application: nil, name: "", isAuthenticated: false)
        for (word, value) in LinesText.lines(of: text) {
            switch word {
            case "name": principal.name = value
            case "application": principal.application = value
            case "authenticated": principal.isAuthenticated = true
            default: break
            }
        }
        return principal
    }

    /// Whose idempotency keys are one and the same: those of an application, else those of a principal's name.
    static func idempotencyScope(of principal: Principal) -> String {
        principal.application.map { "application \($0)" } ?? "name \(principal.name)"
    }
}

/// Lines of a word and its value.
private struct LinesText {
    private(set) var text = ""

    mutating func add(_ word: String, _ value: String) {
        if !text.isEmpty { text += "\n" }
        text += word
        if !value.isEmpty { text += " " + LinesText.escaped(value) }
    }

    static func lines(of text: String) -> [(word: String, value: String)] {
        text.unicodeScalars.split(separator: "\n").map { line in
            let word = line.prefix { $0 != " " }
            return (String(word), unescaped(Substring(line.dropFirst(word.count + 1))))
        }
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "%", "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                escaped += (digits.count < 2 ? "%0" : "%") + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func unescaped(_ value: Substring) -> String {
        var octets: [UInt8] = []
        var rest = value.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let octet = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                octets.append(octet)
                rest = rest.dropFirst(2)
            } else {
                octets.append(byte)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
