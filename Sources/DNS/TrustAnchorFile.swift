// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns
internal import Glibc

/// TrustAnchorFile is in charge of saying what is wrong with a file of trust anchors, which libunbound takes unread
/// and then refuses without a reason, or takes as no anchor at all.
enum TrustAnchorFile {
    /// Directives and records; more is no file of trust anchors.
    private static let maximumEntries = 10_000

    /// - Throws: `.temporary`, unless the file can be read and holds DS or DNSKEY records and nothing else.
    static func check(_ path: String) throws(DNSError) {
        guard let file = unsafe fopen(path, "re") else {
            throw fault(path, "can't be read: \(reason(errno))", "name a file that exists and that this user may read")
        }
        defer { unsafe fclose(file) }
        var entries = 0
        var records = 0
        var line: CInt = 1
        var ttl: UInt32 = 0
        var origin: UnsafeMutablePointer<ldns_rdf>? = nil
        var previous: UnsafeMutablePointer<ldns_rdf>? = nil
        defer {
            unsafe ldns_rdf_deep_free(origin)
            unsafe ldns_rdf_deep_free(previous)
        }
        while unsafe feof(file) == 0 {
            var record: UnsafeMutablePointer<ldns_rr>? = nil
            let status = unsafe ldns_rr_new_frm_fp_l(&record, file, &ttl, &origin, &previous, &line)
            defer { unsafe ldns_rr_free(record) }
            // A directory can be opened.
            if unsafe ferror(file) != 0 { throw fault(path, "can't be read: \(reason(errno))", "name a file") }
            entries += 1
            guard entries <= maximumEntries else {
                throw fault(path, "has more than \(maximumEntries) entries", remedy)
            }
            switch status {
            case LDNS_STATUS_SYNTAX_EMPTY, LDNS_STATUS_SYNTAX_TTL, LDNS_STATUS_SYNTAX_ORIGIN: continue
            case LDNS_STATUS_OK: break
            default:
                let text = unsafe ldns_get_errorstr_by_id(status).map { unsafe String(cString: $0) }
                throw fault(path, "is malformed before line \(line): \(text ?? "no record")", remedy)
            }
            guard let record = unsafe record else { continue }
            if let problem = unsafe problem(with: record) {
                throw fault(path, "has a record before line \(line) that \(problem)", remedy)
            }
            records += 1
        }
        if records == 0 { throw fault(path, "has no record", remedy) }
    }

    /// RFC 8624 §3.1 and §3.3: what validators know; below an anchor of other algorithms libunbound checks nothing.
    private static let algorithms: Set<UInt8> = [5, 7, 8, 10, 13, 14, 15, 16]
    private static let digests: Set<UInt8> = [1, 2, 4]

    /// Nil for an anchor.
    @unsafe private static func problem(with record: UnsafeMutablePointer<ldns_rr>) -> String? {
        func field(_ index: Int) -> UInt8 {
            guard let data = unsafe ldns_rr_rdf(record, index) else { return 0 }
            return unsafe LdnsName.octets(of: data).first ?? 0
        }
        let algorithm: UInt8
        switch unsafe ldns_rr_get_type(record) {
        case LDNS_RR_TYPE_DS:
            algorithm = field(1)
            if !digests.contains(field(2)) { return "has a digest of type \(field(2)), which is not in use" }
        case LDNS_RR_TYPE_DNSKEY: algorithm = field(2)
        default: return "is neither DS nor DNSKEY"
        }
        return algorithms.contains(algorithm) ? nil : "has the algorithm \(algorithm), which is not in use"
    }

    private static let remedy =
        "write DS or DNSKEY records as in a zone file, such as `example.com. IN DS 1234 13 2 ...`"

    static func fault(_ path: String, _ problem: String, _ remedy: String) -> DNSError {
        .temporary("the trust anchor file \(PrintableText.of(path, limit: 1000)) \(problem): \(remedy)")
    }

    private static func reason(_ code: CInt) -> String {
        unsafe String(cString: strerror(code))
    }
}
