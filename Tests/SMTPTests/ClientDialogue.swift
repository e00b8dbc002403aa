// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import NIOCore
import SMTP

/// A session of the client written down as a file `client-*.txt` of `Dialogues`; its README has the format.
struct ClientDialogue: Sendable, CustomStringConvertible {
    enum Step: Hashable, Sendable {
        /// `C:` a line that the client must send next.
        case client(String)
        /// `S:` a line from the next hop.
        case server(String)
        /// `!` something that happens on this side.
        case event(String)
        /// `=` what the session asks for or has found.
        case finding(String)
    }

    var name: String
    var steps: [Step] = []
    var tls = ClientTLS.opportunistic

    var description: String { name }

    static let all: [ClientDialogue] = {
        let directory = Bundle.module.bundleURL.appendingPathComponent("Dialogues")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { $0.hasPrefix("client-") && $0.hasSuffix(".txt") }.sorted().compactMap { name in
            let text = try? String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
            return text.map { ClientDialogue(name: name, text: $0) }
        }
    }()

    init(name: String, text: String) {
        self.name = name
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            let rest = parts.count > 1 ? parts[1] : ""
            switch parts[0] {
            case "#": break
            case "C:": steps.append(.client(rest))
            case "S:": steps.append(.server(rest))
            case "!": steps.append(.event(rest))
            case "=": steps.append(.finding(rest.trimmingCharacters(in: .whitespaces)))
            case "tls": tls = ClientTLS(rawValue: rest) ?? tls
            default: preconditionFailure("\(name): what is “\(line)”?")
            }
        }
    }
}

/// A client session together with a parser, fed with bytes; it writes down what they do in the words of the
/// dialogue files.
struct ClientDriver {
    private var session: ClientSession
    private var parser = ReplyParser()
    private(set) var transcript: [ClientDialogue.Step] = []

    init(tls: ClientTLS) {
        session = ClientSession(.init(heloName: "relay.example.com", tls: tls, remote: "mx.example.net[192.0.2.1]:25"))
    }

    mutating func receive(_ bytes: ArraySlice<UInt8>) throws {
        var buffer = ByteBuffer(bytes: bytes)
        while let reply = try parser.next(from: &buffer) { note(session.received(reply)) }
    }

    mutating func happen(_ event: String) {
        let words = event.split(separator: " ").map(String.init)
        switch words[0] {
        case "begin": note(session.begin(ClientDriver.transaction(words.dropFirst())))
        case "sent": session.contentSent()
        case "secured": note(session.secured())
        case "lost": note(session.lost("the connection is gone"))
        case "quit": if let farewell = session.quit() { note(.send(farewell)) }
        default: preconditionFailure("what is “\(event)”?")
        }
    }

    private mutating func note(_ action: ClientAction) {
        switch action {
        case .wait: break
        case .send(let buffer):
            let text = String(buffer: buffer)
            precondition(text.hasSuffix("\r\n"), "commands end with CRLF")
            for line in text.dropLast(1).split(separator: "\r\n", omittingEmptySubsequences: false) {
                transcript.append(.client(line.hasSuffix("\r") ? String(line.dropLast()) : String(line)))
            }
        case .startTLS: find("tls")
        case .ready: find("ready")
        case .sendContent: find("content")
        case .finished(let result):
            for outcome in result.outcomes { find(outcome.map(ClientDriver.words) ?? "untried") }
            find(result.canContinue ? "continue" : "close")
        case .close(nil): find("closed")
        case .close(let refusal?): find("refused " + ClientDriver.words(refusal.diagnostic))
        }
    }

    private mutating func find(_ text: String) {
        transcript.append(.finding(text.trimmingCharacters(in: .whitespaces)))
    }

    private static func words(_ outcome: Outcome) -> String {
        switch outcome {
        case .delivered(let diagnostic): "delivered " + words(diagnostic)
        case .deferred(let diagnostic): "deferred " + words(diagnostic)
        case .failed(let diagnostic): "failed " + words(diagnostic)
        }
    }

    private static func words(_ diagnostic: Diagnostic) -> String {
        "\(diagnostic.replyCode.map(String.init) ?? "-") \(diagnostic.status) \(diagnostic.command ?? "-")"
    }

    /// `FROM RECIPIENT… size=N [8bit]`.
    private static func transaction(_ words: ArraySlice<String>) -> ClientTransaction {
        var transaction = ClientTransaction(reversePath: .null, recipients: [], size: nil, isEightBit: false)
        for (place, word) in words.enumerated() {
            if word == "8bit" {
                transaction.isEightBit = true
            } else if word.hasPrefix("size=") {
                transaction.size = Int(word.dropFirst(5))
            } else if place == 0 {
                transaction.reversePath = mailbox(word).map(ReversePath.mailbox) ?? .null
            } else if let mailbox = mailbox(word) {
                transaction.recipients.append(mailbox)
            }
        }
        return transaction
    }

    private static func mailbox(_ text: String) -> Mailbox? {
        let parts = text.split(separator: "@").map(String.init)
        guard parts.count == 2, let domain = Domain(parts[1]) else { return nil }
        return Mailbox(localPart: parts[0], host: .domain(domain))
    }
}
