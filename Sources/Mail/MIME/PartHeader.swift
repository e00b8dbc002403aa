// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// PartHeader is in charge of what the header of a message or of a body part says of its content, and of where the
/// fields stand that a change of the content changes.
struct PartHeader: Sendable {
    enum Role: Hashable, Sendable {
        /// A whole message: the one itself, or one inside `message/rfc822`.
        case message
        /// A part of a multipart (RFC 2046 §5.1).
        case bodyPart
    }

    /// Why content has to stay as it is.
    struct Obstacle: Hashable, Sendable {
        var status: EnhancedStatusCode
        /// Completes "… has a line of more than 998 octets, and …".
        var reason: String

        /// RFC 3463 §3.7: X.6.2, "conversion required and prohibited".
        static func prohibited(_ reason: String) -> Obstacle {
            Obstacle(status: EnhancedStatusCode(5, 6, 2), reason: reason)
        }
        /// RFC 3463 §3.7: X.6.3, "conversion required but not supported".
        static func unsupported(_ reason: String) -> Obstacle {
            Obstacle(status: EnhancedStatusCode(5, 6, 3), reason: reason)
        }
    }

    /// What the content is, as far as its transfer encoding goes.
    enum Kind: Hashable, Sendable {
        case multipart(boundary: [UInt8], isDigest: Bool)
        case message(isGlobal: Bool)
        case text
        case octets
        case quotedPrintable
        case base64
        case untouchable(Obstacle)
    }

    let role: Role
    /// It is the header section of the message itself, which is no part of the body.
    let isRoot: Bool
    let kind: Kind
    /// `type/subtype` in lower case, to be named in errors.
    let typeName: String
    /// The value of Content-Transfer-Encoding in lower case; nil without the field.
    let transferEncoding: String?
    let hasContentType: Bool
    let hasMIMEVersion: Bool
    /// Where Content-Transfer-Encoding stands.
    let transferEncodingFields: [Range<Int>]
    /// Where Content-MD5 and Content-Length stand.
    let staleFields: [Range<Int>]
    /// Behind the last field: where a new one goes.
    let insertion: Int
    /// No empty line follows the header yet.
    let lacksEmptyLine: Bool

    /// - Parameters:
    ///   - offset: Where the header starts; all places are counted from there.
    ///   - isRoot: It is the header section of the message itself.
    ///   - isInDigest: The default is `message/rfc822`, not `text/plain` (RFC 2046 §5.1.5).
    init(_ header: RawHeader, offset: Int, role: Role, isRoot: Bool, isInDigest: Bool, lacksEmptyLine: Bool) {
        let types = header.fields.filter { $0.name == "content-type" }
        let encodings = header.fields.filter { $0.name == "content-transfer-encoding" }
        let type = types.first.map { ParameterizedValue(header.value(of: $0)) }
        let typeName = type.map { PartHeader.printable($0.value) } ?? (isInDigest ? "message/rfc822" : "text/plain")
        let encodingNames = Set(encodings.map { PartHeader.token(header.value(of: $0)) })
        let transferEncoding = encodings.isEmpty ? nil : encodingNames.sorted().joined(separator: ", ")
        self.role = role
        self.isRoot = isRoot
        self.typeName = typeName
        self.transferEncoding = transferEncoding
        hasContentType = type != nil
        hasMIMEVersion = header.fields.contains { $0.name == "mime-version" }
        func places(_ fields: [RawHeader.Field]) -> [Range<Int>] {
            fields.map { $0.octets.lowerBound + offset..<$0.octets.upperBound + offset }
        }
        transferEncodingFields = places(encodings)
        staleFields = places(header.fields.filter { PartHeader.staleNames.contains($0.name) })
        insertion = offset + header.bytes.count
        self.lacksEmptyLine = lacksEmptyLine
        if encodingNames.count > 1 {
            kind = .untouchable(.unsupported("it has two Content-Transfer-Encoding fields that differ"))
        } else if Set(types.map { Array(header.value(of: $0)) }).count > 1 {
            kind = .untouchable(.unsupported("it has two Content-Type fields that differ"))
        } else {
            let kind = PartHeader.kind(typeName, type: type, transferEncoding: transferEncoding ?? "7bit")
            if case .message = kind, header.bytes.isEmpty, lacksEmptyLine {
                self.kind = .untouchable(.unsupported("no empty line tells its header from the message inside"))
            } else {
                self.kind = kind
            }
        }
    }

