// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Dispatch
import Mail
import Signing

/// Throughput is in charge of signing many messages with several threads and of how long that takes.
struct Throughput {
    private static let header = Array(
        """
        From: "Billing of Example" <billing@bench.example>\r
        To: Jane Doe <jane.doe@recipient.example>\r
        Subject: Your invoice 2026-11-1234 is ready\r
        Date: Mon, 23 Nov 2026 09:05:00 +0000\r
        Message-ID: <0123456789ABC.7000000000000@bench.example>\r
        MIME-Version: 1.0\r
        Content-Type: text/plain; charset=utf-8\r

        """.utf8)

    var signer: Signer
    var nextHop: NextHop
    var threads: Int
    /// Of each thread.
    var messages: Int
    /// Where the next round goes on: a domain is met again when all others have been.
    private var position = 0

    init(signer: Signer, nextHop: NextHop, threads: Int, messages: Int) {
        self.signer = signer
        self.nextHop = nextHop
        self.threads = threads
        self.messages = messages
    }

    /// Messages a second, each of the next domain.
    mutating func run(over domains: [Domain]) throws -> Double {
        defer { position += messages }
        let hasher = try BodyHasher(.relaxed)
        hasher.append(Array("Hello.\r\n".utf8))
        let hash = BodyHash(canonicalization: .relaxed, digest: try hasher.finish())
        let clock = ContinuousClock()
        let start = clock.now
        let work = self
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for message in work.position..<(work.position + work.messages) {
                // Each thread at another place: they meet at no domain by plan.
                let author = domains[(thread * domains.count / work.threads + message) % domains.count]
                let departure = Departure(
                    queueID: QueueID(arrival: Timestamp(seconds: 0), distinguisher: 0),
                    envelope: Envelope(reversePath: .null, recipients: []), authorDomain: author,
                    headerSection: Self.header, bodyHashes: [hash], body: { _ in }, nextHop: work.nextHop)
                guard let signed = try? work.signer.sign(departure), !signed.fields.isEmpty else {
                    preconditionFailure("\(author) does not sign")
                }
            }
        }
        return Double(threads * messages) / (clock.now - start).asSeconds
    }
}

extension Duration {
    var asSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1_000_000_000_000_000_000
    }
}
