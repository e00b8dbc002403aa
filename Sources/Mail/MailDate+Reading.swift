// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension MailDate {
    /// The moment that a text names, as a header field has it (RFC 5322 §3.3) or in the form of RFC 3339.
    ///
    ///     Mon, 23 Nov 2026 09:05:00 +0100 (CET)
    ///     2026-11-23T09:05:00+01:00
    ///
    /// Nil if it is neither, or no such moment is in the calendar: also where the day of the week is another one.
    package static func moment(_ text: String) -> Timestamp? {
        var reader = DateReader(text.utf8)
        let start = reader
        if let moment = reader.internetMoment() { return moment }
        reader = start
        return reader.headerMoment()
    }

    /// The inverse of `civilDate`; nil if the calendar has no such day.
    fileprivate static func dayOfEpoch(year: Int, month: Int, day: Int) -> Int64? {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        // As there, years start in March, and months follow a pattern of 153 days in five.
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let shiftedMonth = Int64((month + 9) % 12)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
        return 365 * shiftedYear + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400 + dayOfYear - 719_468
    }
}

/// Reads a date from its start; each method passes what it reads, and is nil where something else stands.
private struct DateReader {
    private var rest: Substring.UTF8View

    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    /// RFC 5322 §4.3, in hours; other names mean nothing there.
    private static let zones = [
        "ut": 0, "utc": 0, "gmt": 0, "z": 0, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7,
        "pdt": -7, "pst": -8,
    ]

    init(_ text: String.UTF8View) {
        rest = Substring(String(text)).utf8
    }

    /// RFC 3339 §5.6; it allows a space for the T.
    mutating func internetMoment() -> Timestamp? {
        guard let year = number(4...4), skip("-"), let month = number(2...2), skip("-"), let day = number(2...2),
            skip("T") || skip("t") || skip(" "),
            let dayOfEpoch = MailDate.dayOfEpoch(year: year, month: month, day: day),
            let second = timeOfDay(needsSeconds: true)
        else { return nil }
        var milliseconds = 0
        if skip(".") {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty else { return nil }
            let known = (Array(digits.prefix(3)) + [UInt8](repeating: UInt8(ascii: "0"), count: 3)).prefix(3)
            milliseconds = known.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            rest = rest.dropFirst(digits.count)
        }
        let offset = skip("Z") || skip("z") ? 0 : numericZone(hasColon: true)
        guard let offset, rest.isEmpty else { return nil }
        return Timestamp(seconds: dayOfEpoch * 86_400 + Int64(second - offset))
            .advanced(byMilliseconds: Int64(milliseconds))
    }

    /// RFC 5322 §3.3, with a comment at its end, as many programs write one.
    mutating func headerMoment() -> Timestamp? {
        var weekday: Int?
        skipSpaces()
        if let named = word(of: DateReader.days) {
            guard skip(",") else { return nil }
            weekday = named
        }
        skipSpaces()
        guard let day = number(1...2), skipSpaces(), let month = word(of: DateReader.months), skipSpaces(),
            let year = number(4...4), skipSpaces(),
            let dayOfEpoch = MailDate.dayOfEpoch(year: year, month: month + 1, day: day),
            let second = timeOfDay(needsSeconds: false), skipSpaces(), let offset = zone()
        else { return nil }
        if let weekday, (dayOfEpoch + 3) % 7 != weekday, dayOfEpoch >= -3 { return nil }
        skipSpaces()
        if skip("(") {
            rest = rest.drop { $0 != UInt8(ascii: ")") }
            guard skip(")") else { return nil }
        }
        skipSpaces()
        guard rest.isEmpty else { return nil }
        return Timestamp(seconds: dayOfEpoch * 86_400 + Int64(second - offset))
    }

    private mutating func timeOfDay(needsSeconds: Bool) -> Int? {
        guard let hour = number(2...2), hour < 24, skip(":"), let minute = number(2...2), minute < 60 else {
            return nil
        }
        var second = 0
        if skip(":") {
            // A leap second is the first of the next minute here, as in the system's clock.
            guard let given = number(2...2), given <= 60 else { return nil }
            second = given
        } else if needsSeconds {
            return nil
        }
        return hour * 3600 + minute * 60 + second
    }

    private mutating func zone() -> Int? {
        if let offset = numericZone(hasColon: false) { return offset }
        let name = rest.prefix(while: DateReader.isLetter)
        guard let hours = DateReader.zones[String(Substring(name)).lowercased()] else { return nil }
        rest = rest.dropFirst(name.count)
        return hours * 3600
    }

    /// In seconds east of UTC.
    private mutating func numericZone(hasColon: Bool) -> Int? {
        let isEast = skip("+")
        guard isEast || skip("-"), let hours = number(2...2), hours < 24, !hasColon || skip(":"),
            let minutes = number(2...2), minutes < 60
        else { return nil }
        return (isEast ? 1 : -1) * (hours * 3600 + minutes * 60)
    }

    private mutating func word(of words: [String]) -> Int? {
        let letters = rest.prefix(while: DateReader.isLetter)
        guard let index = words.firstIndex(of: String(Substring(letters)).lowercased()) else { return nil }
        rest = rest.dropFirst(letters.count)
        return index
    }

    private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        let found = rest.prefix(digits.upperBound).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits.contains(found.count) else { return nil }
        rest = rest.dropFirst(found.count)
        return found.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    @discardableResult
    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Always true, so that it may stand in a condition.
    @discardableResult
    private mutating func skipSpaces() -> Bool {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
