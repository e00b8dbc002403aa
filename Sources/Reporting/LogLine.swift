// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging

/// One line of the log while it is made.
///
/// Values come from outside: they are escaped, so that no reply of a next hop can look like a line or a field of the
/// log.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// RFC 3339, in UTC.
    mutating func append(time: (seconds: Int, milliseconds: Int)) {
        let (days, second) = (time.seconds / 86_400, time.seconds % 86_400)
        let (year, month, day) = LogLine.date(days)
        append(digits: year, 4, then: "-")
        append(digits: month, 2, then: "-")
        append(digits: day, 2, then: "T")
        append(digits: second / 3600, 2, then: ":")
        append(digits: second / 60 % 60, 2, then: ":")
        append(digits: second % 60, 2, then: ".")
        append(digits: time.milliseconds, 3, then: "Z")
    }

    /// Year, month and day of the Gregorian calendar, for days since 1970-01-01.
    static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        // Years are counted from March: then the day that leap years add is the last of the year.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// `message key=value …`.
    mutating func appendText(_ message: String, _ metadata: Logger.Metadata) {
        appendEscaped(message, quote: nil)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            append(" \(key)=")
            let text = value.description
            let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
            if isPlain { append(text) } else { appendQuoted(text) }
        }
    }

    /// `,"message":"…","key":"value"`.
    mutating func appendMembers(_ message: String, _ metadata: Logger.Metadata) {
        append(",\"message\":")
        appendQuoted(message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            append(",")
            appendQuoted(key)
            append(":")
            appendQuoted(value.description)
        }
    }

    /// As a JSON string.
    private mutating func appendQuoted(_ text: String) {
        append("\"")
        appendEscaped(text, quote: UInt8(ascii: "\""))
        append("\"")
    }

    private mutating func appendEscaped(_ text: String, quote: UInt8?) {
        for byte in text.utf8 {
            if byte == quote || (byte == UInt8(ascii: "\\") && quote != nil) {
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            } else if byte < 0x20 || byte == 0x7F {
                let hex = String(byte, radix: 16)
                append("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex)
            } else {
                bytes.append(byte)
            }
        }
    }

    private mutating func append(digits number: Int, _ count: Int, then end: String) {
        let text = String(number)
        append(String(repeating: "0", count: max(0, count - text.utf8.count)) + text + end)
    }
}
