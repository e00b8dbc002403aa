// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CUnbound
internal import Logging

/// Owns one libunbound context and frees it.
///
/// Used by one thread: `UnboundPump` hands it over once.
///
/// libunbound works in a thread of its own (`ub_ctx_async`); `process` runs the callbacks of finished questions.
@safe final class UnboundContext {
    private let context: OpaquePointer

    /// - Throws: `.temporary` with what libunbound refused.
    init(_ configuration: ResolverConfiguration, logger: Logger) throws(DNSError) {
        guard let context = unsafe ub_ctx_create() else { throw .temporary("libunbound has no memory") }
        unsafe self.context = unsafe context
        let options = [
            // Without anchors there is nothing to validate; CD and DO stay off and any forwarder will do.
            ("module-config:", configuration.trustAnchorFile == nil ? "iterator" : "validator iterator"),
            // libunbound answers NXDOMAIN for .test and for private reverse zones by itself. (Set through this
            // call, `nodefault` is taken and does nothing.)
            ("local-zone:", "test. transparent"),
            ("unblock-lan-zones:", "yes"),
            // systemd-resolved listens on 127.0.0.53.
            ("do-not-query-localhost:", "no"),
            // A forwarder that was down is asked again soon after it is up.
            ("infra-keep-probing:", "yes"),
        ]
        for (option, value) in options {
            try check(unsafe ub_ctx_set_option(context, option, value), "option \(option) \(value)")
        }
        for server in configuration.servers {
            let text = "\(server.address)@\(server.port)"
            try check(unsafe ub_ctx_set_fwd(context, text), "server \(text)")
        }
        if configuration.servers.isEmpty {
            let result = unsafe ub_ctx_resolvconf(context, configuration.resolvConf)
            if result != 0 {
                logger.warning(
                    "no name servers could be read, resolving from the root",
                    metadata: ["file": "\(configuration.resolvConf)", "reason": "\(Self.text(of: result))"])
            }
        }
        if let file = configuration.hostsFile, unsafe ub_ctx_hosts(context, file) != 0 {
            logger.warning("the hosts file can't be read", metadata: ["file": "\(file)"])
        }
        if let file = configuration.trustAnchorFile {
            try TrustAnchorFile.check(file)
            try check(unsafe ub_ctx_add_ta_file(context, file), "trust anchor file \(file)")
        }
        try check(unsafe ub_ctx_async(context, 1), "threads")
        if let file = configuration.trustAnchorFile { try takeUp(file) }
    }

    /// Makes libunbound read the trust anchors now and not with the first question, to hear whether it takes them.
    private func takeUp(_ file: String) throws(DNSError) {
        // Removing a zone that is not there changes nothing; what matters is that settings take effect before it.
        let result = unsafe ub_ctx_zone_remove(context, "nothing.invalid")
        guard result == 0 else {
            throw TrustAnchorFile.fault(
                file, "was refused by libunbound (\(Self.text(of: result)))",
                "write DS or DNSKEY records as in a zone file")
        }
    }

    deinit {
        unsafe ub_ctx_delete(context)
    }

    /// Readable when `process` has something to do.
    var descriptor: CInt { unsafe ub_fd(context) }

    /// Runs the callbacks of finished questions on this thread.
    func process() -> Bool { unsafe ub_process(context) == 0 }

    /// Starts a question.
    ///
    /// `callback` gets `reference` and a result that it must free.
    func ask(
        _ name: String, type: RecordType, reference: UnsafeMutableRawPointer, callback: ub_callback_type
    ) throws(DNSError) {
        try check(
            unsafe ub_resolve_async(context, name, CInt(type.rawValue), 1, reference, callback, nil), "question")
    }

    private func check(_ result: CInt, _ what: String) throws(DNSError) {
        guard result == 0 else { throw .temporary("libunbound refused \(what): \(Self.text(of: result))") }
    }

    private static func text(of result: CInt) -> String {
        guard let text = unsafe ub_strerror(result) else { return "error \(result)" }
        return unsafe String(cString: text)
    }
}

/// The kinds of records that mail needs, with their numbers in the protocol.
enum RecordType: Int, Sendable {
    case a = 1
    case ns = 2
    case cname = 5
    case soa = 6
    case ptr = 12
    case mx = 15
    case txt = 16
    case aaaa = 28
}
