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

    /// Whether the key is active and was forced without proof.
    package var isUnproven: Bool {
        state == .active && history.last { $0.to == .active }?.isUnproven == true
    }

    /// When the key last became active; the Unix epoch if never.
    var activationTime: Date {
        history.last { $0.to == .active && $0.from != .active }?.time ?? Date(timeIntervalSince1970: 0)
    }

    var isEd25519: Bool { algorithm == KeyAlgorithm.ed25519.rawValue }

    /// `<selector>._domainkey.<domain>`.
    package var recordName: String { "\(selector)._domainkey.\(domain)" }

    mutating func move(
        to state: KeyState, at time: Timestamp, by user: String, evidence: String?, isUnproven: Bool = false
    ) {
        history.append(
            Transition(
                time: Date(timeIntervalSince1970: Double(time.seconds)), from: self.state, to: state, by: user,
                evidence: evidence, isUnproven: isUnproven ? true : nil))
        self.state = state
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
        self.domain = domain.name
        self.selector = selector.text
        switch key.kind {
        case .ed25519: self.algorithm = KeyAlgorithm.ed25519.rawValue
        case .rsa(let bits): self.algorithm = "rsa-\(bits)"
        }
        self.state = .generated
        self.record = key.keyRecord.text
        self.history = [
            Transition(
                time: Date(timeIntervalSince1970: Double(time.seconds)), from: nil, to: .generated, by: user,
                evidence: evidence, isUnproven: nil)
        ]
    }
}
