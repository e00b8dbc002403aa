// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns

/// TransactionSignature is in charge of TSIG (RFC 8945): it signs messages to a name server and checks that replies
/// come from somebody who has the same secret.
///
/// ldns signs too, but not with all algorithms (1.8 misspells hmac-sha384), and takes replies of any age and with
/// any algorithm.
struct TransactionSignature: Sendable {
    /// RFC 8945 §10: seconds that clocks may differ.
    static let fudge: UInt16 = 300
    private static let recordType: UInt16 = 250
    private static let anyClass: UInt16 = 255

    /// RFC 8945 §3.
    enum Problem: Int, Sendable {
        case badSignature = 16
        case badKey = 17
        case badTime = 18
        case badTruncation = 22
    }

    /// What a reply's TSIG record says; the reply is genuine only as `isGenuine`.
    struct Finding: Hashable, Sendable {
        /// What the server has against our own signature.
        var problem: Problem?
        /// The server's clock, with `badTime`, in seconds since 1970.
        var serverTime: UInt64?
        var isGenuine: Bool
    }

    private let algorithm: TSIGKey.Algorithm
    private let keyName: [UInt8]
    private let algorithmName: [UInt8]
    private let secret: [UInt8]

    /// Nil unless the key has a domain name and a secret in base64.
    init?(_ key: TSIGKey) {
        guard let keyName = LdnsName.octets(of: key.name),
            let algorithmName = LdnsName.octets(of: key.algorithm.rawValue), let secret = Self.decode(key.secret)
        else { return nil }
        self.algorithm = key.algorithm
        self.keyName = keyName
        self.algorithmName = algorithmName
        self.secret = secret
    }

    /// The message with its TSIG record, and the code that the reply's rests on.
    ///
    /// - Parameter requestCode: of the message that this replies to; nil: it is a request.
    func sign(
        _ message: [UInt8], after requestCode: [UInt8]? = nil, at time: UInt64
    ) -> (message: [UInt8], code: [UInt8]) {
        let code = code(over: message, after: requestCode, time: time, fudge: Self.fudge, error: 0, other: [])
        // RFC 8945 §4.2.
        let data =
            algorithmName + Self.octets(time, 6) + Self.octets(Self.fudge) + Self.octets(UInt16(code.count)) + code
            + message.prefix(2) + Self.octets(0) + Self.octets(0)
        let record =
            keyName + Self.octets(Self.recordType) + Self.octets(Self.anyClass) + Self.octets(0, 4)
            + Self.octets(UInt16(data.count)) + data
        return (Self.counting(message, by: 1) + record, code)
    }

    /// What the TSIG record of a reply says; nil if there is none.
    ///
    /// - Parameters:
    ///   - requestCode: of the message that this replies to.
    ///   - time: now.
    func check(_ reply: [UInt8], requestCode: [UInt8], at time: UInt64) -> Finding? {
        guard let record = ReplyMessage(reply)?.signature, record.fields.count == 7,
            // RFC 8945 §5.1: it must be the last.
            let start = ReplyMessage.lastRecord(in: reply)
        else { return nil }
        let fields = record.fields
        let error = Int(Self.number(fields[5]))
        var finding = Finding(problem: Problem(rawValue: error), isGenuine: false)
        // Behind their own lengths.
        let code = Array(fields[3].dropFirst(2))
        let other = Array(fields[6].dropFirst(2))
        let signed = Self.number(fields[1])
        if finding.problem == .badTime, other.count == 6 { finding.serverTime = Self.number(other) }
        guard let theirName = LdnsName.octets(of: record.owner), theirName == keyName,
            RecordData.name(fields[0]) == algorithm.rawValue, let fudge = UInt16(exactly: Self.number(fields[2]))
        else { return finding }
        // RFC 8945 §4.3.2: as it was before the record was added, with the original ID.
        let message = fields[4] + Self.counting(Array(reply[..<start]), by: -1).dropFirst(2)
        let expected = self.code(
            over: message, after: requestCode, time: signed, fudge: fudge, error: UInt16(truncatingIfNeeded: error),
            other: other)
        // RFC 8945 §5.2.3: with BADTIME the time is that of our own message.
        let difference = signed > time ? signed - time : time - signed
        finding.isGenuine =
            Self.areEqual(code, expected) && (difference <= UInt64(fudge) || finding.problem == .badTime)
        return finding
    }

    /// RFC 8945 §4.3.
    private func code(
        over message: [UInt8], after requestCode: [UInt8]?, time: UInt64, fudge: UInt16, error: UInt16, other: [UInt8]
    ) -> [UInt8] {
        let request = requestCode.map { Self.octets(UInt16($0.count)) + $0 } ?? []
        let variables =
            keyName + Self.octets(Self.anyClass) + Self.octets(0, 4) + algorithmName + Self.octets(time, 6)
            + Self.octets(fudge) + Self.octets(error) + Self.octets(UInt16(truncatingIfNeeded: other.count)) + other
        return KeyedHash.code(algorithm, key: secret, over: request + message + variables)
    }

    // MARK: Octets

    /// The message with one more or one fewer record in its additional section.
    private static func counting(_ message: [UInt8], by step: Int) -> [UInt8] {
        guard message.count >= 12 else { return message }
        let count = (Int(message[10]) << 8 | Int(message[11])) + step
        return message[..<10] + octets(UInt16(truncatingIfNeeded: count)) + message[12...]
    }

    private static func octets(_ number: UInt16) -> [UInt8] { octets(UInt64(number), 2) }

    private static func octets(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    private static func number(_ octets: [UInt8]) -> UInt64 { octets.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Takes the same time wherever they differ.
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func decode(_ text: String) -> [UInt8]? {
        var data: UnsafeMutablePointer<ldns_rdf>?
        guard !text.utf8.contains(0), unsafe ldns_str2rdf_b64(&data, text) == LDNS_STATUS_OK, let data = unsafe data
        else { return nil }
        defer { unsafe ldns_rdf_deep_free(data) }
        let octets = unsafe LdnsName.octets(of: data)
        return octets.isEmpty ? nil : octets
    }
}
