// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

/// TraceField is in charge of the Received field: when, where and from whom a message came in (RFC 5321 §4.4).
///
///     Received: from app.example.com ([192.0.2.7])
///         by relay.example.com with ESMTP id 01J8ZK4T0QX7M;
///         Mon, 23 Nov 2026 09:05:00 +0000
struct TraceField: Sendable {
    private static let maximumNameOctets = 255
    private static let preferredLineOctets = 78

    private let hostname: [UInt8]
    private let hidesClientAddress: Bool

    init(hostname: String, hidesClientAddress: Bool) {
        self.hostname = TraceField.sanitised(hostname)
        self.hidesClientAddress = hidesClientAddress
    }

    func append(client: ClientDescription?, queueID: QueueID, arrival: Timestamp, to output: inout [UInt8]) {
        var line = Line(output: output)
        output = []
        line.add("Received:".utf8)
        if let client, client.userID == nil || !client.heloName.isEmpty {
            line.add("from".utf8)
            line.add(TraceField.sanitised(client.heloName))
            if let address = client.address, !hidesClientAddress {
                line.add(TraceField.addressLiteral(address))
            } else if let userID = client.userID, !hidesClientAddress {
                // A comment: the grammar of RFC 5321 §4.4 knows no peer without an address.
                line.add("(uid \(userID) on this machine)".utf8)
            }
            line.fold()
        }
        line.add("by".utf8)
        line.add(hostname)
        // RFC 5321 §4.4: from whom is a name and an address of the network, and here is neither; so a comment says it.
        if let userID = client?.userID, client?.heloName.isEmpty == true { line.add("(from uid \(userID))".utf8) }
        if let client {
            line.add("with".utf8)
            line.add(TraceField.sanitised(client.protocolName))
        }
        line.add("id".utf8)
        line.add("\(queueID);".utf8)
        line.fold()
        MailDate.append(arrival, to: &line.output)
        line.output += "\r\n".utf8
        output = line.output
    }

    /// RFC 5321 §4.4: TCP-info is an address literal in parentheses.
    private static func addressLiteral(_ address: String) -> [UInt8] {
        let tag = address.utf8.contains(UInt8(ascii: ":")) ? "IPv6:" : ""
        return Array("([\(tag)".utf8) + sanitised(address) + Array("])".utf8)
    }

    /// A name as far as it can't be mistaken for syntax of the field: what a client calls itself is its own word.
    private static func sanitised(_ name: String) -> [UInt8] {
        let octets = name.utf8.prefix(maximumNameOctets).map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                byte
            default:
                UInt8(ascii: "?")
            }
        }
        return octets.isEmpty ? Array("unknown".utf8) : octets
    }

    /// Adds words with spaces between them, and folds before one that would make the line long.
    private struct Line {
        var output: [UInt8]
        private var column = 0
        private var isAtStart = true

        init(output: [UInt8]) {
            self.output = output
        }

        mutating func add(_ word: some Collection<UInt8>) {
            if !isAtStart, column + 1 + word.count > TraceField.preferredLineOctets { fold() }
            if !isAtStart {
                output.append(UInt8(ascii: " "))
                column += 1
            }
            output += word
            column += word.count
            isAtStart = false
        }

        mutating func fold() {
            output += "\r\n\t".utf8
            column = 8  // As wide as a tab is shown.
            isAtStart = true
        }
    }
}
