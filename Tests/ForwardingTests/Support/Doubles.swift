// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Synchronization

/// The DNS as a table; what it does not hold can't be looked up.
struct TableResolver: DNS.Resolver {
    var exchangers: [String: Result<MXAnswer, DNSError>] = [:]
    var hosts: [String: Result<[IPAddress], DNSError>] = [:]

    func mx(_ name: String) async throws(DNSError) -> MXAnswer {
        try (exchangers[name] ?? .failure(.temporary("SERVFAIL"))).get()
    }

    func addresses(_ host: String) async throws(DNSError) -> [IPAddress] {
        try (hosts[host] ?? .failure(.temporary("SERVFAIL"))).get()
    }

    func txt(_ name: String) async throws(DNSError) -> TXTAnswer { .noData }
}

/// Signs by adding a field of its own, or says why it can't.
final class StubSigner: DepartureSigner {
    static let field = Array("X-Signed: yes\r\n".utf8)

    let departures = Mutex<[Departure]>([])
    /// The bodies that were read to be signed.
    let bodies = Mutex<[[UInt8]]>([])
    /// What happens after each signature.
    let whenSigned = Mutex<(@Sendable (Departure) -> Void)?>(nil)
    /// Why nothing can be signed.
    let fault: Mutex<DepartureSigningError?>
    /// Whether it tells a want of keys to who asks before signing.
    let hasForesight: Bool
    /// The keys that it signs with.
    let keyUses = Mutex<[KeyUse]>([])
    private let removesSignatures: Bool
    private let readsBodies: Bool

    init(
        fault: DepartureSigningError? = nil, hasForesight: Bool = true, removesSignatures: Bool = false,
        readsBodies: Bool = false
    ) {
        self.fault = Mutex(fault)
        self.hasForesight = hasForesight
        self.removesSignatures = removesSignatures
        self.readsBodies = readsBodies
    }

    func sign(_ departure: Departure) throws(DepartureSigningError) -> SignedDeparture {
        departures.withLock { $0.append(departure) }
        if let fault = fault.withLock({ $0 }), !departure.nextHop.signing.isUnsigned { throw fault }
        var hashes: [BodyHash] = []
        if readsBodies, departure.bodyHashes.isEmpty {
            do {
                var body: [UInt8] = []
                try departure.body { body += $0 }
                bodies.withLock { $0.append(body) }
                // No hash, but as good for who passes it on.
                let sum = UInt8(truncatingIfNeeded: body.reduce(0) { $0 &+ Int($1) })
                hashes = [BodyHash(canonicalization: .relaxed, digest: Array(repeating: sum, count: 32))]
            } catch {
                throw DepartureSigningError(text: "\(error)")
            }
        }
        whenSigned.withLock { $0 }?(departure)
        return SignedDeparture(
            fields: departure.nextHop.signing.isUnsigned ? [] : StubSigner.field,
            removed: removesSignatures ? StubSigner.signatures(in: departure.headerSection) : [],
            bodyHashes: hashes, keyUses: departure.nextHop.signing.isUnsigned ? [] : keyUses.withLock { $0 })
    }

    func hindrance(of authorDomain: Domain) -> DepartureSigningError? {
        fault.withLock { fault in fault?.isWantOfKey == true && hasForesight ? fault : nil }
    }

    /// Fields of one line each.
    private static func signatures(in headerSection: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for end in headerSection.indices where headerSection[end] == 10 {
            if headerSection[start...end].starts(with: Array("DKIM-Signature:".utf8)) { ranges.append(start..<end + 1) }
            start = end + 1
        }
        return ranges
    }
}

/// Keeps what it is given.
final class KeepingIntake: Intake {
    struct Kept: Sendable {
        var envelope: Envelope
        var content: [UInt8]
    }

    let kept = Mutex<[Kept]>([])
    /// Checked at the end of each transaction.
    let whenFinished = Mutex<(@Sendable () -> Void)?>(nil)
    private let result: IntakeResult

    init(_ result: IntakeResult = .accepted(QueueID(arrival: Timestamp(seconds: 7), distinguisher: 7))) {
        self.result = result
    }

    func refusal(ofSize size: Int?) -> IntakeRefusal? { nil }

    func begin(_ submission: Submission) -> any IntakeTransaction {
        Transaction(self, submission)
    }

    private final class Transaction: IntakeTransaction {
        private let intake: KeepingIntake
        private let kept: Mutex<Kept>

        init(_ intake: KeepingIntake, _ submission: Submission) {
            self.intake = intake
            self.kept = Mutex(Kept(envelope: submission.envelope, content: []))
        }

        func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
            let octets = unsafe Array(bytes)
            kept.withLock { $0.content += octets }
            return false
        }

        func note(_ repair: Repair) {}

        func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void) {
            let whole = kept.withLock { $0 }
            intake.kept.withLock { $0.append(whole) }
            intake.whenFinished.withLock { $0 }?()
            completion(intake.result)
        }

        func abort() {}
    }
}
