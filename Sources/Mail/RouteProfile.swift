// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A kind of smarthost, by what it does to the messages that it takes.
///
/// The rules of each stand in this file and nowhere else. They come from the providers' own documentation.
package enum RouteProfile: String, Hashable, Sendable, CaseIterable {
    case generic
    case ses
    case sendgrid
    case mailgun
    case smtpCom = "smtp.com"
    case postmark
    case gmailRelay = "gmail-relay"
    case microsoft365

    package var rules: ProfileRules {
        switch self {
        case .generic: ProfileRules.generic
        case .ses: ProfileRules.ses
        case .sendgrid: ProfileRules.sendgrid
        case .mailgun: ProfileRules.mailgun
        case .smtpCom: ProfileRules.smtpCom
        case .postmark: ProfileRules.postmark
        case .gmailRelay: ProfileRules.gmailRelay
        case .microsoft365: ProfileRules.microsoft365
        }
    }

    /// The profile that a smarthost's name tells; nil if it tells none.
    ///
    /// - Parameter host: in lower case.
    package init?(host: String) {
        guard let profile = Self.allCases.first(where: { $0.isAt(host) }) else { return nil }
        self = profile
    }

    /// Whether a host is one of this provider's.
    ///
    /// - Parameter host: in lower case, with or without a final dot.
    package func isAt(_ host: String) -> Bool {
        let host = host.hasSuffix(".") ? host.dropLast() : Substring(host)
        return rules.hosts.contains { $0.hasPrefix(".") ? host.hasSuffix($0) : host == $0 }
    }
}

/// What a provider does to messages, and what it takes.
package struct ProfileRules: Hashable, Sendable {
    /// A field that Waxwing puts in front of a message unless the message has one of that name.
    package struct AddedField: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    /// Names by which the profile is chosen; with a dot in front, all names that end so.
    package var hosts: [String] = []
    /// More `DKIM-Signature` fields than these are refused; nil: any number passes.
    package var maximumSignatures: Int?
    /// Fields that the provider replaces or takes away, so that none of them may be signed.
    ///
    /// With a star at the end, all that begin so.
    package var rewrittenFields: [String] = []
    /// They make the provider leave the content as it is; it takes them away itself.
    package var addedFields: [AddedField] = []
    /// Recipients of one transaction; nil: the hundred of RFC 5321 §4.5.3.1.8.
    package var recipients: Int?
    /// Connections at a time; nil: as the route says.
    package var connections: Int?
    /// Messages of one connection; nil: as the route says.
    package var messagesPerConnection: Int?
    /// Where mail is submitted with STARTTLS if the route names no port.
    package var port = 587
    /// What it means for the operator, as sentences for the annotated example.
    package var words: String

    /// Whether the provider writes a field anew; case does not matter.
    package func rewrites(_ name: String) -> Bool {
        let name = name.lowercased()
        return rewrittenFields.contains { pattern in
            let pattern = pattern.lowercased()
            return pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
        }
    }
}

extension ProfileRules {
    static let generic = ProfileRules(
        port: 25,
        words: "generic: passes messages on as they are.")

    /// `https://docs.aws.amazon.com/ses/latest/dg/header-fields.html`, and its quotas: 50 recipients a message.
    static let ses = ProfileRules(
        hosts: [".amazonaws.com"], maximumSignatures: 1,
        rewrittenFields: ["Message-ID", "Date", "Return-Path", "Bounces-To", "X-SES-*"], recipients: 50,
        words:
            "ses (Amazon SES; chosen by itself for *.amazonaws.com, and no other profile is accepted there): refuses a second DKIM-Signature and replaces Date and Message-ID, so there is one signature, neither field is signed, and signatures that messages came in with are removed."
    )

    /// The X-SMTPAPI settings are those of its "SMTP filters" page.
    static let sendgrid = ProfileRules(
        hosts: ["smtp.sendgrid.net"], rewrittenFields: ["X-SMTPAPI"],
        addedFields: [
            AddedField(
                name: "X-SMTPAPI",
                value: "{\"filters\":{"
                    + ["clicktrack", "opentrack", "subscriptiontrack", "footer", "ganalytics", "template"]
                    .map { "\"\($0)\":{\"settings\":{\"enable\":0}}" }.joined(separator: ",\r\n ") + "}}")
        ], connections: 10, messagesPerConnection: 100,
        words:
            "sendgrid: tracking and footers change the body, so they are turned off for each message (X-SMTPAPI), unless it says X-SMTPAPI itself; at most 10 connections of 100 messages."
    )

    /// The "Sending options" of its user manual.
    static let mailgun = ProfileRules(
        hosts: ["smtp.mailgun.org", "smtp.eu.mailgun.org"], rewrittenFields: ["X-Mailgun-*"],
        addedFields: [
            AddedField(name: "X-Mailgun-Track", value: "no"), AddedField(name: "X-Mailgun-Dkim", value: "no"),
        ],
        words:
            "mailgun: tracking changes the body and the provider's own signature would come on top, so both are turned off for each message (X-Mailgun-Track, X-Mailgun-Dkim), unless it says them itself."
    )

    static let smtpCom = ProfileRules(
        hosts: ["send.smtp.com"], rewrittenFields: ["X-SMTPCOM-*"],
        words: "smtp.com: signs again with a key of its own beside ours; turn tracking off in its control panel.")

    /// It writes a Message-ID of its own unless X-PM-KeepID tells it not to; 50 recipients a message.
    static let postmark = ProfileRules(
        hosts: ["smtp.postmarkapp.com", "smtp-broadcasts.postmarkapp.com"],
        rewrittenFields: ["Message-ID", "X-PM-*"],
        addedFields: [
            AddedField(name: "X-PM-KeepID", value: "true"), AddedField(name: "X-PM-TrackOpens", value: "false"),
            AddedField(name: "X-PM-TrackLinks", value: "None"),
        ], recipients: 50,
        words:
            "postmark: Message-ID is not signed, as it may be replaced; tracking is turned off for each message (X-PM-TrackOpens, X-PM-TrackLinks), unless it says them itself; it takes messages up to 10 MB and signs again beside us."
    )

    static let gmailRelay = ProfileRules(
        hosts: ["smtp-relay.gmail.com", "smtp.gmail.com"], rewrittenFields: ["X-Google-*", "X-Gm-*"],
        words:
            "gmail-relay: signs again beside us; it replaces a From that is no address or alias of the account, and then no signature of ours can hold. At most 10,000 recipients a day."
    )

    static let microsoft365 = ProfileRules(
        hosts: ["smtp.office365.com", ".mail.protection.outlook.com"],
        rewrittenFields: ["X-MS-*", "X-Microsoft-*", "X-Forefront-*"],
        words:
            "microsoft365: signs again beside us; disclaimers and other transport rules of the tenant change the body, and then no signature of ours can hold."
    )
}
