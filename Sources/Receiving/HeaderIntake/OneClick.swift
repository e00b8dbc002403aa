// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// OneClick is in charge of whether a message keeps what RFC 8058 asks of mail that can be unsubscribed with one
/// click; receivers such as Gmail and Yahoo ask it of all bulk mail.
enum OneClick {
    static let postValue = "List-Unsubscribe=One-Click"

    /// What keeps one click from working; nil if all is there or nothing is.
    ///
    /// - Parameters:
    ///   - listUnsubscribe: the unfolded values of the List-Unsubscribe fields.
    ///   - post: those of the List-Unsubscribe-Post fields.
    static func fault(listUnsubscribe: [String], post: [String]) -> String? {
        if listUnsubscribe.count > 1 { return "List-Unsubscribe stands \(listUnsubscribe.count) times" }
        if post.count > 1 { return "List-Unsubscribe-Post stands \(post.count) times" }
        switch (listUnsubscribe.first, post.first) {
        case (nil, nil):
            return nil
        case (nil, .some):
            return "List-Unsubscribe-Post without List-Unsubscribe"
        case (.some(let value), nil):
            return hasHTTPS(value)
                ? "List-Unsubscribe has an HTTPS URI, but there is no List-Unsubscribe-Post"
                : "List-Unsubscribe has no HTTPS URI, and there is no List-Unsubscribe-Post"
        case (.some(let value), .some(let post)):
            // RFC 8058 §3.1: a name and a value as in a form, and only this one.
            guard post.filter({ $0 != " " && $0 != "\t" }).lowercased() == postValue.lowercased() else {
                return "List-Unsubscribe-Post is not \"\(postValue)\""
            }
            return hasHTTPS(value) ? nil : "List-Unsubscribe has no HTTPS URI"
        }
    }

    static func hasHTTPS(_ value: String) -> Bool {
        uris(value).contains { $0.lowercased().hasPrefix("https://") && $0.utf8.count > 8 }
    }

    /// RFC 2369 §2: what stands in angle brackets.
    static func uris(_ value: String) -> [String] {
        var result: [String] = []
        var rest = value.utf8[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")),
            let close = rest[open...].firstIndex(of: UInt8(ascii: ">"))
        {
            // White space in a URI may come from folding and is to be ignored.
            let uri = rest[rest.index(after: open)..<close].filter { $0 > 32 }
            result.append(String(decoding: uri, as: UTF8.self))
            rest = rest[rest.index(after: close)...]
        }
        return result
    }

    /// Whether a value of our own is `<URI>, <URI>`, each with a scheme and without spaces.
    static func isWellFormed(_ value: String) -> Bool {
        value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy { element in
            let text = element.drop { $0 == 32 }
            guard text.first == UInt8(ascii: "<"), text.last == UInt8(ascii: ">"), text.count > 2 else { return false }
            let uri = text.dropFirst().dropLast()
            let hasBracketOrSpace = uri.contains {
                $0 <= 32 || $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">")
            }
            guard !hasBracketOrSpace, let colon = uri.firstIndex(of: UInt8(ascii: ":")) else { return false }
            return colon > uri.startIndex && uri.index(after: colon) < uri.endIndex
        }
    }
}
