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
    let fault: DepartureSigningError?

    init(fault: DepartureSigningError? = nil) {
        self.fault = fault
    }

    func sign(_ departure: Departure) throws(DepartureSigningError) -> SignedDeparture {
        departures.withLock { $0.append(departure) }
        if let fault { throw fault }
        return SignedDeparture(fields: departure.nextHop.signing.isUnsigned ? [] : StubSigner.field)
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

        func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void) {
            let whole = kept.withLock { $0 }
            intake.kept.withLock { $0.append(whole) }
            intake.whenFinished.withLock { $0 }?()
            completion(intake.result)
        }

        func abort() {}
    }
}
