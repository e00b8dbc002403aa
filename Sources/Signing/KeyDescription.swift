// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import FoundationEssentials
internal import Mail

/// All that is known of one key except the private key: the content of `key.json`.
package struct KeyDescription: Codable, Hashable, Sendable {
    /// One change of state, in the order they happened.
    package struct Transition: Codable, Hashable, Sendable {
        package var time: Date
        /// Nil for the first.
        package var from: KeyState?
        package var to: KeyState
        /// Who did it, as far as that is known: a user's name.
        package var by: String
        /// What it rests on: the servers asked and what they said, or how the key came here.
        package var evidence: String?
        /// An active key that was forced without proof from the DNS.
        ///
        /// Absent is false.
        package var isUnproven: Bool?
        /// Something else than the state changed.
        ///
        /// Absent is false.
        package var isNote: Bool?
    }

    /// What a key that does not sign yet is for; without it nothing happens to the key by itself.
    package enum Purpose: String, Codable, Hashable, Sendable {
        /// Takes the place of the active key as soon as it may.
        case successor
        /// Stays published until it is needed.
        case standby
    }

    /// What the DNS showed when the key's record was looked at.
    package struct Proof: Codable, Hashable, Sendable {
        /// When every server showed the key for the first time ever.
        package var first: Date?
        /// The first of the looks since which none contradicted the key; nil after one that did.
        package var since: Date?
        package var checked: Date
        /// How many looks in a row contradicted the key.
        package var contradictions: Int
        package var evidence: KeyEvidence
    }

    /// What was last done to get a change of the record into DNS.
    package struct Publication: Codable, Hashable, Sendable {
        package enum Result: String, Codable, Hashable, Sendable {
            case submitted, byHand, failed
        }

        package var purpose: RecordChange.Purpose
        /// The `[[publisher]]`; nil: the operator.
        package var publisher: String?
        /// The first attempt.
        package var since: Date
        /// The last attempt.
        package var time: Date
        package var result: Result
        /// The evidence, or the error; empty when the operator was told what to do.
        package var text: String
        /// How many attempts failed in a row.
        package var failures: Int
    }

    /// Why an active key is not used to sign: the DNS does not show it.
    package struct Suspension: Codable, Hashable, Sendable {
        package var since: Date
        package var reason: String

        package init(since: Date, reason: String) {
            self.since = since
            self.reason = reason
        }
    }

    /// The version of this layout.
    package var version = 1
    package var domain: String
    package var selector: String
    /// A `KeyAlgorithm`, or `rsa-1024` and the like for imported keys.
    package var algorithm: String
    package var state: KeyState
    /// The text of the key record.
    package var record: String
    package var history: [Transition]
    package var purpose: Purpose?
    package var proof: Proof?
    package var publication: Publication?
    package var suspension: Suspension?
    /// Asked for: no waiting between the proof and the first signature.
    package var skipsWait: Bool?
    /// Counts the activations of the domain's keys, so that a clock set back can't change their order.
    package var activationNumber: Int?
    /// What became of the private key after the record was gone.
    package var privateKey: PrivateKeyFate?

    package enum PrivateKeyFate: String, Codable, Hashable, Sendable {
        case destroyed, disclosed
    }

    func json() throws(KeyError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw KeyError("the description of \(recordName) can't be written as JSON: \(error)")
        }
    }

    /// - Parameter path: for the error.
    init(json: [UInt8], path: String) throws(KeyError) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            self = try decoder.decode(KeyDescription.self, from: Data(json))
        } catch {
            throw KeyError("\(path) is damaged: restore it from a backup, or generate a new key")
        }
        guard version == 1 else { throw KeyError("\(path) has version \(version), which this Waxwing does not know") }
    }

    init(domain: Domain, selector: Selector, key: SigningKey, at time: Timestamp, by user: String, evidence: String?) {
        let algorithm =
            switch key.kind {
            case .ed25519: KeyAlgorithm.ed25519.rawValue
            case .rsa(let bits): "rsa-\(bits)"
            }
        self.init(
            domain: domain, selector: selector, algorithm: algorithm, record: key.keyRecord.text, at: time, by: user,
            evidence: evidence)
    }

    init(
        domain: Domain, selector: Selector, algorithm: String, record: String, at time: Timestamp, by user: String,
        evidence: String?
    ) {
        self.domain = domain.name
        self.selector = selector.text
        self.algorithm = algorithm
        self.state = .generated
        self.record = record
        self.history = [
            Transition(time: time.date, from: nil, to: .generated, by: user, evidence: evidence, isUnproven: nil)
        ]
    }
}
