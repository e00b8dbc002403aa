// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A seam: who answers questions about names.
///
/// `UnboundResolver` in the program, a table in tests.
///
/// Aliases (CNAME) are followed. NXDOMAIN, no data and "could not be found out now" are told apart,
/// because a mail for the first fails and a mail for the last is deferred.
package protocol Resolver: Sendable {
    /// The mail exchangers of a domain.
    ///
    /// Throws only `.temporary`.
    func mx(_ name: String) async throws(DNSError) -> MXAnswer

    /// The addresses of a host, at least one.
    ///
    /// An address written as text is its own answer.
    func addresses(_ host: String) async throws(DNSError) -> [IPAddress]

    /// The text records of a name.
    ///
    /// Throws only `.temporary`.
    func txt(_ name: String) async throws(DNSError) -> TXTAnswer
}

/// The answer to a question for mail exchangers.
package enum MXAnswer: Hashable, Sendable {
    /// At least one, in order of preference.
    case records([MXRecord])
    /// RFC 7505 §3: a single record with an empty name: the domain takes no mail.
    case nullMX
    /// The name exists and has no MX record; its addresses stand in (RFC 5321 §5.1).
    case noData
    /// The name does not exist.
    case nameError
}

/// One mail exchanger.
package struct MXRecord: Hashable, Sendable {
    /// Lower is tried first.
    package var preference: Int
    /// In lower case, without a final dot.
    package var host: String

    package init(preference: Int, host: String) {
        self.preference = preference
        self.host = host
    }
}

/// The answer to a question for text records.
package enum TXTAnswer: Hashable, Sendable {
    /// At least one; the strings of each record joined without anything between them (RFC 6376 §3.6.2.2).
    case records([[UInt8]])
    case noData
    case nameError
}

/// Why a question has no answer.
package enum DNSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// SERVFAIL, no reply in time, a malformed answer: ask again later.
    ///
    /// The text says which, in one line.
    case temporary(String)
    /// The name does not exist (NXDOMAIN).
    case nameError
    /// The name exists, without a record of this kind.
    case noData

    /// In a few words.
    package var text: String {
        switch self {
        case .temporary(let text): text
        case .nameError: "the name does not exist"
        case .noData: "the name has no such record"
        }
    }

    package var description: String { text }
}
