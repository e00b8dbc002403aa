// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Logging
internal import NIOCore
internal import NIOSSL
internal import SMTP

/// What a session needs to become secure.
struct SessionTLS: Sendable {
    var tls: ServerTLS
    /// The file of those whose client certificates count.
    var authority: String?
    /// TLS comes before anything else.
    var isImplicit: Bool
}

// MARK: TLS

extension SessionHandler {
    /// TLS comes first, and is not there yet.
    var awaitsTLS: Bool { tls?.isImplicit == true && !session.isSecure }

    /// Puts TLS between the network and this handler.
    ///
    /// It is a handler of octets, and this one keeps none: so nothing that came in the clear can come again.
    func startTLS(_ context: ChannelHandlerContext) {
        guard let tls else { preconditionFailure("STARTTLS was offered without TLS") }
        do {
            let handler = try tls.tls.handler(authority: tls.authority)
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
            limitHandshake(context)
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    /// The handshake is over, and whatever certificate the client showed was verified.
    func handshakeCompleted(_ context: ChannelHandlerContext) {
        guard phase == .serving, let tls else { return }
        let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        if tls.authority != nil { peer.certificateNames = handler?.peerCertificate?.names ?? [] }
        let wasAwaited = awaitsTLS
        session.secured()
        session.hasCertificate = !peer.certificateNames.isEmpty
        environment.logger.debug(
            "TLS begins",
            metadata: [
                "peer": "\(peer)", "version": "\(handler?.tlsVersion.map { "\($0)" } ?? "?")",
                "names": "\(peer.certificateNames.joined(separator: " "))",
            ])
        if wasAwaited { awaitGreeting(context) } else { resume(context) }
    }
}
