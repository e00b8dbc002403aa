// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// AliasReader is in charge of the syntax of an alias file (aliases(5)): logical lines of a name, a colon and
/// addresses with commas between them.
///
/// Lines that start with `#` are comments, lines that start with white space continue the one before.
struct AliasReader {
    struct Entry: Hashable {
        var line: Int
        var targets: [AliasTable.Target]
    }

    private(set) var entries: [String: Entry] = [:]
    private(set) var faults: [AliasFault] = []

    mutating func read(_ octets: [UInt8]) {
        var start = 0
        var logical: [UInt8] = []
        let lines = octets.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let first = line.first(where: { !AliasReader.isBlank($0) }), first != UInt8(ascii: "#") else {
                continue
            }
            if line.first.map(AliasReader.isBlank) == true {
                guard start > 0 else {
                    add(index + 1, "the line continues nothing", "Start it with a name and a colon")
                    continue
                }
                logical += line
            } else {
                if start > 0 { readEntry(logical[...], at: start) }
                (start, logical) = (index + 1, Array(line))
            }
        }
        if start > 0 { readEntry(logical[...], at: start) }
    }

    private mutating func readEntry(_ octets: ArraySlice<UInt8>, at line: Int) {
        let parts = AliasReader.split(octets, at: UInt8(ascii: ":"), maximum: 1)
        guard parts.count == 2 else {
            return add(line, "the line has no colon", "Write name, colon, addresses, such as \"root: ada@example.com\"")
        }
        let name = AliasReader.unquoted(parts[0])
        guard !name.isEmpty, name.utf8.allSatisfy({ (32...126).contains($0) && $0 != UInt8(ascii: "@") }) else {
            return add(
                line, "\"\(AliasReader.shown(parts[0]))\" is no name of a user",
                "Write a name without a domain, such as \"root\"")
        }
        if let earlier = entries[name.lowercased()] {
            return add(
                line, "there is already an alias \"\(name)\" on line \(earlier.line)",
                "Put the addresses of both on one line")
        }
        var targets: [AliasTable.Target] = []
        for part in AliasReader.split(parts[1], at: UInt8(ascii: ","), maximum: .max) {
            let element = AliasReader.trimmed(part)
            guard !element.isEmpty else { continue }
            guard let target = target(element, at: line) else { return }
            if !targets.contains(target) { targets.append(target) }
        }
        guard !targets.isEmpty else {
            return add(line, "the alias \"\(name)\" has no address", "Write one, or remove the line")
        }
        entries[name.lowercased()] = Entry(line: line, targets: targets)
    }

    /// Nil if there is a fault, which is noted.
    private mutating func target(_ element: ArraySlice<UInt8>, at line: Int) -> AliasTable.Target? {
        let plain = AliasReader.unquoted(element)
        let shown = AliasReader.shown(element)
        if plain.hasPrefix("|") {
            add(
                line, "\"\(shown)\" is a command, and Waxwing runs none for mail",
                "Name an address, or let a mail system that delivers on this machine do it")
            return nil
        }
        if plain.hasPrefix("/") {
            add(
                line, "\"\(shown)\" is a file, and Waxwing writes mail to none",
                "Name an address, such as \"archive@example.com\"")
            return nil
        }
        if plain.lowercased().hasPrefix(":include:") {
            add(
                line, "\"\(shown)\" includes another file, which Waxwing does not",
                "Write the addresses of that file here")
            return nil
        }
        if element.first == UInt8(ascii: "\\") {
            let name = String(decoding: element.dropFirst(), as: UTF8.self)
            if let mailbox = Mailbox(written: "\(name)@localhost") { return .final(mailbox.localPart) }
        } else if let list = try? AddressParser.list(in: element), list.addresses.count == 1 {
            let address = list.addresses[0]
            switch address.mailbox {
            case nil: return .name(address.localPart)
            case .some(let mailbox) where LocalName.isLocalhost(mailbox.host): return .name(address.localPart)
            case .some(let mailbox): return .mailbox(mailbox)
            }
        }
        add(
            line, "\"\(shown)\" is no address",
            "Write addresses with commas between them, such as \"ada@example.com, root\"")
        return nil
    }

    // MARK: Ways from alias to alias

    /// Notes circles, and ways that are too long.
    mutating func checkWays() {
        var depths: [String: Int] = [:]
        for name in entries.keys.sorted() { _ = depth(of: name, &depths, under: []) }
    }

    /// How many aliases follow one another from here.
    private mutating func depth(of name: String, _ depths: inout [String: Int], under names: [String]) -> Int {
        if let known = depths[name] { return known }
        guard let entry = entries[name] else { return 0 }
        if let place = names.firstIndex(of: name) {
            let circle = (names[place...] + [name]).joined(separator: " to ")
            add(entry.line, "the alias goes in a circle: \(circle)", "Let one of them lead to an address")
            return 0
        }
        guard names.count < AliasTable.maximumDepth else {
            add(
                entry.line, "more than \(AliasTable.maximumDepth) aliases lead from \"\(names[0])\" to here",
                "Name an address sooner")
            return 0
        }
        var depth = 1
        for case .name(let next) in entry.targets where next.lowercased() != name {
            depth = max(depth, 1 + self.depth(of: next.lowercased(), &depths, under: names + [name]))
        }
        depths[name] = depth
        return depth
    }

    // MARK: Octets

    private mutating func add(_ line: Int, _ problem: String, _ remedy: String) {
        let fault = AliasFault(line: line, problem: problem, remedy: remedy)
        // A circle is found from each of its ends.
        if !faults.contains(fault) { faults.append(fault) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var octets = octets.drop(while: isBlank)
        while let last = octets.last, isBlank(last) { octets.removeLast() }
        return octets
    }

    /// The text of a word that may stand in quotes.
    private static func unquoted(_ octets: ArraySlice<UInt8>) -> String {
        var word = trimmed(octets)
        if word.count >= 2, word.first == UInt8(ascii: "\""), word.last == UInt8(ascii: "\"") {
            word = word.dropFirst().dropLast()
        }
        return String(decoding: word, as: UTF8.self)
    }

    /// What stands in the file, as far as it can be shown.
    private static func shown(_ octets: ArraySlice<UInt8>) -> String {
        let text = trimmed(octets).prefix(64).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: text, as: UTF8.self)
    }

    /// Parts between separators that stand neither in quotes nor in a comment.
    private static func split(_ octets: ArraySlice<UInt8>, at separator: UInt8, maximum: Int) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var (start, position) = (octets.startIndex, octets.startIndex)
        var (isQuoted, depth) = (false, 0)
        while position < octets.endIndex {
            switch octets[position] {
            case UInt8(ascii: "\\"): position = min(position + 1, octets.endIndex - 1)
            case UInt8(ascii: "\"") where depth == 0: isQuoted.toggle()
            case UInt8(ascii: "(") where !isQuoted: depth += 1
            case UInt8(ascii: ")") where !isQuoted && depth > 0: depth -= 1
            case separator where !isQuoted && depth == 0 && parts.count < maximum:
                parts.append(octets[start..<position])
                start = position + 1
            default: break
            }
            position += 1
        }
        return parts + [octets[start...]]
    }
}
