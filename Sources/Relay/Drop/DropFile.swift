// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import SMTP

/// DropFile is in charge of the form of a message in the drop directory: an envelope of lines, an empty line, the content.
///
///     waxwing-drop 1
///     mail-from <ada@example.com>
///     rcpt-to <you@example.net>
///     octets 1234
///
///     From: ada@example.com␍␊
///     …
///
/// The lines of the envelope end with LF: the version, which changes with anything else in this form; one `mail-from`,
/// `<>` for the null reverse-path; one `rcpt-to` or more; the length of the content, which ends with the file. Paths are
/// those of MAIL and RCPT (RFC 5321 §4.1.2). The content is as on the wire, with CRLF line ends and without transparency
/// dots.
struct DropFile: Hashable, Sendable {
    static let firstLine = "waxwing-drop 1"
    /// Of the envelope: so many recipients fit in always.
    static let maximumEnvelopeOctets = 4 << 20
    private static let maximumLineOctets = 4096

    var envelope: Envelope
    /// Octets of the content.
    var contentOctets: Int

    /// The envelope as it stands in the file; the content follows.
    var head: [UInt8] {
        var text = DropFile.firstLine + "\nmail-from <\(envelope.reversePath)>\n"
        for recipient in envelope.recipients { text += "rcpt-to <\(recipient)>\n" }
        return Array("\(text)octets \(contentOctets)\n\n".utf8)
    }

    /// Reads the envelope at the start of a file; nil if more of the file is needed.
    ///
    /// - Returns: the envelope and how many octets it takes.
    static func parse(_ bytes: [UInt8]) throws(DropFault) -> Parsed? {
        var lines = LineReader(bytes: bytes)
        guard let first = try lines.next() else { return nil }
        guard first == firstLine else {
            throw .malformed("it does not start with \"\(firstLine)\"")
        }
        guard let sender = try lines.next() else { return nil }
        guard let reversePath = value(of: sender, "mail-from").flatMap(reversePath) else {
            throw .malformed("its second line is no mail-from with a path")
        }
        var recipients: [Mailbox] = []
        while true {
            guard let line = try lines.next() else { return nil }
            if let text = value(of: line, "octets"), !recipients.isEmpty {
                guard let octets = Int(text), octets >= 0, "\(octets)" == text else {
                    throw .malformed("the length of its content is no number")
                }
                guard let empty = try lines.next() else { return nil }
                guard empty.isEmpty else { throw .malformed("no empty line ends its envelope") }
                let envelope = Envelope(reversePath: reversePath, recipients: recipients)
                return Parsed(file: DropFile(envelope: envelope, contentOctets: octets), octets: lines.position)
            }
            guard let text = value(of: line, "rcpt-to"), case .mailbox(let mailbox)? = Path(text) else {
                throw .malformed("line \(lines.number) of its envelope is no rcpt-to with a path")
            }
            recipients.append(mailbox)
        }
    }

    struct Parsed: Hashable, Sendable {
        var file: DropFile
        /// Where the content starts.
        var octets: Int
    }

    private static func value(of line: String, _ key: String) -> String? {
        line.hasPrefix(key + " ") ? String(line.dropFirst(key.count + 1)) : nil
    }

    private static func reversePath(_ text: String) -> ReversePath? {
        switch Path(text) {
        case .null: .null
        case .mailbox(let mailbox): .mailbox(mailbox)
        case .postmaster, nil: nil
        }
    }

    private struct LineReader {
        let bytes: [UInt8]
        var position = 0
        var number = 0

        mutating func next() throws(DropFault) -> String? {
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
                guard bytes.count - position <= DropFile.maximumLineOctets, bytes.count < DropFile.maximumEnvelopeOctets
                else { throw .malformed("its envelope does not end") }
                return nil
            }
            let line = bytes[position..<end]
            position = end + 1
            number += 1
            guard line.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw .malformed("line \(number) of its envelope is not printable ASCII")
            }
            return String(decoding: line, as: UTF8.self)
        }
    }
}

/// Why something in the drop directory is not taken.
enum DropFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a message that sendmail wrote: set aside.
    case malformed(String)
    /// The disk or the system: tried again.
    case system(String)
    /// It went away.
    case gone

    var description: String {
        switch self {
        case .malformed(let text), .system(let text): text
        case .gone: "it is gone"
        }
    }
}
