// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import NIOSSL
internal import Synchronization

/// The two ways of doing TLS with a next hop, each made when it is first needed: certificate roots take memory.
final class TLSContexts: Sendable {
    private let opportunistic = Mutex<NIOSSLContext?>(nil)
    private let verified = Mutex<NIOSSLContext?>(nil)

    /// A handler for one connection to `host`.
    ///
    /// - Parameter isVerified: the certificate must be valid and for `host`. Otherwise any will do: whoever could
    ///   present a false one could as well have hidden that STARTTLS is offered (RFC 7435 §3).
    func handler(host: String, isVerified: Bool) throws -> NIOSSLClientHandler {
        let context =
            try isVerified
            ? TLSContexts.made(verified, .fullVerification) : TLSContexts.made(opportunistic, .none)
        // RFC 6066 §3: an address is no server name.
        let name = IPAddress(host) == nil ? host : nil
        return try NIOSSLClientHandler(context: context, serverHostname: name)
    }

    private static func made(
        _ slot: borrowing Mutex<NIOSSLContext?>, _ verification: CertificateVerification
    ) throws -> NIOSSLContext {
        try slot.withLock { slot in
            if let context = slot { return context }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = verification
            let context = try NIOSSLContext(configuration: configuration)
            slot = context
            return context
        }
    }
}
