// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why text is not a key record that can be used.
public enum KeyRecordError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a tag list, or without `p=`.
    case malformed(String)
    /// A `v=` that is not the first tag, or not `DKIM1` (RFC 6376 §3.6.1).
    case version
    /// A `k=` that this library doesn't know.
    case keyType(String)
    /// `p=` holds no key of the type that `k=` names.
    case publicKey(String)

    /// One line.
    public var description: String {
        switch self {
        case .malformed(let reason): "malformed key record: \(reason)"
        case .version: "the key record's version must be DKIM1 and stand first"
        case .keyType(let name): "the key record's type \"\(name)\" is unknown"
        case .publicKey(let reason): "the key record's public key is unusable: \(reason)"
        }
    }
}

/// A key record (RFC 6376 §3.6.1, RFC 8463 §4): what stands in DNS, as text, at
/// `<selector>._domainkey.<sdid>`.
public struct KeyRecord: Hashable, Sendable {
    /// The key; nil if it is **revoked**, which an empty `p=` says.
    public var publicKey: PublicKey?
    /// `t=y`: the domain is testing DKIM.
    public var isTesting: Bool
    /// `t=s`: the domain of `i=` must be that of `d=`, not one below it.
    public var forbidsSubdomains: Bool
    /// `h=`: the hash algorithms that may be used; nil allows all.
    public var hashAlgorithms: [String]?
    /// `s=`: the services that the key is for; nil allows all.
    public var services: [String]?
    /// `k=`: `rsa` or `ed25519`.
    public var keyType: String

    /// The record to publish for a key.
    public init(publicKey: PublicKey) {
        self.publicKey = publicKey
        self.isTesting = false
        self.forbidsSubdomains = false
        self.hashAlgorithms = nil
        self.services = nil
        self.keyType = publicKey.kind.keyType
    }

    /// The record that says that a key was revoked (RFC 6376 §3.6.1 `p=`).
    public static func revoked(keyType: String = "rsa") -> KeyRecord {
        KeyRecord(revokedKeyType: keyType)
    }

    private init(revokedKeyType: String) {
        self.publicKey = nil
        self.isTesting = false
        self.forbidsSubdomains = false
        self.hashAlgorithms = nil
        self.services = nil
        self.keyType = revokedKeyType
    }

    /// Reads the text of a record, its character strings joined without anything between (RFC 6376 §3.6.2.2).
    public init(_ text: String) throws(KeyRecordError) {
        try self.init(Array(text.utf8))
    }

    /// Reads the octets of a record.
    public init(_ octets: [UInt8]) throws(KeyRecordError) {
        let tags: TagList
        do {
            tags = try TagList(octets)
        } catch {
            throw .malformed(error.text)
        }
        if let version = tags.text("v") {
            // RFC 6376 §3.6.1: "If specified, this tag MUST be set to 'DKIM1' … This tag MUST be the first tag".
            guard version == "DKIM1", tags.tags.first?.name == "v" else { throw .version }
        }
        self.keyType = tags.text("k") ?? "rsa"
        guard ["rsa", "ed25519"].contains(keyType) else { throw .keyType(keyType) }
        self.hashAlgorithms = tags.elements("h")
        self.services = tags.elements("s")
        let flags = tags.elements("t") ?? []
        self.isTesting = flags.contains("y")
        self.forbidsSubdomains = flags.contains("s")
        guard let data = tags["p"] else { throw .malformed("no p= in it") }
        self.publicKey = data.value.isEmpty ? nil : try KeyRecord.key(octets[data.value], keyType: keyType)
    }

    /// Whether a signature for mail with SHA-256 may rest on this record (RFC 6376 §3.6.1 `h=`, `s=`).
    public var allowsMail: Bool { useProblem == nil }

    /// Why no signature for mail may rest on this record.
    var useProblem: String? {
        if let hashAlgorithms, !hashAlgorithms.contains("sha256") {
            return "its h=\(hashAlgorithms.joined(separator: ":")) lacks sha256"
        }
        if let services, !services.contains(where: { $0 == "*" || $0 == "email" }) {
            return "its s=\(services.joined(separator: ":")) lacks email"
        }
        return nil
    }

    /// The record as text: `v=DKIM1; k=rsa; p=…`.
    public var text: String {
        var text = "v=DKIM1; k=\(keyType); "
        if let hashAlgorithms { text += "h=\(hashAlgorithms.joined(separator: ":")); " }
        if let services { text += "s=\(services.joined(separator: ":")); " }
        let flags = [isTesting ? "y" : nil, forbidsSubdomains ? "s" : nil].compactMap { $0 }
        if !flags.isEmpty { text += "t=\(flags.joined(separator: ":")); " }
        return text + "p=\(publicKey?.description ?? "")"
    }

    /// The text in pieces of at most 255 octets, the character strings of a TXT record (RFC 1035 §3.3.14).
    public var characterStrings: [String] {
        let octets = Array(text.utf8)
        return stride(from: 0, to: octets.count, by: KeyRecord.characterStringOctets).map { start in
            String(decoding: octets[start..<min(start + KeyRecord.characterStringOctets, octets.count)], as: UTF8.self)
        }
    }

    /// RFC 1035 §3.3: what the one length octet of a character string can count.
    public static let characterStringOctets = 255

    private static func key(_ text: ArraySlice<UInt8>, keyType: String) throws(KeyRecordError) -> PublicKey {
        guard let octets = Base64.decode(text) else { throw .publicKey("its base64 is damaged") }
        let pointer: KeyPointer?
        if keyType == "ed25519" {
            // RFC 8463 §4.2: the bare key. A SubjectPublicKeyInfo here is a common mistake.
            guard octets.count == 32 else {
                // RFC 8410 §4: twelve octets before the key.
                let advice =
                    octets.count == 44 && octets.starts(with: ed25519Prefix)
                    ? ": publish its last 32, without the SubjectPublicKeyInfo around them" : ""
                throw .publicKey("an Ed25519 key has 32 octets, not \(octets.count)\(advice)")
            }
            pointer = KeyPointer.publicKey(ed25519: octets)
        } else {
            // RFC 6376 §3.6.1 asks for RSAPublicKey, its examples and the world use SubjectPublicKeyInfo.
            pointer =
                KeyPointer.publicKey(subjectPublicKeyInfo: octets) ?? KeyPointer.publicKey(pkcs1: octets)
        }
        guard let pointer else {
            if let whole = lengthOfDER(octets), whole > octets.count {
                throw .publicKey(
                    "it is cut off: \(octets.count) of \(whole) octets are there, "
                        + "so a part of the TXT record is missing")
            }
            throw .publicKey("not a key of the type \(keyType)")
        }
        let key: PublicKey
        do { key = try PublicKey(pointer) } catch { throw .publicKey(error.description) }
        guard key.kind.keyType == keyType else { throw .publicKey("it is of the type \(key.kind.keyType)") }
        return key
    }

    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
    ]

    /// How long a DER sequence says that it is (ITU-T X.690 §8.1.3).
    private static func lengthOfDER(_ octets: [UInt8]) -> Int? {
        guard octets.count >= 2, octets[0] == 0x30 else { return nil }
        if octets[1] < 0x80 { return 2 + Int(octets[1]) }
        let count = Int(octets[1] & 0x7F)
        guard (1...3).contains(count), octets.count >= 2 + count else { return nil }
        return octets[2..<(2 + count)].reduce(0) { $0 << 8 | Int($1) } + 2 + count
    }
}
