// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM

/// The fields that an earlier attempt put in front of a message, taken apart to say whether they still serve.
struct KeptSignatures {
    /// A signature nearer to its `x=` than this is made anew.
    static let margin: Int64 = 86_400

    private let fields: [[UInt8]]

    /// Nil if `octets` don't end in what the next hop's profile adds, or what is before it are no fields.
    init?(_ octets: [UInt8], added: [UInt8]) {
        guard octets.count > added.count, octets.suffix(added.count) == added[...] else { return nil }
        var fields: [[UInt8]] = []
        var rest = octets.dropLast(added.count)
        while !rest.isEmpty {
            guard let end = Self.end(ofFieldIn: rest) else { return nil }
            fields.append(Array(rest[..<end]))
            rest = rest[end...]
        }
        self.fields = fields
    }

    /// After the CRLF that no white space follows.
    private static func end(ofFieldIn bytes: ArraySlice<UInt8>) -> Int? {
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            if bytes[index] == 13, bytes[index + 1] == 10 {
                let next = index + 2
                if next == bytes.endIndex || (bytes[next] != 32 && bytes[next] != 9) { return next }
            }
            index += 1
        }
        return nil
    }

    /// Whether these are the signatures that would be made now, but for their time: by the same keys, with the same
    /// tags, over the same fields and body; and good for a while.
    ///
    /// - Parameter lifetime: from `t=` to `x=`, in seconds.
    func serve(
        _ templates: [SignatureTemplate], header: HeaderFields, bodyHash: [UInt8], lifetime: Int64, now: Int64
    ) -> Bool {
        guard fields.count == templates.count else { return false }
        return zip(fields, templates).allSatisfy { field, template in
            guard let signature = template.recognize(field, of: header, bodyHash: bodyHash),
                let signedAt = signature.signedAt, let expiresAt = signature.expiresAt
            else { return false }
            // RFC 6376 §3.5 `t=`: verifiers may ignore a signature of the future, which a clock set back leaves.
            return signedAt <= now && expiresAt - signedAt == lifetime
                && expiresAt - now > min(Self.margin, lifetime / 2)
        }
    }
}
