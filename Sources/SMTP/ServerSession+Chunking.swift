// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import NIOCore

/// BDAT (RFC 3030 §2): the content in chunks, each with its reply.
///
///     C: BDAT 86
///     C: (86 octets)
///     S: 250 2.0.0 86 octets received
///     C: BDAT 0 LAST
///     S: 250 2.0.0 queued as 01J8ZK4T0QX7M
extension ServerSession {
    /// A chunk whose octets are coming.
    struct Chunk {
        var octets: Int
        var isLast: Bool
    }

    mutating func chunk(_ chunk: Chunk) -> OnInput? {
        // RFC 3030 §2: the octets of a chunk come whether it is wanted or not; none of them is a command.
        if let refusal = refusal(ofChunk: chunk) {
            state = .skippedChunk(octets: chunk.octets, refusal)
            return next()
        }
        guard let hello, let transaction else { preconditionFailure("refused above") }
        let isFirst = chunks == nil
        var decoder =
            chunks
            ?? ChunkDecoder(
                maximumOctets: maximumMessageOctets, bareLineFeed: configuration.bareLineFeed)
        decoder.begin(octets: chunk.octets)
        chunks = decoder
        state = .chunk(decoder, chunk)
        guard isFirst else { return next() }
        return .beginContent(submission(hello, transaction), nil)
    }

    private func refusal(ofChunk chunk: Chunk) -> Reply? {
        guard hello != nil else { return .greetFirst }
        guard let transaction else { return .mailFirst }
        guard !transaction.recipients.isEmpty else { return .recipientFirst }
        // RFC 3030 §2: after a chunk that failed there is only RSET.
        return chunks?.fault == nil ? nil : .chunkFailed
    }

    mutating func chunkRead(_ decoder: ChunkDecoder, _ chunk: Chunk) -> OnInput? {
        var decoder = decoder
        let part = decoder.next(from: &input)
        chunks = decoder
        state = .chunk(decoder, chunk)
        switch part {
        case nil:
            letGoOfEmptyInput()
            return nil
        case .content(let octets): return .content(octets)
        case .fault(let fault): return .abandonContent(fault)
        case .endless: return .replyAndClose(closing(Reply(decoder.fault ?? .contentTooLong)))
        case .end: return chunkEnded(decoder, chunk)
        }
    }

    private mutating func chunkEnded(_ decoder: ChunkDecoder, _ chunk: Chunk) -> OnInput {
        state = .command
        if let fault = decoder.fault { return refuse(Reply(fault)) }
        guard chunk.isLast else { return .reply(Reply(chunkOctets: chunk.octets)) }
        var decoder = decoder
        if let fault = decoder.end() {
            chunks = decoder
            owed = Reply(fault)
            return .abandonContent(fault)
        }
        chunks = nil
        state = .committing
        return .finishContent(decoder.hasRepairedLineEnds ? [.lineEnds] : [])
    }

    /// Passes over a chunk that was refused; answers it when all of it has come.
    mutating func skipChunk(_ octets: Int, _ reply: Reply) -> OnInput? {
        let passed = min(octets, input.readableBytes)
        input.moveReaderIndex(forwardBy: passed)
        let left = octets - passed
        state = .skippedChunk(octets: left, reply)
        guard left == 0 else {
            letGoOfEmptyInput()
            // Nobody means this much.
            let maximum = DataDecoder.maximumSwallowedOctets(for: configuration.maximumMessageOctets)
            return left > maximum ? .replyAndClose(closing(reply)) : nil
        }
        state = .command
        return refuse(reply)
    }

    /// Ends the transaction without a message; an intake transaction that has chunks is aborted before the reply.
    mutating func endTransaction(_ reply: Reply) -> OnInput {
        transaction = nil
        let hasContent = chunks.map { $0.fault == nil } ?? false
        chunks = nil
        guard hasContent else { return .reply(reply) }
        owed = reply
        return .dropContent
    }

    /// What the intake is told before the content comes.
    func submission(_ hello: Hello, _ transaction: Transaction) -> Submission {
        Submission(
            envelope: Envelope(
                reversePath: transaction.reversePath, recipients: transaction.recipients,
                isEightBit: transaction.parameters.isEightBit, notices: transaction.parameters.notices),
            client: ClientDescription(
                heloName: hello.name, address: peerAddress, protocolName: protocolName(of: hello),
                userID: peerUserID),
            declaredSize: transaction.parameters.size, principal: principal)
    }
}

extension Reply {
    static let chunkFailed = Reply(503, EnhancedStatusCode(5, 5, 1), "A chunk was refused; RSET ends the transaction")
    static let chunksBegun = Reply(503, EnhancedStatusCode(5, 5, 1), "The content has begun with BDAT; BDAT or RSET")

    /// RFC 3030 §2: repeats how many octets came.
    init(chunkOctets octets: Int) {
        self.init(250, EnhancedStatusCode(2, 0, 0), "\(octets) octets received")
    }
}
