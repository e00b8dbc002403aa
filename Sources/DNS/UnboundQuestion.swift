// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CUnbound

/// One question, from the task that asks to libunbound and back.
final class UnboundQuestion: Sendable {
    typealias Answer = Result<RecordSet, DNSError>

    let name: String
    let type: RecordType
    let deadline: ContinuousClock.Instant
    private let completion: @Sendable (Answer) -> Void

    init(
        name: String, type: RecordType, deadline: ContinuousClock.Instant,
        completion: @escaping @Sendable (Answer) -> Void
    ) {
        self.name = name
        self.type = type
        self.deadline = deadline
        self.completion = completion
    }

    /// Call once: the pump removes a question from its table before it answers.
    func answer(_ answer: Answer) {
        completion(answer)
    }
}

/// What came back for one name and type.
struct RecordSet: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// At least one, each as the octets of its data.
        case records([[UInt8]])
        case noData
        case nameError
    }

    var kind: Kind
    /// The name was an alias of another.
    var isAlias: Bool

    /// More records or octets than any sane name has are not taken over.
    static let maximumRecords = 1000

    /// Copies a result of libunbound.
    static func read(_ status: CInt, _ result: UnsafeMutablePointer<ub_result>?) -> UnboundQuestion.Answer {
        guard status == 0, let result = unsafe result?.pointee else {
            return .failure(.temporary("libunbound gave no answer (\(status))"))
        }
        // Such an answer has a code and data like any other.
        if unsafe result.bogus != 0 { return .failure(unsafe bogus(result)) }
        var isAlias = false
        if let canonical = unsafe result.canonname, let asked = unsafe result.qname {
            isAlias = unsafe sameName(String(cString: canonical), String(cString: asked)) == false
        }
        if unsafe result.nxdomain != 0 { return .success(RecordSet(kind: .nameError, isAlias: isAlias)) }
        // libunbound folds SERVFAIL, REFUSED and silence into one code.
        guard unsafe result.rcode == 0 else {
            let code = unsafe result.rcode
            return .failure(.temporary("no name server gave an answer (\(code == 2 ? "SERVFAIL" : "rcode \(code)"))"))
        }
        var records: [[UInt8]] = []
        if unsafe result.havedata != 0, let data = unsafe result.data, let lengths = unsafe result.len {
            while records.count < maximumRecords, let octets = unsafe data[records.count] {
                let length = unsafe Int(max(0, lengths[records.count]))
                records.append(unsafe Array(UnsafeRawBufferPointer(start: octets, count: length)))
            }
        }
        return .success(RecordSet(kind: records.isEmpty ? .noData : .records(records), isAlias: isAlias))
    }

    /// RFC 4035 §4.3: there should be a chain of valid signatures from a trust anchor, and there is none.
    @unsafe private static func bogus(_ result: ub_result) -> DNSError {
        let reason =
            if let text = unsafe result.why_bogus {
                unsafe String(cString: text)
            } else if let name = unsafe result.qname {
                unsafe "no reason is known for \(String(cString: name))"
            } else {
                "no reason is known"
            }
        return .temporary("DNSSEC validation failed: \(PrintableText.of(reason, limit: 500))")
    }

    private static func sameName(_ left: String, _ right: String) -> Bool {
        func plain(_ name: String) -> String {
            (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        }
        return plain(left) == plain(right)
    }
}
