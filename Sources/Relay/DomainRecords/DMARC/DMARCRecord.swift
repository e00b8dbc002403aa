// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

/// A DMARC record (RFC 9989 §4.7), as receivers read it, and what is wrong in it.
///
/// Receivers ignore what they can't read, so a fault is never the end of a record.
struct DMARCRecord: Hashable, Sendable {
    enum Policy: String, Hashable, Sendable {
        case none, quarantine, reject
    }

    /// Where reports go.
    struct Destination: Hashable, Sendable {
        /// Of a `mailto:` URI; nil: of another.
        var mailbox: Mailbox?
    }

    /// For the domain itself; nil if the record has no valid `p=`.
    private(set) var policy: Policy?
    /// For domains below it.
    private(set) var subdomainPolicy: Policy?
    /// `t=y`: receivers go one step below the policy.
    private(set) var isTesting = false
    /// `aspf=s`.
    private(set) var hasStrictSPF = false
    /// Of aggregate reports.
    private(set) var destinations: [Destination] = []
    private(set) var failureDestinations: [Destination] = []
    /// What receivers ignore although something was meant by it, in lines.
    private(set) var faults: [String] = []
    /// What has no effect, in lines.
    private(set) var notes: [String] = []

    /// Without a valid policy and without a place for reports, receivers don't use the record (RFC 9989 §4.10.1).
    var isUsable: Bool { hasValidPolicies || !destinations.isEmpty }

    /// Nil if the text is no DMARC record.
    init?(_ text: String) {
        guard let tags = DMARCTags(text) else { return nil }
        policy = policy("p", tags)
        subdomainPolicy = policy("sp", tags)
        _ = policy("np", tags)
        isTesting = word("t", tags, ["y", "n"]) == "y"
        hasStrictSPF = word("aspf", tags, ["r", "s"]) == "s"
        _ = word("adkim", tags, ["r", "s"])
        _ = word("psd", tags, ["y", "n", "u"])
        destinations = destinations("rua", tags)
        failureDestinations = destinations("ruf", tags)
        judgeFailureOptions(tags)
        for name in tags.names where !Self.known.contains(name) { judgeUnknown(name) }
        faults += tags.broken.map { "\"\($0)\" is no tag: a name, an equals sign and a value" }
        faults += tags.repeated.map { "\($0)= is there more than once" }
    }

    private static let known: Set<String> = ["p", "sp", "np", "t", "aspf", "adkim", "psd", "rua", "ruf", "fo"]

    /// RFC 9989 §4.10.1: an invalid `sp=` or `np=` spoils a valid `p=`.
    private var hasValidPolicies: Bool { policy != nil && !hasInvalidPolicy }
    private var hasInvalidPolicy = false

    /// What holds for a domain below the one that has the record.
    ///
    /// - Parameter isBelow: else the domain itself.
    func effectivePolicy(isBelow: Bool) -> Policy {
        guard hasValidPolicies, let policy else { return .none }
        return isBelow ? subdomainPolicy ?? policy : policy
    }

    // MARK: Reading

    private mutating func policy(_ name: String, _ tags: DMARCTags) -> Policy? {
        guard let value = tags[name] else { return nil }
        if let policy = Policy(rawValue: value.lowercased()) { return policy }
        hasInvalidPolicy = true
        faults.append("\(name)=\(value) is none of none, quarantine and reject")
        return nil
    }

    private mutating func word(_ name: String, _ tags: DMARCTags, _ words: [String]) -> String? {
        guard let value = tags[name]?.lowercased() else { return nil }
        if words.contains(value) { return value }
        faults.append("\(name)=\(value) is none of \(words.joined(separator: ", "))")
        return nil
    }

    private mutating func destinations(_ name: String, _ tags: DMARCTags) -> [Destination] {
        guard let value = tags[name] else { return [] }
        var found: [Destination] = []
        for item in value.split(separator: ",", omittingEmptySubsequences: false) {
            var uri = DMARCTags.trim(item)
            if let mark = uri.lastIndex(of: "!") {
                // RFC 9989 §4.8 obs-dmarc-report-size.
                notes.append("\(name)= limits the size of reports (\(uri[mark...])), which is ignored since RFC 9989")
                uri = String(uri[..<mark])
            }
            guard let destination = Self.destination(uri) else {
                faults.append("\(name)= has \"\(uri)\", which is no URI such as mailto:reports@example.com")
                continue
            }
            if destination.mailbox == nil {
                notes.append("\(name)= has \(uri): receivers need to support mailto: only")
            }
            found.append(destination)
        }
        return found
    }

    private static func destination(_ uri: String) -> Destination? {
        guard let colon = uri.firstIndex(of: ":"), let first = uri.utf8.first, ASCII.isLetter(first) else { return nil }
        let scheme = uri[..<colon].lowercased()
        let isScheme = scheme.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0) }
        let rest = uri[uri.index(after: colon)...]
        guard isScheme, !rest.isEmpty, rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        guard scheme == "mailto" else { return Destination(mailbox: nil) }
        // RFC 6068 §2: what follows a question mark is no part of the mailbox.
        let path = Array(rest.utf8.prefix { $0 != UInt8(ascii: "?") })
        guard let mailboxes = try? AddressParser.mailboxes(in: path[...]), mailboxes.count == 1,
            let mailbox = mailboxes.first, mailbox.domain != nil
        else { return nil }
        return Destination(mailbox: mailbox)
    }

    private mutating func judgeFailureOptions(_ tags: DMARCTags) {
        guard let value = tags["fo"]?.lowercased() else { return }
        let options = value.split(separator: ":", omittingEmptySubsequences: false)
        let isValid = options.allSatisfy { ["0", "1", "d", "s"].contains($0) } && Set(options).count == options.count
        if !isValid || options.contains("0") && options.contains("1") {
            faults.append("fo=\(value) is no list of 0 or 1, d and s, with colons between them")
        } else if tags["ruf"] == nil {
            notes.append("fo= has no effect without ruf=")
        }
    }

    private mutating func judgeUnknown(_ name: String) {
        switch name {
        case "pct":
            notes.append("pct= has no meaning any more (RFC 9989): remove it; t=y asks receivers to go easy for a test")
        case "rf", "ri":
            notes.append("\(name)= has no meaning any more (RFC 9989): remove it")
        default:
            notes.append("\(name)= is unknown, and ignored")
        }
    }
}
