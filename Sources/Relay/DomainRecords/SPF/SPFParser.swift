// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// Reading an SPF record (RFC 7208 §12).
extension SPFRecord {
    /// - Throws: why a receiver answers permerror to every mail of the domain (RFC 7208 §4.6).
    init(_ octets: [UInt8]) throws(SPFSyntaxError) {
        guard octets.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw SPFSyntaxError(text: "it has characters that are not ASCII, or a tab: only spaces part its terms")
        }
        self.init(directives: [], redirect: nil)
        var hasExplanation = false
        // RFC 7208 §4.5: the version was looked at before.
        for term in String(decoding: octets, as: UTF8.self).split(separator: " ").dropFirst() {
            guard let (name, value) = Self.modifier(term) else {
                directives.append(try Self.directive(term))
                continue
            }
            switch name {
            case "redirect":
                guard redirect == nil else { throw SPFSyntaxError(text: "redirect= is there twice") }
                redirect = try Self.name(value, in: term)
            case "exp":
                guard !hasExplanation else { throw SPFSyntaxError(text: "exp= is there twice") }
                hasExplanation = true
                _ = try Self.name(value, in: term)
            default:
                // RFC 7208 §6: unknown modifiers are ignored, but must be well-formed.
                _ = try SPFMacroString(value)
            }
        }
    }

    /// A term with a name and an equals sign; nil: a directive.
    private static func modifier(_ term: Substring) -> (name: String, value: Substring)? {
        guard let sign = term.firstIndex(of: "="), let first = term.utf8.first, ASCII.isLetter(first) else {
            return nil
        }
        let name = term[..<sign]
        let isName = name.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "-_.".utf8.contains($0) }
        return isName ? (name.lowercased(), term[term.index(after: sign)...]) : nil
    }

    private static func directive(_ term: Substring) throws(SPFSyntaxError) -> Directive {
        let qualifier = term.first.flatMap { Qualifier(rawValue: $0) }
        let body = qualifier == nil ? term : term.dropFirst()
        let end = body.firstIndex { $0 == ":" || $0 == "/" } ?? body.endIndex
        let rest = body[end...]
        let mechanism: Mechanism
        switch body[..<end].lowercased() {
        case "all":
            guard rest.isEmpty else { throw fault(term, "all takes nothing behind it") }
            mechanism = .all
        case "include": mechanism = .include(try required(rest, term))
        case "exists": mechanism = .exists(try required(rest, term))
        case "a":
            let (name, prefixes) = try hosts(rest, term)
            mechanism = .a(name, prefixes)
        case "mx":
            let (name, prefixes) = try hosts(rest, term)
            mechanism = .mx(name, prefixes)
        case "ptr": mechanism = .ptr(rest.isEmpty ? nil : try required(rest, term))
        case "ip4": mechanism = try network(rest, isIPv6: false, term)
        case "ip6": mechanism = try network(rest, isIPv6: true, term)
        case let name: throw fault(term, "there is no mechanism \"\(name)\"\(hint(name))")
        }
        return Directive(qualifier: qualifier ?? .pass, mechanism: mechanism, text: String(term))
    }

    /// What is often meant by a mechanism that does not exist.
    private static func hint(_ name: String) -> String {
        switch name {
        case "ip", "ipv4": ", write ip4"
        case "ipv6": ", write ip6"
        case "-", "~", "?", "+", "": ", no space may stand behind + - ~ ?"
        default: IPAddress(name) == nil ? "" : ", write ip4: or ip6: before an address"
        }
    }

    private static func fault(_ term: Substring, _ reason: String) -> SPFSyntaxError {
        SPFSyntaxError(text: "in the term \"\(term)\": \(reason)")
    }

    private static func name(_ value: Substring, in term: Substring) throws(SPFSyntaxError) -> SPFMacroString {
        do {
            return try SPFMacroString(domain: value)
        } catch {
            let isAddress = IPAddress(String(value)) != nil
            throw fault(term, error.text + (isAddress ? ": for an address write ip4: or ip6:" : ""))
        }
    }

    private static func required(_ rest: Substring, _ term: Substring) throws(SPFSyntaxError) -> SPFMacroString {
        guard rest.first == ":" else { throw fault(term, "a colon and a name must follow") }
        return try name(rest.dropFirst(), in: term)
    }

    /// `[":" domain-spec] [dual-cidr-length]`.
    ///
    /// A name never ends in a prefix length, so that this is taken off first.
    private static func hosts(_ rest: Substring, _ term: Substring) throws(SPFSyntaxError)
        -> (SPFMacroString?, SPFPrefixes)
    {
        var rest = rest
        var prefixes = SPFPrefixes()
        if let start = prefixStart(rest), start > rest.startIndex, rest[rest.index(before: start)] == "/" {
            prefixes.ipv6 = try prefix(rest[rest.index(after: start)...], upTo: 128, term)
            rest = rest[..<rest.index(before: start)]
        }
        if let start = prefixStart(rest) {
            prefixes.ipv4 = try prefix(rest[rest.index(after: start)...], upTo: 32, term)
            rest = rest[..<start]
        }
        guard !rest.isEmpty else { return (nil, prefixes) }
        return (try required(rest, term), prefixes)
    }

    /// Where the slash of a number at the end stands.
    private static func prefixStart(_ text: Substring) -> Substring.Index? {
        guard let slash = text.lastIndex(of: "/") else { return nil }
        let digits = text[text.index(after: slash)...].utf8
        return !digits.isEmpty && digits.allSatisfy(ASCII.isDigit) ? slash : nil
    }

    /// RFC 7208 §5.6: without zeros in front.
    private static func prefix(_ text: Substring, upTo maximum: Int, _ term: Substring) throws(SPFSyntaxError) -> Int {
        let isPlain = text == "0" || text.first != "0"
        guard isPlain, text.utf8.allSatisfy(ASCII.isDigit), let number = Int(text), number <= maximum else {
            throw fault(term, "a prefix length is a number from 0 to \(maximum)")
        }
        return number
    }

    private static func network(_ rest: Substring, isIPv6: Bool, _ term: Substring) throws(SPFSyntaxError)
        -> Mechanism
    {
        let kind = isIPv6 ? "IPv6" : "IPv4"
        guard rest.first == ":" else { throw fault(term, "a colon and an \(kind) address must follow") }
        let text = rest.dropFirst()
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        guard let address = IPAddress(String(text[..<slash])) else {
            throw fault(term, "\"\(text[..<slash])\" is no \(kind) address")
        }
        guard address.isIPv6 == isIPv6 else { throw fault(term, "write ip\(isIPv6 ? 4 : 6): before this address") }
        let maximum = isIPv6 ? 128 : 32
        guard slash < text.endIndex else { return .network(address, prefix: maximum) }
        return .network(address, prefix: try prefix(text[text.index(after: slash)...], upTo: maximum, term))
    }
}
