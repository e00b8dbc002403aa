// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DKIM
import Logging
import Mail
import Signing

/// SignFilter is in charge of `waxwing sign`: a message in, the same message out with the signatures that it
/// would get on an MX route.
package struct SignFilter: Sendable {
    private let configuration: Configuration

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// A message with its signatures.
    package struct Signed: Sendable {
        /// With the line ends that it came with.
        package var message: [UInt8]
        /// What each signature was made over, from the top down; signatures that were there before are not among them.
        package var inputs: [SigningInput]
    }

    /// - Throws: `FilterError`.
    package func sign(_ bytes: [UInt8]) throws -> Signed {
        let message = try MessageText(signing: bytes)
        let parts = message.parts
        let headerSection = Array(message.wire[..<parts.headerEnd])
        let author = try authorDomain(of: headerSection)
        let hasher = try BodyHasher(.relaxed)
        hasher.append(Array(message.wire[parts.bodyStart...]))

        let store = KeyStore(
            directory: configuration.resolve(configuration.keys.directory),
            passphrase: try configuration.keyPassphrase())
        let logger = Logger(label: "waxwing", factory: { _ in SwiftLogNoOpLogHandler() })
        var policies = configuration.signingPolicies
        // Who runs this command wants a signature.
        for domain in policies.domains.keys { policies.domains[domain]?.isUnsigned = false }
        let ring = KeyRing(store: store, policies: policies, logger: logger)
        switch ring.signability(of: author) {
        case .signable, .unsigned: break
        case .noKeys(let nextStep), .notUsable(let nextStep), .held(let nextStep):
            throw FilterError(text: nextStep)
        }
        let clock = WallClock.system
        let signer = Signer(ring: ring, clock: clock, events: { _ in })
        let departure = Departure(
            queueID: QueueID(arrival: clock.now(), distinguisher: 0),
            envelope: Envelope(reversePath: .null, recipients: []), authorDomain: author,
            headerSection: headerSection,
            bodyHashes: [BodyHash(canonicalization: .relaxed, digest: try hasher.finish())],
            body: { [body = message.wire[parts.bodyStart...]] consume in try consume(body) },
            nextHop: NextHop(kind: .mx, host: author.name))
        do {
            let departing = try signer.sign(departure)
            var section = headerSection
            for range in departing.removed.reversed() { section.removeSubrange(range) }
            let signed = departing.fields + section + message.wire[parts.headerEnd...]
            let count = try HeaderFields(departing.fields).values(of: "DKIM-Signature").count
            return Signed(
                message: message.restoringLineEnds(signed),
                inputs: Array(try SigningInput.all(in: signed).prefix(count)))
        } catch let error as DepartureSigningError {
            throw FilterError(text: error.text)
        }
    }

    private func authorDomain(of headerSection: [UInt8]) throws -> Domain {
        let section: HeaderSection
        do {
            section = try HeaderSection(headerSection)
        } catch {
            throw FilterError(text: "line \(error.line) of the header section \(error.reason): sign a whole message")
        }
        let fields = section.fields.filter { section.isNamed($0, FieldName("From")) }
        guard let field = fields.first, fields.count == 1 else {
            throw FilterError(text: "the message has \(fields.count) From fields, where one must stand")
        }
        do {
            let value = section.bytes[field.value]
            let mailboxes = try AddressParser.mailboxes(in: value)
            guard mailboxes.count == 1, let mailbox = mailboxes.first, let domain = mailbox.domain else {
                throw FilterError(text: "the From field must name one mailbox with a domain")
            }
            guard try AddressParser.list(in: value).isUnmistakable(in: value) else {
                throw FilterError(
                    text: "readers find different authors in the From field; write it plainly, as From: <\(mailbox)>")
            }
            return domain
        } catch let error as AddressError {
            throw FilterError(text: "the From field has \(error.reason)")
        }
    }
}

/// Why a filter has no output.
package struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    package var text: String

    package init(text: String) {
        self.text = text
    }

    package var description: String { text }
}
