// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// HeaderSurvey is in charge of what intake must know of a header section, found in one pass over its fields.
struct HeaderSurvey {
    private static let removedNames = ["Bcc", "Resent-Bcc", "Return-Path", "Content-Length"].map { FieldName($0) }
    private static let authenticationResults = FieldName("Authentication-Results")
    private static let from = FieldName("From")
    private static let received = FieldName("Received")
    private static let date = FieldName("Date")
    private static let messageID = FieldName("Message-ID")

    var from: [HeaderSection.Field] = []
    var receivedFields = 0
    var removed: [Range<Int>] = []
    var hasDate = false
    var hasMessageID = false
    /// The fields of the newest resending; nil if the message was not resent.
    var topResentBlock: ResentBlock?

    struct ResentBlock {
        var start: Int
        var names: Set<String> = []
        var isOpen = true
    }

    init(of header: HeaderSection, hostname: String) {
        var hasOriginalDate = false
        var hasOriginalMessageID = false
        for field in header.fields {
            if HeaderSurvey.removedNames.contains(where: { header.isNamed(field, $0) }) {
                // It does not count as part of a resending either.
                removed.append(field.octets)
                continue
            } else if header.isNamed(field, HeaderSurvey.from) {
                from.append(field)
            } else if header.isNamed(field, HeaderSurvey.received) {
                receivedFields += 1
            } else if header.isNamed(field, HeaderSurvey.date) {
                hasOriginalDate = true
            } else if header.isNamed(field, HeaderSurvey.messageID) {
                hasOriginalMessageID = true
            } else if header.isNamed(field, HeaderSurvey.authenticationResults),
                HeaderSurvey.authenticationService(of: field, in: header) == hostname.lowercased()
            {
                // RFC 8601 §5: nobody but this host may speak in its name.
                removed.append(field.octets)
            }
            noteResent(field, in: header)
        }
        hasDate = topResentBlock?.names.contains("resent-date") ?? hasOriginalDate
        hasMessageID = topResentBlock?.names.contains("resent-message-id") ?? hasOriginalMessageID
    }

    /// RFC 5322 §3.6.6: each resending prepends a block, in which no name stands twice.
    private mutating func noteResent(_ field: HeaderSection.Field, in header: HeaderSection) {
        guard topResentBlock?.isOpen ?? true else { return }
        let isResent =
            field.name.count > 7
            && header.bytes[field.name].prefix(7).elementsEqual("Resent-".utf8) {
                $0 | 0x20 == $1 | 0x20
            }
        guard isResent else {
            topResentBlock?.isOpen = false
            return
        }
        var block = topResentBlock ?? ResentBlock(start: field.octets.lowerBound)
        if !block.names.insert(header.name(of: field).lowercased()).inserted { block.isOpen = false }
        topResentBlock = block
    }

    /// The authserv-id that an Authentication-Results field starts with (RFC 8601 §2.2), in lower case.
    private static func authenticationService(of field: HeaderSection.Field, in header: HeaderSection) -> String? {
        let value = header.value(of: field)
        var depth = 0
        var word = ""
        for character in value.unicodeScalars {
            switch character {
            case "(": depth += 1
            case ")": depth -= 1
            case ";" where depth == 0: return word.lowercased()
            case " ", "\t":
                if !word.isEmpty, depth == 0 { return word.lowercased() }
            case "\"": continue
            default:
                if depth == 0 { word.unicodeScalars.append(character) }
            }
        }
        return word.lowercased()
    }

    /// Appends what stays of the octets from `position` to `end`.
    func copy(_ header: HeaderSection, from position: inout Int, upTo end: Int, to output: inout [UInt8]) {
        for range in removed where range.lowerBound >= position && range.lowerBound < end {
            output += header.bytes[position..<range.lowerBound]
            position = range.upperBound
        }
        guard position < end else { return }
        output += header.bytes[position..<end]
        position = end
    }
}
