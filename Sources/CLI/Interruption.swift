// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Dispatch
import Glibc

/// Says something before Ctrl-C ends this process.
struct Interruption {
    private let source: any DispatchSourceSignal

    init(saying text: String) {
        // The source only sees what the process does not die of.
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            Output.error(text)
            Interruption.die()
        }
        source.resume()
    }

    /// The shell is to see what ended us.
    private static func die() {
        signal(SIGINT, SIG_DFL)
        // Dispatch blocks signals in its threads, and what is raised in one is for that thread.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        raise(SIGINT)
    }

    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
