// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// FieldTemplate is in charge of the value of a field with placeholders in it.
struct FieldTemplate: Hashable, Sendable {
    enum Placeholder: String, CaseIterable {
        case queueID = "queue-id"
        case app
        case authorDomain = "author-domain"
        case recipient
    }

    private enum Piece: Hashable {
        case text(String)
        case placeholder(Placeholder)
    }

    /// What a template is filled in from.
    struct Values {
        var queueID: QueueID
        var app: String
        var authorDomain: Domain
        /// Nil if the message has not exactly one recipient.
        var recipient: Mailbox?
    }

    let text: String
    private let pieces: [Piece]

    init(_ text: String, setting: String, allowed: [Placeholder]) throws(PatternError) {
        guard (1...ApplicationFields.maximumTemplateOctets).contains(text.utf8.count),
            text.utf8.allSatisfy({ (32...126).contains($0) }), text.utf8.first != 32, text.utf8.last != 32
        else {
            throw PatternError(
                "\(setting) is not 1 to \(ApplicationFields.maximumTemplateOctets) printable ASCII characters")
        }
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            let known = allowed.map { "{\($0.rawValue)}" }.joined(separator: ", ")
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
                throw PatternError("\(setting) has a brace without its other; placeholders are \(known)")
            }
            let name = String(rest[rest.index(after: open)..<close])
            guard let placeholder = Placeholder(rawValue: name), allowed.contains(placeholder) else {
                throw PatternError("\(setting) has the placeholder {\(name)}; known here are \(known)")
            }
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            pieces.append(.placeholder(placeholder))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.text = text
        self.pieces = pieces
    }

    /// Nil if a value is missing.
    func filled(with values: Values) -> String? {
        var result = ""
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .placeholder(.queueID): result += "\(values.queueID)"
            case .placeholder(.app): result += values.app
            case .placeholder(.authorDomain): result += values.authorDomain.name
            case .placeholder(.recipient):
                guard let recipient = values.recipient else { return nil }
                // All but the unreserved characters (RFC 3986 §2.3): nothing in a local-part is syntax of the URI.
                var octets: [UInt8] = []
                PercentEncoding.append(recipient.description.utf8, to: &octets)
                result += String(decoding: octets, as: UTF8.self)
            }
        }
        return result
    }
}
