// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Dispatch

/// BlockingWork is in charge of work that waits for the network on the thread it runs on.
enum BlockingWork {
    /// Runs `work` on a thread of its own.
    ///
    /// A fresh serial queue gets one at once. The global queues start one more thread a second when all of theirs
    /// wait, which would ask twenty servers in five seconds instead of one.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "waxwing.dns").async { continuation.resume(returning: work()) }
        }
    }
}
