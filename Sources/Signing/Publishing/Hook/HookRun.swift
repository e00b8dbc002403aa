// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Glibc
internal import Subprocess

/// HookRun is in charge of running a hook of the operator's: as whom, with what, for how long, and what its end means.
///
/// There is no shell between, the environment holds nothing of ours, and whatever the hook started is ended with it.
/// `Hook.md` beside this file is the contract.
struct HookRun: Sendable {
    /// BSD's `sysexits.h`: something is not there just now.
    private static let temporaryFailure: CInt = 75
    /// Of the hook's first line, for the key's history.
    private static let evidenceOctets = 200

    private let settings: HookSettings
    /// Seconds.
    private let timeLimit: Int64
    private let publisher: String
    private let keyDirectory: String
    /// From SIGTERM to SIGKILL.
    private let grace: Duration

    init(_ settings: HookSettings, publisher: String, keyDirectory: String, grace: Duration = .seconds(5)) {
        self.settings = settings
        self.timeLimit = max(1, settings.timeLimit)
        self.publisher = publisher
        self.keyDirectory = keyDirectory
        self.grace = grace
    }

    func result(of input: HookInput) async -> PublicationResult {
        do {
            guard let path = settings.command.first else {
                throw KeyError("no command is configured: name the hook by its absolute path")
            }
            let identity = try HookIdentity(keyDirectory: keyDirectory)
            let program = try HookProgram(path, for: identity)
            return outcome(try await runWhenFree(program, as: identity, input), input)
        } catch let error as KeyError {
            return failure(error.text, input)
        } catch {
            return failure("the hook can't be run: \(error)", input)
        }
    }

    // MARK: Running

    private static let busyTries = 20
    private static let busyPause = Duration.milliseconds(100)

    /// A file that was written a moment ago may still be open for writing, in a process that was made just then and is
    /// about to become another program: then it can't be run yet (execve(2), ETXTBSY).
    private func runWhenFree(
        _ program: HookProgram, as identity: HookIdentity, _ input: HookInput
    ) async throws -> End {
        for _ in 1..<Self.busyTries {
            do {
                return try await run(program, as: identity, input)
            } catch {
                let isBusy = unsafe strerror(ETXTBSY).map { "\(error)".contains(unsafe String(cString: $0)) } ?? false
                guard isBusy else { throw error }
                try await Task.sleep(for: Self.busyPause)
            }
        }
        return try await run(program, as: identity, input)
    }

    private struct End: Sendable {
        var status: TerminationStatus
        var isLate: Bool
        var output: [UInt8]
        var errorOutput: [UInt8]
    }

    /// Writing to a hook that does not read is an error to look at, not the end of this process.
    private static let brokenPipesAreErrors: Void = {
        _ = signal(SIGPIPE, SIG_IGN)
    }()

    private func run(_ program: HookProgram, as identity: HookIdentity, _ input: HookInput) async throws -> End {
        Self.brokenPipesAreErrors
        let output = HookOutput(keeping: .first)
        let errorOutput = HookOutput(keeping: .last)
        let start = ContinuousClock.now
        let result = try await Subprocess.run(
            configuration(program, identity, input), input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
            await withTaskGroup { group in
                group.addTask {
                    // A hook that goes by its environment need not read.
                    _ = try? await execution.standardInputWriter.write(input.json)
                    try? await execution.standardInputWriter.finish()
                }
                group.addTask { await output.read(execution.standardOutput) }
                group.addTask { await errorOutput.read(execution.standardError) }
                await execution.teardown(using: ending)
                output.end()
                errorOutput.end()
                // What it left behind; the process number is its own until this closure returns.
                try? execution.send(signal: .kill, toProcessGroup: true)
            }
            return ContinuousClock.now - start >= .seconds(timeLimit)
        }
        return End(
            status: result.terminationStatus, isLate: result.closureResult, output: output.bytes,
            errorOutput: errorOutput.bytes)
    }

    /// Signal 0 is none (POSIX `kill`): the first step only waits; SIGKILL to the group comes after the last.
    private var ending: [TeardownStep] {
        [
            .send(signal: Signal(rawValue: 0), allowedDurationToNextStep: .seconds(timeLimit)),
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace),
        ]
    }

    private func configuration(
        _ program: HookProgram, _ identity: HookIdentity, _ input: HookInput
    ) -> Configuration {
        var options = PlatformOptions()
        // A session of its own is a process group of its own, and no terminal.
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)
        ]
        if case .keyOwner(let user, let group) = identity {
            options.userID = user
            options.groupID = group
            options.supplementaryGroups = []
        }
        var environment: [Environment.Key: String] = [:]
        for (name, value) in input.environment {
            if let key = Environment.Key(rawValue: name) { environment[key] = value }
        }
        return Configuration(
            executable: .path(Self.literal(program.path)),
            arguments: Arguments(
                executablePathOverride: settings.command.first, remainingValues: Array(settings.command.dropFirst())),
            environment: .custom(environment), workingDirectory: Self.literal("/"), platformOptions: options)
    }

    /// A file path as if it stood in the source: the module of the type is Subprocess' own affair.
    private static func literal<Path: ExpressibleByStringLiteral>(_ path: String) -> Path
    where Path.StringLiteralType == String {
        Path(stringLiteral: path)
    }

    // MARK: What its end means

    private func outcome(_ end: End, _ input: HookInput) -> PublicationResult {
        let said = PrintableText.lines(String(decoding: end.errorOutput, as: UTF8.self))
        let details = said.isEmpty ? "" : "; it said:\n\(said)"
        let hook = "the hook \(PrintableText.line(settings.command.first ?? ""))"
        if end.isLate {
            return failure(
                "\(hook) did not end within \(timeLimit) s and was ended: make it quicker, or raise the "
                    + "publisher's time limit\(details)", input)
        }
        switch end.status {
        case .exited(0):
            let first = end.output.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).first ?? []
            let evidence = PrintableText.line(String(decoding: first, as: UTF8.self), limit: Self.evidenceOctets)
            return .submitted("publisher \"\(shownName)\": \(evidence.isEmpty ? "done" : evidence)")
        case .exited(Self.temporaryFailure):
            return failure("\(hook) asks to be run again later (exit status 75)\(details)", input)
        case .exited(let code):
            return failure("\(hook) ended with exit status \(code)\(details)", input)
        case .signaled(let signal):
            return failure("\(hook) was ended by signal \(signal)\(details)", input)
        }
    }

    private var shownName: String { PrintableText.line(publisher, limit: 100) }

    private func failure(_ text: String, _ input: HookInput) -> PublicationResult {
        .failed("publisher \"\(shownName)\" could not \(input.change.purpose.rawValue) \(input.name): \(text)")
    }
}
