// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Subprocess
internal import Synchronization

/// HookOutput is in charge of one stream of a hook's: all of it is read, so that the hook never waits, and a part kept.
final class HookOutput: Sendable {
    enum Part: Sendable {
        case first, last
    }

    static let maximumOctets = 64 * 1024
    /// More than fits into a pipe: what may still be read when the hook has ended.
    ///
    /// A process that the hook left behind could write for ever.
    private static let remainingReads = 16

    private struct State {
        var bytes: [UInt8] = []
        var hasEnded = false
        var readsLeft = HookOutput.remainingReads
    }

    private let part: Part
    private let state = Mutex(State())

    init(keeping part: Part) {
        self.part = part
    }

    /// Returns at the end of the stream, or soon after the hook's.
    func read(_ stream: SubprocessOutputSequence) async {
        do {
            for try await buffer in stream {
                guard keep(buffer) else { return }
            }
        } catch {
            // Nothing more comes; the exit status says how it went.
        }
    }

    /// The hook has ended.
    func end() {
        state.withLock { $0.hasEnded = true }
    }

    var bytes: [UInt8] { state.withLock { $0.bytes.suffix(Self.maximumOctets) } }

    /// False: enough.
    private func keep(_ buffer: SubprocessOutputSequence.Buffer) -> Bool {
        let bytes = unsafe buffer.withUnsafeBytes { unsafe Array($0) }
        return state.withLock { state in
            switch part {
            case .first: state.bytes += bytes.prefix(Self.maximumOctets - state.bytes.count)
            case .last:
                state.bytes += bytes
                // Not for each buffer: moving the bytes costs more than reading them.
                if state.bytes.count > 2 * Self.maximumOctets {
                    state.bytes.removeFirst(state.bytes.count - Self.maximumOctets)
                }
            }
            guard state.hasEnded else { return true }
            state.readsLeft -= 1
            return state.readsLeft > 0
        }
    }
}
