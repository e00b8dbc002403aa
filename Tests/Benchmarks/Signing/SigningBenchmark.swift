// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Glibc

/// What a signature costs beside the operations of OpenSSL that it can't do without: one JSON line a case.
///
/// Each case is measured in turns with what it is compared with; the ratio is that of the fastest rounds of both.
@main
struct SigningBenchmark {
    static func main() throws {
        var areMet = true
        let key = try SigningKey.generate(.rsa(bits: 2048))
        let raw = try RawRSA(pem: key.pem())
        let message = Samples.message(octets: 4096)
        for (name, isChecking, limit) in [("sign-4k", false, 1.15), ("sign-4k-checked", true, 1.25)] {
            let template = try SignatureTemplate(sdid: "bench.example", selector: "s1", key: key)
            let comparison = Comparison(rounds: 600)
            let result = try comparison.run {
                try sign(message, with: template, isChecking: isChecking)
            } and: {
                try raw.sign()
            }
            areMet =
                report(
                    "\"case\":\"\(name)\",\"microseconds\":\(result.micros.rounded()),"
                        + "\"raw_rsa_microseconds\":\(result.otherMicros.rounded())",
                    ratio: result.ratio, limit: limit, isMet: result.ratio <= limit) && areMet
        }
        for (shape, body) in Samples.bodies {
            for (canonicalization, limit) in [(Canonicalization.relaxed, 0.2), (.simple, 0.6)] {
                let comparison = Comparison(rounds: 200)
                let result = try comparison.run {
                    let hasher = try BodyHasher(canonicalization)
                    hasher.append(body)
                    keep(try hasher.finish())
                } and: {
                    try RawSHA256.hash(body)
                }
                // In throughput: the smaller the time, the larger the ratio.
                let ratio = 1 / result.ratio
                let rate = Double(body.count) / Double(1 << 20) / (result.micros / 1_000_000)
                let rawRate = Double(body.count) / Double(1 << 20) / (result.otherMicros / 1_000_000)
                areMet =
                    report(
                        "\"case\":\"hash-1m-\(canonicalization.name)-\(shape)\",\"mib_per_second\":\(rate.rounded()),"
                            + "\"raw_sha256_mib_per_second\":\(rawRate.rounded())",
                        ratio: ratio, limit: limit, isMet: ratio >= limit) && areMet
            }
        }
        exit(areMet ? 0 : 1)
    }

    /// All that departs on a signature: the fields found, the body hashed, the field made.
    private static func sign(_ message: Samples.Message, with template: SignatureTemplate, isChecking: Bool) throws {
        let hasher = try BodyHasher(.relaxed)
        hasher.append(message.body)
        let field = try template.sign(
            HeaderFields(message.headerSection), bodyHash: hasher.finish(), signedAt: 1_795_424_700,
            expiresAt: 1_796_029_500, checking: isChecking)
        keep(field)
    }

    private static func report(_ members: String, ratio: Double, limit: Double, isMet: Bool) -> Bool {
        let rounded = (ratio * 1000).rounded() / 1000
        print("{\(members),\"ratio\":\(rounded),\"limit\":\(limit),\"met\":\(isMet)}")
        return isMet
    }
}

/// Keeps the optimiser from dropping what nobody reads.
@inline(never)
func keep(_ bytes: [UInt8]) {
    precondition(!bytes.isEmpty)
}
