// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A `DKIM-Signature` field that a message has before it is signed.
package struct PresentSignature: Hashable, Sendable {
    /// The whole field with its CRLF, in the octets of the header section.
    package let octets: Range<Int>
    /// The `d=` tag in lower case; nil if the field is too damaged to have one.
    package let sdid: String?
}

extension HeaderFields {
    /// The signatures in this header section, whether they verify or not.
    package var presentSignatures: [PresentSignature] {
        let name = Array("dkim-signature".utf8)
        return fields.filter { isNamed($0, name) }.map { field in
            let tags = try? TagList(bytes, field.colon + 1..<field.octets.upperBound)
            return PresentSignature(
                octets: field.octets.lowerBound..<min(field.octets.upperBound + 2, bytes.count),
                sdid: tags?.compactText("d")?.lowercased())
        }
    }

    /// Whether there is a field of a name; case doesn't matter.
    package func contains(_ name: String) -> Bool {
        let name = name.utf8.map(HeaderCanonicalization.lowercase)
        return fields.contains { isNamed($0, name) }
    }
}