    private static let staleNames: Set<String> = ["content-length", "content-md5"]

    /// Whether a field is one that a change of the content replaces or takes away.
    static func isReplaced(_ field: RawHeader.Field) -> Bool {
        field.name == "content-transfer-encoding" || staleNames.contains(field.name)
    }

    /// What stands for no encoding at all.
    ///
    /// The last ones are mistakes that are often seen; every reader takes them for nothing else.
    private static let identities: Set<String> = [
        "7bit", "8bit", "binary", "", "7-bit", "8-bit", "7bits", "8bits", "utf-8", "utf8", "us-ascii", "ascii", "none",
        "plain", "text",
    ]

    private static func kind(_ typeName: String, type: ParameterizedValue?, transferEncoding: String) -> Kind {
        let names = typeName.split(separator: "/", omittingEmptySubsequences: false)
        let subtype = names.count == 2 ? names[1] : ""
        switch names[0] {
        case "multipart":
            return multipart(subtype, type: type)
        case "application" where subtype.hasPrefix("pkcs7-") || subtype.hasPrefix("x-pkcs7-"):
            return .untouchable(.prohibited("an S/MIME object is passed on octet by octet"))
        default:
            break
        }
        switch transferEncoding {
        // RFC 2045 §6.4 forbids these for messages; where they stand all the same, readers decode them.
        case "quoted-printable": return .quotedPrintable
        case "base64": return .base64
        case _ where !identities.contains(transferEncoding):
            let name = printable(Array(transferEncoding.utf8))
            return .untouchable(.unsupported("its transfer encoding \"\(name)\" is unknown"))
        default: break
        }
        guard names[0] == "message" else {
            // RFC 2045 §5.2: what has no valid type counts as text.
            return names[0] == "text" || names.count != 2 ? .text : .octets
        }
        switch subtype {
        case "rfc822", "news": return .message(isGlobal: false)
        case "global": return .message(isGlobal: true)
        // RFC 6533 §6: these may have any transfer encoding.
        case _ where subtype.hasPrefix("global-"): return .text
        // RFC 2046 §5.2.2 and §5.2.3, RFC 3464 §2, RFC 8098 §3, RFC 5965 §2: 7-bit, and not to be encoded.
        default: return .untouchable(.prohibited("its type admits no transfer encoding"))
        }
    }

    private static func multipart(_ subtype: Substring, type: ParameterizedValue?) -> Kind {
        // RFC 1847 §2.1 and §2.2: the octets are signed or encrypted as they are.
        if subtype == "signed" || subtype == "encrypted" {
            return .untouchable(.prohibited("encoding it anew would break what it was \(subtype) for"))
        }
        guard var boundary = type?.parameter("boundary") else {
            return .untouchable(.unsupported("its boundary parameter is missing or not clear"))
        }
        // RFC 2046 §5.1.1: a boundary does not end with white space.
        while let last = boundary.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") {
            boundary.removeLast()
        }
        guard (1...StructurePlanner.maximumBoundaryOctets).contains(boundary.count),
            boundary.allSatisfy({ (32...126).contains($0) || $0 == 9 })
        else {
            return .untouchable(.unsupported("its boundary parameter is empty, too long or not printable ASCII"))
        }
        return .multipart(boundary: boundary, isDigest: subtype == "digest")
    }

    /// The first token of a value in lower case.
    private static func token(_ value: ArraySlice<UInt8>) -> String {
        let value = ParameterizedValue(value).value
        return String(decoding: value, as: UTF8.self)
    }

    /// As much of a name from a message as may stand in a reply.
    static func printable(_ name: [UInt8]) -> String {
        String(decoding: name.prefix(80).map { (33...126).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
