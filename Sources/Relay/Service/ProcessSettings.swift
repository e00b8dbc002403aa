// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc

/// What is set once for the whole process.
enum ProcessSettings {
    /// M_ARENA_MAX of mallopt(3): threads share this many arenas, as each arena keeps what it once had.
    private static let arenas = (parameter: Int32(-8), value: Int32(2))
    /// M_TRIM_THRESHOLD: free octets at the top of the heap beyond this are given back.
    private static let trimThreshold = (parameter: Int32(-1), value: Int32(1 << 20))

    static func apply() {
        // A peer that closes its connection is an error of one write, not the end of the process.
        _ = signal(SIGPIPE, SIG_IGN)
        limitHeap()
        raiseDescriptorLimit()
    }

    /// <malloc.h> is in no module of Swift's: the function is looked up by name, and done without where the C
    /// library has none.
    private static func limitHeap() {
        typealias Option = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = unsafe dlsym(nil, "mallopt") else { return }
        // 1: glibc declares mallopt as int (int, int).
        let mallopt = unsafe unsafeBitCast(symbol, to: Option.self)
        _ = mallopt(arenas.parameter, arenas.value)
        _ = mallopt(trimThreshold.parameter, trimThreshold.value)
    }

    /// Each session, each connection and each large message is a descriptor.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
