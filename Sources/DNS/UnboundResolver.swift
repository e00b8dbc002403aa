// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Logging

/// UnboundResolver is in charge of questions to the DNS: asynchronous, cached (by libunbound, negative answers too),
/// bounded in number and in time.
///
/// It never blocks the thread that asks.
///
/// It validates DNSSEC below the trust anchors that it is given, and nothing without: an answer that should be signed
/// and is not, or wrongly, is a temporary failure.
package final class UnboundResolver: Resolver {
    private let pump: UnboundPump
    private let timeLimit: Duration

    /// - Throws: `.temporary` when libunbound refuses the configuration, the trust anchors can't be used, or the machine
    ///   has no thread left.
    package init(_ configuration: ResolverConfiguration = ResolverConfiguration(), logger: Logger) throws(DNSError) {
        self.pump = try UnboundPump(configuration, logger: logger)
        self.timeLimit = configuration.timeLimit
    }

    deinit {
        pump.close()
    }

    package func mx(_ name: String) async throws(DNSError) -> MXAnswer {
        switch try await records(of: name, type: .mx).kind {
        case .nameError: return .nameError
        case .noData: return .noData
        case .records(let data):
            let all = data.compactMap(RecordData.mailExchanger)
            // RFC 7505 §3: beside others an empty name means nothing.
            let hosts = all.filter { !$0.host.isEmpty }
            if hosts.isEmpty, all.isEmpty { throw .temporary("the MX records of \(name) are malformed") }
            if hosts.isEmpty { return .nullMX }
            return .records(hosts.sorted { $0.preference < $1.preference })
        }
    }

    package func txt(_ name: String) async throws(DNSError) -> TXTAnswer {
        switch try await records(of: name, type: .txt).kind {
        case .nameError: return .nameError
        case .noData: return .noData
        case .records(let data):
            let texts = data.compactMap(RecordData.text)
            guard !texts.isEmpty else { throw .temporary("the TXT records of \(name) are malformed") }
            return .records(texts)
        }
    }

    package func addresses(_ host: String) async throws(DNSError) -> [IPAddress] {
        if let literal = IPAddress(host) { return [literal] }
        async let sixteen = answer(to: host, type: .aaaa)
        let four = await answer(to: host, type: .a)
        return try Self.addresses(from: [four, await sixteen])
    }

    /// One address is enough, whatever the other question came to.
    ///
    /// Without any, a temporary failure counts first: the missing answer may hold one.
    static func addresses(from answers: [UnboundQuestion.Answer]) throws(DNSError) -> [IPAddress] {
        var found: [IPAddress] = []
        var failure = DNSError.nameError
        for answer in answers {
            switch answer {
            case .success(let set):
                if case .records(let data) = set.kind { found += data.compactMap { IPAddress(octets: $0) } }
                if set.kind != .nameError, failure == .nameError { failure = .noData }
            case .failure(let error):
                failure = error
            }
        }
        guard found.isEmpty else { return found }
        throw failure
    }

    /// The names of the servers of exactly this zone; empty if the name is not the top of one.
    package func nameServers(_ name: String) async throws(DNSError) -> [String] {
        let set = try await records(of: name, type: .ns)
        guard !set.isAlias, case .records(let data) = set.kind else { return [] }
        return data.compactMap(RecordData.name)
    }

    /// The names that an address is said to have (PTR), as the one in charge of the address says; at least one.
    package func names(of address: IPAddress) async throws(DNSError) -> [String] {
        let set = try await records(of: address.reverseName, type: .ptr)
        switch set.kind {
        case .nameError: throw .nameError
        case .noData: throw .noData
        case .records(let data):
            let names = data.compactMap(RecordData.name).filter { !$0.isEmpty }
            guard !names.isEmpty else { throw .temporary("the PTR records of \(address) are malformed") }
            return names.sorted()
        }
    }

    private func records(of name: String, type: RecordType) async throws(DNSError) -> RecordSet {
        try await answer(to: name, type: type).get()
    }

    private func answer(to name: String, type: RecordType) async -> UnboundQuestion.Answer {
        let deadline = ContinuousClock.now + timeLimit
        return await withCheckedContinuation { continuation in
            let question = UnboundQuestion(name: name, type: type, deadline: deadline) { answer in
                continuation.resume(returning: answer)
            }
            if !pump.submit(question) {
                question.answer(.failure(.temporary("too many questions to the DNS are open")))
            }
        }
    }
}
