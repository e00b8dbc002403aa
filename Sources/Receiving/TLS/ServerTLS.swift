// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOSSL
internal import Synchronization

/// ServerTLS is in charge of how the server does TLS: with which certificate, and whose certificates of clients it
/// believes.
///
/// Both can be replaced at any time; connections go on with what they began with.
package final class ServerTLS: Sendable {
    private struct State {
        /// One for each file of authorities, and one for nil: clients are not asked for certificates.
        var contexts: [String?: NIOSSLContext] = [:]
        var endPoint: [UInt8] = []
        /// Made at most once.
        var selfMade: ServerIdentity?
    }

    private let hostname: String
    private let state = Mutex(State())

    /// - Parameter hostname: for the self-made certificate.
    package init(hostname: String) {
        self.hostname = hostname
    }

    /// Uses these from now on, or, if anything is wrong with them, goes on with those before.
    ///
    /// - Parameters:
    ///   - identity: nil for one that is self-made and never leaves memory.
    ///   - authorities: certificates as PEM, by the name of their file.
    package func replace(_ identity: ServerIdentity?, authorities: [String: [UInt8]] = [:]) throws(TLSFault) {
        let parsed: ParsedIdentity
        if let identity {
            parsed = try ParsedIdentity(identity)
        } else {
            parsed = try ParsedIdentity(selfMade())
        }
        var contexts: [String?: NIOSSLContext] = [nil: try ServerTLS.context(parsed)]
        for (file, octets) in authorities {
            guard let roots = try? NIOSSLCertificate.fromPEMBytes(octets), !roots.isEmpty else {
                throw .noAuthority(file)
            }
            contexts[file] = try ServerTLS.context(parsed, roots: roots)
        }
        let (ready, endPoint) = (contexts, parsed.chain[0].endPoint)
        state.withLock { state in
            state.contexts = ready
            state.endPoint = endPoint
        }
    }

    /// The server's side of one connection.
    ///
    /// - Parameter authority: the file of those whose client certificates count.
    func handler(authority: String?) throws(TLSFault) -> NIOSSLServerHandler {
        guard let context = state.withLock({ $0.contexts[authority] }) else { throw .other("it was not set up") }
        return NIOSSLServerHandler(context: context)
    }

    /// The tls-server-end-point of new connections (RFC 5929 §4).
    var endPoint: [UInt8] { state.withLock { $0.endPoint } }

    private func selfMade() throws(TLSFault) -> ServerIdentity {
        if let made = state.withLock({ $0.selfMade }) { return made }
        let made = try ServerIdentity.selfMade(hostname: hostname)
        state.withLock { $0.selfMade = made }
        return made
    }

    private static func context(
        _ identity: ParsedIdentity, roots: [NIOSSLCertificate]? = nil
    ) throws(TLSFault) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: identity.chain.map { .certificate($0) }, privateKey: .privateKey(identity.key))
        // RFC 8996: nothing older.
        configuration.minimumTLSVersion = .tlsv12
        if let roots {
            // A client may come without a certificate. The library itself verifies one that is shown, up to these
            // roots and no others, for use by clients: a callback of ours would take the place of all its checks.
            configuration.trustRoots = .certificates(roots)
            configuration.certificateVerification = .optionalVerification
            configuration.sendCANameList = true
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey {
            throw .notAPair
        } catch {
            throw .other("\(error)")
        }
    }
}
