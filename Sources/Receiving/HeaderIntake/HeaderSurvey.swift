// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// HeaderSurvey is in charge of what intake must know of a header section, found in one pass over its fields; it
/// refuses fields that stand more often than they may.
struct HeaderSurvey {
    private static let authenticationResults = FieldName("Authentication-Results")
    private static let from = FieldName("From")
    private static let received = FieldName("Received")
    private static let date = FieldName("Date")
    private static let messageID = FieldName("Message-ID")
    private static let listUnsubscribe = FieldName("List-Unsubscribe")
    private static let listUnsubscribePost = FieldName("List-Unsubscribe-Post")
    private static let feedbackID = FieldName("Feedback-ID")

    /// By its place among the fields.
    private(set) var from: Int?
    private(set) var receivedFields = 0
    /// By their places among the fields, in their order.
    private(set) var removed: [Int] = []
    /// Those that say how Waxwing is to treat the message.
    private(set) var controls: [HeaderSection.Field] = []
    /// Whether a field can't go out as it is.
    private(set) var needsRepair = false
    private(set) var hasDate = false
    private(set) var hasMessageID = false
    private(set) var listUnsubscribe: [HeaderSection.Field] = []
    private(set) var listUnsubscribePost: [HeaderSection.Field] = []
    private(set) var hasFeedbackID = false
    /// Where the newest resending starts; nil if the message was not resent.
    var resentStart: Int? { resendings.start }
    private var resendings = ResentBlocks()

    init(of header: HeaderSection, hostname: String) throws(IntakeRefusal) {
        // A bit for each known field.
        var seen: UInt64 = 0
        for (index, field) in header.fields.enumerated() {
            if let known = KnownField.index(of: field, in: header) {
                if KnownField.all[known].isRemoved {
                    // It does not count as part of a resending either.
                    removed.append(index)
                    continue
                }
                if KnownField.all[known].isUnique {
                    guard seen & 1 << known == 0 else {
                        throw .repeated(
                            KnownField.all[known].spelling, count: header.count(KnownField.all[known].name))
                    }
                    seen |= 1 << known
                }
                note(field, at: index, in: header, hostname: hostname)
            } else if HeaderSurvey.isControl(field, in: header) {
                removed.append(index)
                controls.append(field)
                continue
            }
            if field.needsRepair { needsRepair = true }
            try resendings.note(field, in: header)
        }
        try resendings.end()
        if let names = resendings.newestNames {
            hasDate = names.contains("resent-date")
            hasMessageID = names.contains("resent-message-id")
        }
    }

    private static func isControl(_ field: HeaderSection.Field, in header: HeaderSection) -> Bool {
        let prefix = ControlField.prefix.utf8
        return field.name.count >= prefix.count
            && header.bytes[field.name].prefix(prefix.count).elementsEqual(prefix) { $0 | 0x20 == $1 | 0x20 }
    }

    private mutating func note(
        _ field: HeaderSection.Field, at index: Int, in header: HeaderSection, hostname: String
    ) {
        if header.isNamed(field, HeaderSurvey.from) {
            from = index
        } else if header.isNamed(field, HeaderSurvey.received) {
            receivedFields += 1
        } else if header.isNamed(field, HeaderSurvey.date) {
            hasDate = true
        } else if header.isNamed(field, HeaderSurvey.messageID) {
            hasMessageID = true
        } else if header.isNamed(field, HeaderSurvey.listUnsubscribe) {
            listUnsubscribe.append(field)
        } else if header.isNamed(field, HeaderSurvey.listUnsubscribePost) {
            listUnsubscribePost.append(field)
        } else if header.isNamed(field, HeaderSurvey.feedbackID) {
            hasFeedbackID = true
        } else if header.isNamed(field, HeaderSurvey.authenticationResults),
            HeaderSurvey.authenticationService(of: field, in: header) == hostname.lowercased()
        {
            // RFC 8601 §5: nobody but this host may speak in its name.
            removed.append(index)
        }
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
}

extension HeaderSection.Field {
    /// Whether the field can't go out as it is, whatever its name.
    var needsRepair: Bool {
        isEightBit || longestLine > HeaderSection.maximumLineOctets || colon != name.upperBound
    }
}

extension HeaderSection {
    /// How many fields have a name.
    fileprivate func count(_ name: FieldName) -> Int {
        fields.count { isNamed($0, name) }
    }
}
