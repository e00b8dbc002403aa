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
            // The shell is to see what ended us.
            signal(SIGINT, SIG_DFL)
            raise(SIGINT)
        }
        source.resume()
    }

    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
