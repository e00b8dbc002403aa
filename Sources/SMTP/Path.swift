// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// A path as MAIL and RCPT carry it between angle brackets (RFC 5321 §4.1.2).
///
///     C: MAIL FROM:<@relay.example,@other.example:ada@example.com>
///
/// A source route is read and dropped (RFC 5321 §4.1.1.3, appendix C).
package enum Path: Hashable, Sendable {
    /// `<>`
    case null
    case mailbox(Mailbox)
    /// `<Postmaster>`, the one local-part that needs no domain (RFC 5321 §4.5.1), as it was written.
    case postmaster(String)

    /// Octets of a path with its brackets (RFC 5321 §4.5.3.1.3).
    package static let maximumOctets = 256
}

/// Why octets are not a path that Waxwing takes.
package enum PathError: Error, Hashable, Sendable {
    /// No brackets, or something between them that the grammar has not.
    case malformed
    /// A local-part of more than 64 octets, a domain of more than 253, a path of more than 256.
    case tooLong
    /// Octets above 127: an internationalised address (RFC 6531), which this session has not agreed on.
    case notASCII
    /// A local-part alone.
    case domainMissing
}

extension ByteScanner {
    /// Passes a path with its brackets.
    ///
    /// - Parameter completion: what a local-part alone gets; nil: it is refused.
    mutating func path(completion: Domain? = nil) throws(PathError) -> Path {
        guard skip(UInt8(ascii: "<")) else { throw rest.contains { $0 >= 0x80 } ? .notASCII : .malformed }
        let start = position
        if skip(UInt8(ascii: ">")) { return .null }
        try sourceRoute()
        let localPart = try localPart()
        if skip(UInt8(ascii: ">")) {
            if Array(localPart.utf8)[...].isEqual(anyCase: "POSTMASTER") { return .postmaster(localPart) }
            guard let completion else { throw .domainMissing }
            guard localPart.utf8.count <= Mailbox.maximumLocalPartOctets else { throw .tooLong }
            return .mailbox(Mailbox(localPart: localPart, host: .domain(completion)))
        }
        guard skip(UInt8(ascii: "@")) else { throw unexpected() }
        let host = try host()
        guard skip(UInt8(ascii: ">")) else { throw unexpected() }
        guard position - start + 1 <= Path.maximumOctets else { throw .tooLong }
        guard localPart.utf8.count <= Mailbox.maximumLocalPartOctets else { throw .tooLong }
        return .mailbox(Mailbox(localPart: localPart, host: host))
    }

    /// What to say of the octet that ends the scan.
    private func unexpected() -> PathError {
        (peek ?? 0) >= 0x80 ? .notASCII : .malformed
    }

    /// Passes `@a,@b:` if it is there.
    private mutating func sourceRoute() throws(PathError) {
        guard peek == UInt8(ascii: "@") else { return }
        repeat {
            guard skip(UInt8(ascii: "@")) else { throw unexpected() }
            _ = try host()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: ":")) else { throw unexpected() }
    }

    /// Passes a dot-string or a quoted string and returns it as it was written.
    private mutating func localPart() throws(PathError) -> String {
        let octets = peek == UInt8(ascii: "\"") ? try quotedString() : try dotString()
        return String(decoding: octets, as: UTF8.self)
    }

    private mutating func dotString() throws(PathError) -> ArraySlice<UInt8> {
        let start = position
        repeat {
            let atom = take(while: isAtomText)
            guard !atom.isEmpty else { throw unexpected() }
        } while skip(UInt8(ascii: "."))
        return bytes[start..<position]
    }

    private mutating func quotedString() throws(PathError) -> ArraySlice<UInt8> {
        let start = position
        _ = next()
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""):
                return bytes[start..<position]
            case UInt8(ascii: "\\"):
                // RFC 5321 §4.1.2: quoted-pairSMTP holds a space or a printable character.
                guard let escaped = next(), (0x20...0x7E).contains(escaped) else { throw .malformed }
            case 0x20...0x7E:
                break
            case 0x80...:
                throw .notASCII
            default:
                throw .malformed
            }
        }
        throw .malformed
    }

    private mutating func host() throws(PathError) -> Mailbox.Host {
        if peek == UInt8(ascii: "[") { return .literal(try addressLiteral()) }
        let name = take(while: isDomainText)
        guard name.count <= Domain.maximumOctets else { throw .tooLong }
        guard let domain = Domain(String(decoding: name, as: UTF8.self)) else { throw unexpected() }
        return .domain(domain)
    }

    /// Passes an address literal and returns it with its brackets (RFC 5321 §4.1.3).
    private mutating func addressLiteral() throws(PathError) -> String {
        let start = position
        _ = next()
        // dcontent: printable, without brackets and backslash. What is in it is the next hop's to interpret.
        let content = take { (0x21...0x7E).contains($0) && !(0x5B...0x5D).contains($0) }
        guard !content.isEmpty, skip(UInt8(ascii: "]")) else { throw unexpected() }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }
}

/// `atext` of RFC 5322 §3.2.3.
private func isAtomText(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
        UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
        UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
        UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
        true
    default:
        false
    }
}

private func isDomainText(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
    default:
        false
    }
}
