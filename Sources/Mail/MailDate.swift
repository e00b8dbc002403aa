// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// MailDate is in charge of the date-time of a header field (RFC 5322 §3.3); it never asks a clock or a time zone:
/// Waxwing writes UTC.
package enum MailDate {
    private static let days = Array("MonTueWedThuFriSatSun".utf8)
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// Such as `Mon, 23 Nov 2026 09:05:00 +0000`.
    package static func text(_ moment: Timestamp) -> String {
        var bytes: [UInt8] = []
        append(moment, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package static func append(_ moment: Timestamp, to bytes: inout [UInt8]) {
        // RFC 5322 §3.3 has no years before 1900 and only four digits are understood by all: clocks that are
        // that wrong get the nearest year that can be written.
        let seconds = min(max(moment.seconds, -2_208_988_800), 253_402_300_799)
        let day = floorDivision(seconds, 86400)
        let secondOfDay = seconds - day * 86400
        let date = civilDate(dayOfEpoch: day)
        let weekday = Int(day + 3 - floorDivision(day + 3, 7) * 7)  // 1970-01-01 was a Thursday.

        bytes.append(contentsOf: days[weekday * 3..<weekday * 3 + 3])
        bytes.append(UInt8(ascii: ","))
        bytes.append(UInt8(ascii: " "))
        if date.day >= 10 { appendDigit(date.day / 10, to: &bytes) }
        appendDigit(date.day % 10, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: months[(date.month - 1) * 3..<date.month * 3])
        bytes.append(UInt8(ascii: " "))
        appendTwoDigits(date.year / 100, to: &bytes)
        appendTwoDigits(date.year % 100, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        appendTwoDigits(Int(secondOfDay / 3600), to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendTwoDigits(Int(secondOfDay / 60 % 60), to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendTwoDigits(Int(secondOfDay % 60), to: &bytes)
        // RFC 5322 §3.3: "+0000" says UTC; "-0000" would say that the local time is not known.
        bytes.append(contentsOf: " +0000".utf8)
    }

    /// The Gregorian date of a day counted from 1970-01-01: years start in March here, so that the leap day is the last
    /// of its year and months follow a fixed pattern of 153 days in five.
    private static func civilDate(dayOfEpoch: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = dayOfEpoch + 719_468  // Days from 0000-03-01.
        let era = floorDivision(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(day))
    }

    private static func floorDivision(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }

    private static func appendTwoDigits(_ value: Int, to bytes: inout [UInt8]) {
        appendDigit(value / 10, to: &bytes)
        appendDigit(value % 10, to: &bytes)
    }

    private static func appendDigit(_ digit: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "0") + UInt8(digit))
    }
}
