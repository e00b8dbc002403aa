// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport
import Mail
import NIOCore

@testable import SMTP

/// What a next hop sends is cut into the same replies wherever the network cuts it, and nothing in them reaches a
/// log or a notification that is not printable.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe FuzzInput(start, count)
    let seed = input.choice()
    let stream = input.bytes
    let whole = parse([stream[...]])
    let cut = parse(pieces(of: stream, seed: seed))
    require(whole.replies == cut.replies, "cuts don't change the replies")
    // A line over the limit may be noticed at its end, or before.
    require(whole.error == cut.error, "cuts don't change the error")
    for reply in whole.replies { check(reply) }
    return 0
}

private func parse(_ pieces: [ArraySlice<UInt8>]) -> (replies: [PeerReply], error: ReplyError?) {
    var parser = ReplyParser()
    var replies: [PeerReply] = []
    for piece in pieces {
        var buffer = ByteBuffer(bytes: piece)
        do throws(ReplyError) {
            while let reply = try parser.next(from: &buffer) {
                require(!parser.isInsideReply, "after a reply comes another")
                replies.append(reply)
            }
        } catch {
            return (replies, error)
        }
        require(buffer.readableBytes == 0, "everything is taken")
    }
    return (replies, nil)
}

private func check(_ reply: PeerReply) {
    require((200...599).contains(reply.code), "a code of three digits")
    require(reply.text.count <= ReplyParser.maximumReplyOctets + ReplyParser.maximumLines, "the text has a limit")
    require(reply.lines.count <= ReplyParser.maximumLines, "the lines have a limit")
    let printable = reply.printableText.utf8
    require(printable.allSatisfy { (32...126).contains($0) }, "the text for humans is printable")
    require(printable.count <= PeerReply.maximumDiagnosticOctets + 3, "the text for humans has a limit")
    let diagnostic = reply.diagnostic(command: "RCPT", remote: "mx.example.com")
    if let status = reply.status {
        require(diagnostic.status == status, "the enhanced status code is that of the reply")
        require(status.statusClass == reply.code / 100, "the classes are the same")
    }
}
