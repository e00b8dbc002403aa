// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// RecordData reads the data of DNS records: octets from the network, so every length is checked before it is used.
///
/// Names inside are not compressed (libunbound and ldns have undone that).
enum RecordData {
    /// RFC 1035 §2.3.4.
    static let maximumNameOctets = 255
    static let maximumLabelOctets = 63

    /// A name that fills `data` exactly, in lower case, without a final dot; the root is empty.
    ///
    /// Nil if it is malformed. Octets that no host name has are written `\ddd` (RFC 1035 §5.1), so that they
    /// can't be taken for a dot or another name.
    static func name(_ data: some Collection<UInt8>) -> String? {
        guard data.count <= maximumNameOctets else { return nil }
        var text: [UInt8] = []
        var rest = data[...]
        while let length = rest.popFirst() {
            guard length > 0 else { return rest.isEmpty ? String(decoding: text, as: UTF8.self) : nil }
            guard length <= maximumLabelOctets, rest.count >= Int(length) else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            for octet in rest.prefix(Int(length)) { append(octet, to: &text) }
            rest = rest.dropFirst(Int(length))
        }
        return nil
    }

    private static func append(_ octet: UInt8, to text: inout [UInt8]) {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            text.append(octet | 0x20)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            text.append(octet)
        default:
            let digits = UInt8(ascii: "0")
            text += [UInt8(ascii: "\\"), digits + octet / 100, digits + octet / 10 % 10, digits + octet % 10]
        }
    }

    /// RFC 1035 §3.3.9: 16 bits of preference and a name.
    ///
    /// Nil if malformed.
    static func mailExchanger(_ data: [UInt8]) -> MXRecord? {
        guard data.count > 2, let host = name(data.dropFirst(2)) else { return nil }
        return MXRecord(preference: Int(data[0]) << 8 | Int(data[1]), host: host)
    }

    /// RFC 1035 §3.3.14: strings, each with its length before it; joined.
    ///
    /// Nil if malformed.
    static func text(_ data: [UInt8]) -> [UInt8]? {
        guard !data.isEmpty else { return nil }
        var joined: [UInt8] = []
        joined.reserveCapacity(data.count)
        var rest = data[...]
        while let length = rest.popFirst() {
            guard rest.count >= Int(length) else { return nil }
            joined += rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        return joined
    }
}
