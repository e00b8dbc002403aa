// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// HeaderIntake is in charge of what happens to a header section when a message comes in.
///
/// The message is refused, or its header section gets the fields that it lacks, loses those that must not leave,
/// and a trace field is prepended: a pure function of what came in, the moment and a random number. Fields that
/// others would have to change after the signature are written anew and the repair is named; of all others it never
/// touches an octet. It never looks at a key.
package struct HeaderIntake: Sendable {
    /// RFC 5321 §6.3 asks for a limit of at least 100 hops between all relays; mail that is being submitted has
    /// few behind it, so half of that already is a loop.
    package static let maximumReceivedFields = 50

    /// Encoding may lengthen what came in, up to threefold.
    private static let maximumOutputOctets = HeaderSection.maximumOctets + 16 * 1024

    private let hostname: String
    private let traceField: TraceField
    private let rewriteRules: RewriteRules
    private let applications: [ApplicationFields]
    private let routes: [String]
    private let localDomain: Domain?

    /// - Parameters:
    ///   - hostname: this relay's name, for the trace field.
    ///   - hidesClientAddress: the trace field leaves out the address that a message came from.
    ///   - rewriteRules: give a usable mailbox to authors that have none.
    ///   - applications: the first that an author belongs to adds its fields.
    ///   - routes: the names of those that a message may ask for.
    ///   - localDomain: what addresses without a domain get.
    package init(
        hostname: String, hidesClientAddress: Bool, rewriteRules: RewriteRules = RewriteRules(),
        applications: [ApplicationFields] = [], routes: [String] = [], localDomain: Domain? = nil
    ) {
        self.hostname = hostname
        self.rewriteRules = rewriteRules
        self.applications = applications
        self.routes = routes
        self.localDomain = localDomain
        self.traceField = TraceField(hostname: hostname, hidesClientAddress: hidesClientAddress)
    }

    /// - Parameters:
    ///   - headerSection: with the CRLF of its last field, without the empty line.
    ///   - envelope: for the fields of an application that name the recipient.
    ///   - client: nil for a message that Waxwing made itself.
    ///   - principal: who submits; its application may use certain authors only.
    ///   - random: goes into a Message-ID, if one must be made.
    package func admit(
        _ headerSection: [UInt8], envelope: Envelope, client: ClientDescription?, principal: Principal? = nil,
        queueID: QueueID, arrival: Timestamp, random: UInt64
    ) throws(IntakeRefusal) -> AdmittedHeader {
        let header: HeaderSection
        do {
            header = try HeaderSection(headerSection, allowsSpaceBeforeColon: true)
        } catch {
            throw .malformedHeaderSection(error)
        }
        let survey = try HeaderSurvey(of: header, hostname: hostname)
        guard survey.receivedFields < HeaderIntake.maximumReceivedFields else {
            throw .tooManyHops(survey.receivedFields)
        }
        let controls = try ControlFields(survey.controls, in: header, arrival: arrival, routes: routes)
        // What Waxwing makes itself comes from nobody's application.
        let isOwn = client == nil
        let localDomain = isOwn ? nil : localDomain
        let author = try Author(
            of: header, field: survey.from.map { header.fields[$0] }, rules: isOwn ? RewriteRules() : rewriteRules,
            localDomain: localDomain)
        var edits = try HeaderEdits(header, survey: survey, author: author, localDomain: localDomain)
        let application = isOwn ? nil : application(of: principal, author: author.mailbox)
        if let application, application.isKnown, !application.mayUse(author.mailbox) {
            throw .notPermitted(author.mailbox, in: "From", application: application.name)
        }
        let recipient = envelope.recipients.count == 1 ? envelope.recipients.first : nil
        let added = AddedFields(
            of: application, to: header, survey: survey,
            values: FieldTemplate.Values(
                queueID: queueID, app: application?.name ?? "", authorDomain: author.domain, recipient: recipient))
        if !added.octets.isEmpty { edits.repairs.insert(.addedFields) }

        var output: [UInt8] = []
        output.reserveCapacity(headerSection.count + 512)
        traceField.append(client: client, queueID: queueID, arrival: arrival, to: &output)
        // RFC 6409 §8.2, §8.3; RFC 5322 §3.6.6: of a resent message the newest block of Resent fields is completed,
        // which stands on top, and the original's fields stay as they are.
        let prefix = survey.resentStart == nil ? "" : "Resent-"
        edits.copy(upTo: survey.resentStart ?? 0, to: &output)
        if !survey.hasDate {
            output += "\(prefix)Date: ".utf8
            MailDate.append(arrival, to: &output)
            output += "\r\n".utf8
        }
        if !survey.hasMessageID {
            let host = messageIDHost(authorDomain: author.domain)
            let messageID = MessageIDMaker.messageID(queueID: queueID, random: random, host: host)
            // Never folded, as some receivers lose an ID that stands on the next line. With a domain of 255 octets
            // the line is longer than the 78 octets that RFC 5322 §2.1.1 recommends, and far below its limit of 998.
            output += "\(prefix)Message-ID: \(messageID)\r\n".utf8
        }
        edits.copy(upTo: headerSection.count, to: &output)
        output += added.octets
        guard output.count <= HeaderIntake.maximumOutputOctets else { throw .headerSectionTooLarge }
        return AdmittedHeader(
            bytes: output, authorDomain: author.domain, repairs: Repair.allCases.filter(edits.repairs.contains),
            rewrittenAuthor: author.rewritten, oneClickFault: added.oneClickFault, controls: controls)
    }

    /// The one that submits, or else the first that the author belongs to.
    private func application(of principal: Principal?, author: Mailbox) -> ApplicationFields? {
        guard let name = principal?.application else { return applications.first { $0.isAuthor(author) } }
        return applications.first { $0.isKnown && $0.name == name }
    }

    /// Why whoever submits may not use this reverse-path; nil if it may.
    package func refusal(of reversePath: ReversePath, principal: Principal?) -> IntakeRefusal? {
        guard case .mailbox(let mailbox) = reversePath, let name = principal?.application,
            let application = applications.first(where: { $0.isKnown && $0.name == name }),
            !application.mayUse(mailbox)
        else { return nil }
        return .notPermitted(mailbox, in: "MAIL FROM", application: name)
    }

    /// A name that others know: the author domain, or else this host's; never one that every machine calls itself.
    private func messageIDHost(authorDomain: Domain) -> String {
        let candidates = [authorDomain, Domain(hostname)].compactMap { $0 }
        let host = candidates.first { domain in
            HeaderIntake.localNames.allSatisfy { !domain.isEqualOrBelow($0) }
        }
        // RFC 2606 §2: `invalid` at least is nobody's.
        return host?.name ?? "waxwing.invalid"
    }

    private static let localNames = ["localhost", "localdomain"].compactMap { Domain($0) }
}

/// A header section as it goes into the spool.
package struct AdmittedHeader: Hashable, Sendable {
    /// With the CRLF of its last field, without the empty line.
    package var bytes: [UInt8]
    /// The domain of the one author in From.
    package var authorDomain: Domain
    /// What was changed, each once, in the order of `Repair`.
    package var repairs: [Repair] = []
    /// The mailbox that stood in From before a rule put another there.
    package var rewrittenAuthor: RewrittenAuthor?
    /// What keeps recipients from unsubscribing with one click (RFC 8058); nil if it works or nobody offers it.
    package var oneClickFault: String?
    /// What the application asked for in fields that are gone.
    package var controls = ControlFields()
}

/// An author that a `[[rewrite]]` rule changed.
package struct RewrittenAuthor: Hashable, Sendable {
    /// As the application wrote it, such as `root`.
    package var from: String
    package var to: Mailbox
}
