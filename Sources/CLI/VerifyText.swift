// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Relay

/// What verify found, for people.
enum VerifyText {
    static func of(_ document: VerifyDocument) -> String {
        if document.signatures.isEmpty { return "none: the message has no DKIM-Signature field\n" }
        var text = document.signatures.map(signature).joined()
        if let problem = document.authorProblem { text += "no author domain to align with: \(problem)\n" }
        return harmless(text)
    }

    /// What strangers wrote must not steer the terminal, nor hide or forge a line.
    private static func harmless(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar != "\n", .format, .lineSeparator, .paragraphSeparator:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func signature(_ signature: SignatureDocument) -> String {
        var text = signature.result
        if let domain = signature.domain, let selector = signature.selector, let algorithm = signature.algorithm {
            text += " d=\(domain) s=\(selector) a=\(algorithm)"
        }
        text += signature.reason.isEmpty ? "\n" : ": \(signature.reason)\n"
        if let key = signature.key { text += line("key", Self.key(key)) }
        if let body = signature.body { text += Self.body(body) }
        if let header = signature.header { text += Self.header(header) }
        if let alignment = signature.alignment {
            text += line("alignment", "\(alignment.mode.rawValue): \(alignment.text)")
        }
        if let signedAt = signature.signedAt { text += line("signed at", Moment.text(signedAt)) }
        if let expiresAt = signature.expiresAt { text += line("expires", Moment.text(expiresAt)) }
        return text
    }

    private static func key(_ key: KeyDocument) -> String {
        "\(key.kind ?? "none") at \(key.name)\(key.isTesting ? ", testing (t=y)" : "")"
    }

    private static func body(_ body: BodyDocument) -> String {
        let size = "\(body.octets) octets in canonical form"
        let rest = body.unsignedOctets > 0 ? ", the last \(body.unsignedOctets) unsigned (l=)" : ""
        if body.isIntact { return line("body", "intact, \(size)\(rest)") }
        return line("body", "differs, \(size)\(rest)") + line("  computed", body.computed)
            + line("  expected", body.expected) + (body.cause.map { line("  because", $0.text) } ?? "")
    }

    private static func header(_ header: HeaderDocument) -> String {
        var text = ""
        switch header.isIntact {
        case .some(true): text += line("header", "intact")
        case .some(false): text += line("header", "differs")
        case nil: text += line("header", "not known: there is no key to tell")
        }
        if let cause = header.cause { text += line("  because", cause.text) }
        text += line("signed", header.signed.joined(separator: " "))
        text += list("oversigned", header.oversigned)
        text += list("  absent", header.absent)
        text += list("not signed", header.unsigned)
        return text + list("  exposed", header.exposed)
    }

    private static func list(_ name: String, _ names: [String]) -> String {
        names.isEmpty ? "" : line(name, names.joined(separator: " "))
    }

    private static func line(_ name: String, _ value: String) -> String {
        "    \(name)\(String(repeating: " ", count: max(1, 12 - name.count)))\(value)\n"
    }
}
