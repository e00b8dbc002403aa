// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What a rendition of a message is made for.
package enum RenditionGoal: Hashable, Sendable {
    /// At rest: no line over 998 octets; octets above 127 stay.
    case shortLines
    /// For a next hop without 8BITMIME (RFC 6152 §3): no octet above 127 either.
    case sevenBit
}

/// Why a message has no rendition: what must change may not, or can't without a guess.
package struct RenditionError: Error, Hashable, Sendable {
    /// Class 5, subject 6 (RFC 3463 §3.7).
    package var status: EnhancedStatusCode
    /// What is wrong, where, and what to do about it; completes "Message refused: …." in printable ASCII.
    package var text: String

    package init(status: EnhancedStatusCode, text: String) {
        self.status = status
        self.text = text
    }
}

/// Rendition is in charge of the form of a message that a goal asks for: which parts of it get another transfer
/// encoding (RFC 2045 §6), and what its header fields then say.
///
/// A rendition decodes to the same parts as the original. Only leaf parts are encoded, also within `multipart/*`
/// and `message/rfc822`; what is inside `multipart/signed`, `multipart/encrypted` and `application/pkcs7-*` is never
/// touched, because somebody else's signature covers its octets.
package struct Rendition: Hashable, Sendable {
    /// The header section with the CRLF of its last field, without the empty line.
    ///
    /// With Content-Transfer-Encoding and MIME-Version as the body needs them; without Content-MD5 and
    /// Content-Length, which tell of the original.
    package let headerSection: [UInt8]
    /// In the order of the body, without overlap.
    let edits: [BodyEdit]

    init(headerSection: [UInt8], edits: [BodyEdit]) {
        self.headerSection = headerSection
        self.edits = edits
    }

    /// Writes the body of the rendition as the original passes; any number of them write the same octets.
    package func makeEncoder() -> RenditionEncoder {
        RenditionEncoder(edits: edits)
    }

    /// Reads the body of the rendition from a reader of the original.
    package func body(_ original: @escaping BodyReader) -> BodyReader {
        { consume in
            var encoder = makeEncoder()
            var output: [UInt8] = []
            func hand(on output: inout [UInt8]) throws {
                if !output.isEmpty { try consume(output[...]) }
                output.removeAll(keepingCapacity: true)
            }
            try original { piece in
                var rest = piece
                while !rest.isEmpty {
                    encoder.append(rest.prefix(Rendition.pieceOctets), to: &output)
                    rest = rest.dropFirst(Rendition.pieceOctets)
                    try hand(on: &output)
                }
            }
            encoder.finish(to: &output)
            try hand(on: &output)
        }
    }

    /// So that a body in one piece does not become three times its size in memory.
    private static let pieceOctets = 32 * 1024
}
