// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What a setting may hold, how it is written, and what an error about it advises.
enum SettingKind: Hashable, Sendable {
    case text
    /// A file or directory; relative ones start at the configuration file's directory.
    case path
    case word([String])
    case flag
    case number(ClosedRange<Int>)
    /// Octets, written with a unit.
    case size(ClosedRange<Int>)
    /// Seconds, written with a unit.
    case duration(ClosedRange<Int>)
    /// The same, or a word.
    case durationOrWord(ClosedRange<Int>, String)
    /// Whole percent, written with a sign.
    case percent(ClosedRange<Int>)
    case list
    /// One of some words, or a list of names.
    case wordOrList([String])

    /// As the annotated example names it.
    var summary: String {
        switch self {
        case .text: "text"
        case .path: "path"
        case .word(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        case .flag: "true or false"
        case .number(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .size(let range): "\(Quantity.size.text(range.lowerBound)) to \(Quantity.size.text(range.upperBound))"
        case .duration(let range):
            "\(Quantity.duration.text(range.lowerBound)) to \(Quantity.duration.text(range.upperBound))"
        case .durationOrWord(let range, let word): SettingKind.duration(range).summary + " or \"\(word)\""
        case .percent(let range): "\(range.lowerBound) % to \(range.upperBound) %"
        case .list: "a list of texts"
        case .wordOrList(let words): words.map { "\"\($0)\"" }.joined(separator: ", ") + " or a list of names"
        }
    }

    var quantity: Quantity? {
        switch self {
        case .size: .size
        case .duration, .durationOrWord: .duration
        case .percent: .percent
        default: nil
        }
    }

    var range: ClosedRange<Int>? {
        switch self {
        case .number(let range), .size(let range), .duration(let range), .durationOrWord(let range, _),
            .percent(let range):
            range
        default: nil
        }
    }
}

/// What is wrong with the value of one setting, before it is known where it stands.
struct SettingFault: Error, Hashable {
    var problem: String
    var remedy: String
}

/// A number with a unit, such as `50 MiB`, `5 min` or `5 %`.
struct Quantity: Hashable, Sendable {
    struct Unit: Hashable, Sendable {
        var name: String
        var factor: Int
    }

    /// From the smallest to the largest.
    let units: [Unit]
    let example: String

    static let size = Quantity(
        units: [
            Unit(name: "B", factor: 1), Unit(name: "KiB", factor: 1 << 10), Unit(name: "MiB", factor: 1 << 20),
            Unit(name: "GiB", factor: 1 << 30), Unit(name: "TiB", factor: 1 << 40),
        ], example: "50 MiB")
    static let duration = Quantity(
        units: [
            Unit(name: "s", factor: 1), Unit(name: "min", factor: 60), Unit(name: "h", factor: 3600),
            Unit(name: "d", factor: 86_400),
        ], example: "5 min")
    static let percent = Quantity(units: [Unit(name: "%", factor: 1)], example: "5 %")

    /// The value in the smallest unit; white space between number and unit does not matter.
    func parse(_ text: String) throws(SettingFault) -> Int {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unitName = text.dropFirst(digits.count).drop { $0 == " " }
        let names = units.map(\.name).joined(separator: ", ")
        guard let number = Int(digits) else {
            throw SettingFault(
                problem: "\"\(text)\" does not start with a whole number",
                remedy: "Write a number and a unit (\(names)), such as \"\(example)\"")
        }
        guard let unit = units.first(where: { $0.name == unitName }) else {
            let problem =
                unitName.isEmpty ? "\"\(text)\" has no unit" : "\"\(unitName)\" is not a unit that this setting knows"
            throw SettingFault(problem: problem, remedy: "Write a number and a unit (\(names)), such as \"\(example)\"")
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        return overflow ? Int.max : value
    }

    /// In the largest unit that loses nothing.
    func text(_ value: Int) -> String {
        let unit = units.last { value != 0 && value % $0.factor == 0 } ?? units[0]
        return "\(value / unit.factor) \(unit.name)"
    }
}
