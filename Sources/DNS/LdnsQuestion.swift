// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns
internal import Glibc

/// LdnsQuestion asks one name server itself, without any cache between: over UDP, once more, then over TCP (a
/// truncated reply leads there at once).
///
/// Blocks, for at most the sum of `tries`.
struct LdnsQuestion {
    private static let tries: [(isTCP: Bool, seconds: Int)] = [(false, 1), (false, 2), (true, 2)]

    let name: String
    let server: ServerAddress

    func ask() -> ServerAnswer.Kind {
        guard let owner = unsafe ldns_dname_new_frm_str(name) else { return .failure("\(name) is no domain name") }
        defer { unsafe ldns_rdf_deep_free(owner) }
        var reason = "no reply"
        var isTruncated = false
        for attempt in Self.tries where attempt.isTCP || !isTruncated {
            var reply: UnsafeMutablePointer<ldns_pkt>?
            let status = unsafe send(owner, isTCP: attempt.isTCP, seconds: attempt.seconds, reply: &reply)
            guard status == LDNS_STATUS_OK, let reply = unsafe reply else {
                if let text = unsafe ldns_get_errorstr_by_id(status) { reason = unsafe String(cString: text) }
                continue
            }
            defer { unsafe ldns_pkt_free(reply) }
            // `bool` of ldns is a char here.
            isTruncated = unsafe ldns_pkt_tc(reply) != 0
            if isTruncated {
                reason = "the reply is too long for UDP and no answer came over TCP"
            } else {
                return unsafe LdnsReply.read(reply, owner: owner)
            }
        }
        return .unreachable(reason)
    }

    private func send(
        _ owner: UnsafeMutablePointer<ldns_rdf>, isTCP: Bool, seconds: Int,
        reply: inout UnsafeMutablePointer<ldns_pkt>?
    ) -> ldns_status {
        let kind = server.address.isIPv6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A
        guard let resolver = unsafe ldns_resolver_new(),
            let address = unsafe ldns_rdf_new_frm_str(kind, server.address.description)
        else { return LDNS_STATUS_MEM_ERR }
        defer {
            unsafe ldns_rdf_deep_free(address)
            unsafe ldns_resolver_deep_free(resolver)
        }
        let status = unsafe ldns_resolver_push_nameserver(resolver, address)
        guard status == LDNS_STATUS_OK else { return status }
        unsafe ldns_resolver_set_port(resolver, UInt16(truncatingIfNeeded: server.port))
        unsafe ldns_resolver_set_timeout(resolver, timeval(tv_sec: seconds, tv_usec: 0))
        unsafe ldns_resolver_set_retry(resolver, 1)
        // ldns sleeps this long after a failure.
        unsafe ldns_resolver_set_retrans(resolver, 0)
        unsafe ldns_resolver_set_recursive(resolver, 0)
        unsafe ldns_resolver_set_igntc(resolver, 1)
        unsafe ldns_resolver_set_usevc(resolver, isTCP ? 1 : 0)
        unsafe ldns_resolver_set_edns_udp_size(resolver, 1232)
        return unsafe ldns_resolver_send(&reply, resolver, owner, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, 0)
    }
}
