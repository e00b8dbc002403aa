// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import SMTP
import Testing

/// A session written down as a file of `Dialogues`; its README has the format.
struct Dialogue: Sendable, CustomTestStringConvertible {
    enum Step: Hashable {
        case send([UInt8])
        case reply(String)
        case refuse(IntakeRefusal)
        case answer(AuthenticationAnswer)
        case message([UInt8])
        case close
        case drain
        case timeOut
        case secure
    }

    var name: String
    var steps: [Step] = []
    /// The numbers of the session's configuration, by their name in the file.
    private var settings = ["errors": 20, "recipients": 100, "message": 1000, "command": 4096]
    private var maySubmit = true
    private var offersStartTLS = false
    private var authentication = AuthenticationOffer(isLocal: true)
    /// The connection runs over TLS, from the start.
    private(set) var isSecure = false
    private var bareLineFeed = BareLineFeed.reject
    private var localDomain: Domain?
    var isCut = true

    var testDescription: String { name }

    /// All dialogues of the server.
    static let all: [Dialogue] = {
        let directory = Bundle.module.bundleURL.appendingPathComponent("Dialogues")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { $0.hasPrefix("server-") && $0.hasSuffix(".txt") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8) else {
                return nil
            }
            return Dialogue(name: name, text: text)
        }
    }()

    init(name: String, text: String) {
        self.name = name
        for line in text.split(separator: "\n") {
            let word = line.prefix { $0 != " " }
            let rest = String(line.dropFirst(word.count + 1))
            switch word {
            case "#": break
            case "@": set(rest.split(separator: " ").map(String.init))
            case "C:": send(Dialogue.octets(rest) + [13, 10])
            case "c:": send(Dialogue.octets(rest))
            case "S:": steps.append(.reply(rest))
            case "M:": steps.append(.message(Dialogue.octets(rest)))
            case "I:": refuse(rest)
            case "A:": answer(rest)
            case "X": steps.append(.close)
            case "D": steps.append(.drain)
            case "T": steps.append(.timeOut)
            case "!": steps.append(.secure)
            default: preconditionFailure("\(name): what is “\(line)”?")
            }
        }
    }

    /// The longest run of octets that are sent together.
    var longestSend: Int {
        steps.map { if case .send(let octets) = $0 { octets.count } else { 0 } }.max() ?? 0
    }

    private mutating func send(_ octets: [UInt8]) {
        if case .send(let before)? = steps.last {
            steps[steps.count - 1] = .send(before + octets)
        } else {
            steps.append(.send(octets))
        }
    }

    private mutating func refuse(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 3).map(String.init)
        guard words.count == 4, words[0] == "refuse", let code = Int(words[1]),
            let status = EnhancedStatusCode(words[2])
        else { preconditionFailure("\(name): what is “I: \(text)”?") }
        steps.append(.refuse(IntakeRefusal(replyCode: code, status: status, lines: [words[3]])))
    }

    private mutating func answer(_ text: String) {
        switch text {
        case "unavailable": steps.append(.answer(.unavailable))
        case "locked out": steps.append(.answer(.lockedOut))
        default: preconditionFailure("\(name): what is “A: \(text)”?")
        }
    }

    private mutating func set(_ words: [String]) {
        switch (words[0], Int(words[1])) {
        case ("submit", nil): maySubmit = words[1] == "yes"
        case ("starttls", nil): offersStartTLS = words[1] == "yes"
        case ("passwords", nil): authentication.hasPasswords = words[1] == "yes"
        case ("certificates", nil): authentication.hasCertificates = words[1] == "yes"
        case ("local", nil): authentication.isLocal = words[1] == "yes"
        case ("secure", nil): isSecure = words[1] == "yes"
        case ("bare-lf", nil): bareLineFeed = BareLineFeed(rawValue: words[1]) ?? .reject
        case ("local-domain", nil): localDomain = Domain(words[1])
        case ("together", nil): isCut = words[1] != "yes"
        case (let name, let value?) where settings[name] != nil: settings[name] = value
        default: preconditionFailure("\(name): what is “@ \(words)”?")
        }
    }

    var configuration: ServerSession.Configuration {
        var configuration = ServerSession.Configuration(
            hostname: "relay.example.com", maximumMessageOctets: settings["message"] ?? 0,
            maximumRecipients: settings["recipients"] ?? 0, maximumCommandOctets: settings["command"] ?? 0,
            maximumErrors: settings["errors"] ?? 0, maySubmit: maySubmit)
        configuration.bareLineFeed = bareLineFeed
        configuration.local = LocalNames(localDomain)
        configuration.offersStartTLS = offersStartTLS
        configuration.authentication = authentication
        return configuration
    }

    /// Text with the escapes of the README as octets.
    static func octets(_ text: String) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                octets.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "r"): octets.append(13)
            case UInt8(ascii: "n"): octets.append(10)
            case UInt8(ascii: "t"): octets.append(9)
            case UInt8(ascii: "0"): octets.append(0)
            case UInt8(ascii: "x"):
                octets.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: octets.append(escape)
            }
        }
        return octets
    }
}
