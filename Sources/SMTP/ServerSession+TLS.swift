// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore

/// How a session becomes secure (RFC 3207).
extension ServerSession {
    /// The TLS handshake is over: the answer to `startTLS`, or before anything else where TLS comes first.
    package mutating func secured() {
        switch state {
        case .silent: break
        case .securing: state = .command
        case .command, .authentication, .verification, .admission, .content, .chunk, .skippedChunk, .committing,
            .closed:
            preconditionFailure("no TLS was asked for")
        }
        // RFC 3207 §4.2: what was said in the clear may have been said by anybody, so none of it is kept.
        hello = nil
        transaction = nil
        forgetAuthentication()
        input = ByteBuffer()
        lines = LineDecoder(maximumOctets: configuration.maximumCommandOctets)
        isSecure = true
    }

    /// The TLS handshake is under way: not a word can be said.
    package var isSecuring: Bool {
        if case .securing = state { true } else { false }
    }

    mutating func startTLS() -> OnInput {
        if isSecure { return refuse(.alreadySecure) }
        guard configuration.offersStartTLS else { return refuse(.notImplemented) }
        guard transaction == nil else { return refuse(.nestedMail) }
        // RFC 3207 §4: STARTTLS ends a group of commands. What came with it would be taken for protected if it were
        // kept (CVE-2011-0411), and no honest client sends it.
        guard input.readableBytes == 0 else { return .replyAndClose(closing(.outOfStep)) }
        state = .securing
        return .startTLS(.startTLS)
    }
}
