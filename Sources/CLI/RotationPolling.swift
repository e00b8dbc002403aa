// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Relay
import Signing

/// RotationPolling is in charge of `keys rotate --wait`: it asks again until nothing is left to wait for.
///
/// It begins one rotation at most: all but the first question only take a running one further.
struct RotationPolling {
    /// Seconds between two questions; the last stands for all that follow.
    static let pauses = [1, 1, 2, 3, 5, 10]
    /// So many questions in a row may go unanswered: a daemon restarts, or is busy.
    static let maximumFailures = 12

    var perform: (KeyRequest) async throws -> KeyResponse
    var pause: (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// - Parameter tell: is given every answer.
    /// - Returns: the last answer.
    func run(_ request: KeyRequest, tell: (KeyResponse) -> Void) async throws -> KeyResponse {
        var response = try await perform(request)
        var next = KeyRequest(.rotate, domain: request.domain, algorithm: request.algorithm)
        next.onlyContinues = true
        var pauses = RotationPolling.pauses[...]
        var failures = 0
        while true {
            tell(response)
            // A daemon that does not say whether it has finished would be asked forever.
            guard !response.isError, response.isFinished == false else { return response }
            try await pause(.seconds(pauses.count > 1 ? pauses.removeFirst() : pauses.first ?? 1))
            do {
                response = try await perform(next)
                failures = 0
            } catch ControlError.noAnswer(let path, let reason) {
                failures += 1
                if failures >= RotationPolling.maximumFailures {
                    throw ControlError.noAnswer(path: path, reason: reason)
                }
            }
        }
    }
}

/// What is new in an answer, compared with the one before.
struct RotationProgress {
    private var lines: Set<Substring> = []
    private var warnings: Set<String> = []

    mutating func news(of response: KeyResponse) -> (text: String, warnings: [String]) {
        let all = response.text.split(separator: "\n", omittingEmptySubsequences: false)
        let fresh = all.filter { !lines.contains($0) }
        let freshWarnings = response.warnings.filter { !warnings.contains($0) }
        // The first answer is printed as it is, empty lines and all.
        let text = lines.isEmpty ? response.text : fresh.map { $0 + "\n" }.joined()
        lines = Set(all)
        lines.insert("")
        warnings = Set(response.warnings)
        return (text.isEmpty || text.hasSuffix("\n") ? text : text + "\n", freshWarnings)
    }
}
