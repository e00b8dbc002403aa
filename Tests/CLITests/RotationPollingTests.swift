// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay
import Signing
import Testing

@testable import CLI

@Suite("keys rotate --wait") struct RotationPollingTests {
    /// Answers from a script, and what was asked.
    private final class Script {
        enum Step {
            case answer(KeyResponse)
            case failure(ControlError)
        }

        var steps: [Step]
        private(set) var requests: [KeyRequest] = []
        private(set) var pauses: [Duration] = []

        init(_ steps: [Step]) {
            self.steps = steps
        }

        var wait: RotationPolling {
            RotationPolling(
                perform: { [self] request in
                    requests.append(request)
                    guard !steps.isEmpty else { throw ControlError.refused("the script is over") }
                    switch steps.removeFirst() {
                    case .answer(let response): return response
                    case .failure(let error): throw error
                    }
                }, pause: { [self] in pauses.append($0) })
        }
    }

    private static let waiting = KeyResponse(text: "waits\n", isFinished: false)
    private static let finished = KeyResponse(text: "done\n", hasChanged: true, isFinished: true)
    private static let silence = ControlError.noAnswer(path: "c.sock", reason: "none within 120 s")
    private static let request = KeyRequest(
        .rotate, domain: "example.com", selector: "s", algorithm: "ed25519", skipsWait: true, isCompromised: true)

    @Test("Only the first question may begin a rotation or say that a key is compromised")
    func continuesOnly() async throws {
        let script = Script([.answer(Self.waiting), .answer(Self.waiting), .answer(Self.finished)])
        var told: [KeyResponse] = []
        let last = try await script.wait.run(Self.request) { told.append($0) }
        #expect(last == Self.finished && told == [Self.waiting, Self.waiting, Self.finished])
        let next = KeyRequest(.rotate, domain: "example.com", algorithm: "ed25519", onlyContinues: true)
        #expect(script.requests == [Self.request, next, next])
        #expect(script.pauses == [.seconds(1), .seconds(1)])
    }

    @Test("It asks again soon at first, and then every 10 s")
    func pauses() async throws {
        let script = Script(Array(repeating: .answer(Self.waiting), count: 9) + [.answer(Self.finished)])
        _ = try await script.wait.run(Self.request) { _ in }
        #expect(script.pauses == [1, 1, 2, 3, 5, 10, 10, 10, 10].map { .seconds($0) })
    }

    @Test(
        "It ends with an error, and with an answer that does not say whether it is the last",
        arguments: [KeyResponse(isError: true, text: "no\n", isFinished: false), KeyResponse(text: "old\n")])
    func ends(response: KeyResponse) async throws {
        let script = Script([.answer(Self.waiting), .answer(response)])
        #expect(try await script.wait.run(Self.request) { _ in } == response)
        #expect(script.requests.count == 2)
    }

    @Test("A daemon that restarts is waited for, and one that stays silent is not")
    func silences() async throws {
        let few = Script(
            [.answer(Self.waiting)]
                + Array(repeating: .failure(Self.silence), count: RotationPolling.maximumFailures - 1)
                + [.answer(Self.finished)])
        #expect(try await few.wait.run(Self.request) { _ in } == Self.finished)
        let many = Script(
            [.answer(Self.waiting)] + Array(repeating: .failure(Self.silence), count: RotationPolling.maximumFailures))
        await #expect(throws: ControlError.self) { try await many.wait.run(Self.request) { _ in } }
        #expect(many.requests.count == RotationPolling.maximumFailures + 1)
        let refused = Script([.answer(Self.waiting), .failure(.refused("no"))])
        await #expect(throws: ControlError.self) { try await refused.wait.run(Self.request) { _ in } }
    }

    @Test("Of an answer only what the one before did not say is printed")
    func progress() {
        var progress = RotationProgress()
        let first = progress.news(of: KeyResponse(text: "a\n\nwaits for ns1", warnings: ["w"]))
        #expect(first.text == "a\n\nwaits for ns1\n" && first.warnings == ["w"])
        let same = progress.news(of: KeyResponse(text: "a\n\nwaits for ns1", warnings: ["w"]))
        #expect(same.text.isEmpty && same.warnings.isEmpty)
        let second = progress.news(of: KeyResponse(text: "a\n\nwaits for ns2\n", warnings: ["w", "x"]))
        #expect(second.text == "waits for ns2\n" && second.warnings == ["x"])
        #expect(progress.news(of: KeyResponse(text: "a\n\nwaits for ns1\n")).text == "waits for ns1\n")
    }
}

@Suite("Answers to key commands") struct KeysFinishTests {
    private func status(_ response: KeyResponse, json: Bool = false) -> Int32 {
        do {
            try Keys.finish(response, json: json)
            return 0
        } catch {
            return (error as? ExitCode)?.rawValue ?? -1
        }
    }

    @Test("An error and a problem end a command with 1, and all else with 0")
    func statuses() {
        #expect(status(KeyResponse(text: "")) == 0)
        #expect(status(KeyResponse(text: "", hasProblem: false)) == 0)
        #expect(status(KeyResponse(text: "", hasProblem: true)) == 1)
        #expect(status(KeyResponse(isError: true, text: "")) == 1)
        #expect(status(KeyResponse(text: "", document: ""), json: true) == 0)
        #expect(status(KeyResponse(text: "", hasProblem: true, document: ""), json: true) == 1)
    }

    @Test("JSON that an older daemon does not give is missed")
    func missingJSON() {
        #expect(status(KeyResponse(text: ""), json: true) == 1)
    }
}
