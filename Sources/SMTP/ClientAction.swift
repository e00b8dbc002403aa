// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
package import NIOCore

/// What the connection has to do after an event of its `ClientSession`.
package enum ClientAction: Hashable, Sendable {
    /// Nothing, until something more comes.
    case wait
    case send(ByteBuffer)
    /// Set up TLS, then call `secured`. Bytes that came behind the reply were not protected: if there are any,
    /// somebody injected them, and the connection must be closed (RFC 3207 §4).
    case startTLS
    /// The session can take a transaction: `begin`.
    case ready
    /// Send the content and its end of data, then call `contentSent`.
    case sendContent
    /// The transaction has ended. The session is ready for another, or to be closed, as the result says.
    case finished(TransactionResult)
    /// Close the connection. The refusal says why no transaction was possible; nil after QUIT.
    case close(SessionRefusal?)
}

/// Why a next hop could not be used at all.
///
/// Another one of the same site may be better.
package struct SessionRefusal: Hashable, Sendable {
    package var diagnostic: Diagnostic
    /// No word of the next hop led to this: the connection broke or timed out.
    package var isNetworkFault: Bool

    package init(diagnostic: Diagnostic, isNetworkFault: Bool = false) {
        self.diagnostic = diagnostic
        self.isNetworkFault = isNetworkFault
    }
}

/// How a client wants to be protected (RFC 3207).
package enum ClientTLS: String, Hashable, Sendable, CaseIterable {
    /// Never, even when it is offered.
    case off
    /// When it is offered; whoever answers.
    case opportunistic
    /// Or not at all, and the certificate must be the next hop's.
    case required
}

/// What a session waits for: RFC 5321 §4.5.3.2 gives each its time.
package enum ClientWait: Hashable, Sendable {
    case nothing, banner, hello, mail, recipient, data, content, end, quit
}
