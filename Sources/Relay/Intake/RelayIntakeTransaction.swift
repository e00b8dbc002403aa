// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import Mail
internal import Receiving
internal import Spooling

/// RelayIntakeTransaction is in charge of one message on its way in.
///
/// The header section is collected and judged whole, the body passes through the hasher into the spool piece by piece.
/// The first reason to refuse holds; octets after it are passed over, and the reply says it at the end.
///
/// Sendable, unchecked:
/// 1. `IntakeTransaction` has its caller make one call at a time, each after the one before it; so nothing here is
///    touched by two threads at once.
/// 2. What leaves it for the spool's completion are values.
final class RelayIntakeTransaction: IntakeTransaction, @unchecked Sendable {
    private enum Phase {
        case header(HeaderCollector)
        case body(Body)
        case refused(IntakeRefusal)
        case ended
    }

    private struct Body {
        let header: AdmittedLength
        let hasher: BodyHasher
        let writer: ContentWriter
    }

    /// What is remembered of the header section once it is written.
    private struct AdmittedLength {
        let octets: Int
        let authorDomain: Domain
    }

    private let intake: RelayIntake
    private let queueID: QueueID
    private let arrival: Timestamp
    private let client: ClientDescription?
    private var envelope: Envelope
    private var authorDomain: Domain?
    private var phase = Phase.header(HeaderCollector())
    /// The content goes to a file.
    private var mayBlock = false

    init(intake: RelayIntake, submission: Submission, queueID: QueueID, arrival: Timestamp) {
        self.intake = intake
        self.queueID = queueID
        self.arrival = arrival
        self.client = submission.client
        self.envelope = submission.envelope
    }

    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch phase {
        case .header(var collector):
            phase = .ended  // Gives up its hold on the octets, so that the collector appends in place.
            switch unsafe collector.append(bytes) {
            case .incomplete:
                phase = .header(collector)
                return false
            case .tooLarge:
                phase = .refused(.headerSectionTooLarge)
                return false
            case .complete(let headerSection, let bodyStart):
                openBody(headerSection)
                return unsafe append(UnsafeRawBufferPointer(rebasing: bytes[bodyStart...]))
            }
        case .body(let body):
            guard unsafe !bytes.isEmpty else { return mayBlock }
            noteEightBit(unsafe bytes.containsEightBitOctet)
            unsafe body.hasher.append(bytes)
            unsafe write(bytes, to: body.writer)
            return mayBlock
        case .refused, .ended:
            return false
        }
    }

    func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void) {
        if case .header(let collector) = phase {
            // RFC 5322 §2.1: the body is optional. The empty line is not written by all who send none.
            openBody(collector.bytes)
        }
        switch exchange(&phase, with: .ended) {
        case .body(let body):
            enqueue(body, completion)
        case .refused(let refusal):
            refuse(refusal, completion)
        case .header, .ended:
            preconditionFailure("a transaction finishes once")
        }
    }

    func abort() {
        if case .body(let body) = exchange(&phase, with: .ended) { body.writer.discard() }
    }

    /// Judges the header section and starts the content with what becomes of it.
    private func openBody(_ headerSection: [UInt8]) {
        do throws(IntakeRefusal) {
            var header = try intake.admit(
                headerSection, envelope: envelope, client: client, queueID: queueID, arrival: arrival)
            authorDomain = header.authorDomain
            if let refusal = intake.refusal(ofAuthorDomain: header.authorDomain) { throw refusal }
            noteEightBit(unsafe header.bytes.withUnsafeBytes { unsafe $0.containsEightBitOctet })

            let length = AdmittedLength(octets: header.bytes.count, authorDomain: header.authorDomain)
            let body = Body(header: length, hasher: try makeHasher(), writer: intake.contentWriter())
            phase = .body(body)
            header.bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
            unsafe header.bytes.withUnsafeBytes { unsafe write($0, to: body.writer) }
        } catch {
            phase = .refused(error)
        }
    }

    private func makeHasher() throws(IntakeRefusal) -> BodyHasher {
        do {
            return try BodyHasher(.relaxed)
        } catch {
            intake.note(error, doing: "hash the body", queueID: queueID)
            throw .systemFault
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to writer: ContentWriter) {
        do {
            if unsafe try writer.append(bytes) { mayBlock = true }
        } catch {
            fail(error, doing: "write the content", writer)
        }
    }

    private func fail(_ error: SpoolError, doing what: String, _ writer: ContentWriter) {
        intake.note(error, doing: what, queueID: queueID)
        writer.discard()
        phase = .refused(error.refusal)
    }

    private func noteEightBit(_ isEightBit: Bool) {
        if isEightBit { envelope.isEightBit = true }
    }

    private func enqueue(_ body: Body, _ completion: @escaping @Sendable (IntakeResult) -> Void) {
        let digest: [UInt8]
        let content: StoredContent
        do {
            digest = try body.hasher.finish()
        } catch {
            intake.note(error, doing: "hash the body", queueID: queueID)
            body.writer.discard()
            return refuse(.systemFault, completion)
        }
        do {
            content = try body.writer.finish()
        } catch {
            fail(error, doing: "write the content", body.writer)
            return refuse(error.refusal, completion)
        }
        let message = NewMessage(
            queueID: queueID, envelope: envelope, arrival: arrival, expiry: intake.expiry(of: arrival),
            headerLength: body.header.octets, bodyHashes: [BodyHash(canonicalization: .relaxed, digest: digest)],
            authorDomain: body.header.authorDomain)
        let length = content.length
        intake.enqueue(message, content: content) { [intake] result in
            switch result {
            case .success:
                intake.events(
                    .accepted(
                        message.queueID, reversePath: message.envelope.reversePath,
                        recipients: message.envelope.recipients.count, octets: length))
                completion(.accepted(message.queueID))
            case .failure(let error):
                intake.note(error, doing: "enqueue", queueID: message.queueID)
                intake.events(.refused(error.refusal, authorDomain: message.authorDomain))
                completion(.refused(error.refusal))
            }
        }
    }

    private func refuse(_ refusal: IntakeRefusal, _ completion: @Sendable (IntakeResult) -> Void) {
        intake.events(.refused(refusal, authorDomain: authorDomain))
        completion(.refused(refusal))
    }
}

extension UnsafeRawBufferPointer {
    /// Whether an octet above 127 is among them.
    fileprivate var containsEightBitOctet: Bool {
        var seen: UInt64 = 0
        var position = 0
        // Eight octets at a time: this looks at everything that passes.
        while position + 8 <= count {
            seen |= unsafe loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position += 8
        }
        while position < count {
            seen |= unsafe UInt64(self[position])
            position += 1
        }
        return seen & 0x8080_8080_8080_8080 != 0
    }
}
