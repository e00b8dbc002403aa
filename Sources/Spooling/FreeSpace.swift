// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Synchronization

/// FreeSpace is in charge of knowing how full the spool's file system is, at most a second ago.
final class FreeSpace: Sendable {
    struct Reading: Hashable, Sendable {
        var free: Int64
        var size: Int64
    }

    private let path: String
    private let minimum: MinimumFree
    private let read: @Sendable (String) -> Reading?
    private let last = Mutex<(at: ContinuousClock.Instant, reading: Reading?)?>(nil)

    init(path: String, minimum: MinimumFree, read: @escaping @Sendable (String) -> Reading? = FreeSpace.statistics) {
        self.path = path
        self.minimum = minimum
        self.read = read
    }

    /// Whether `octets` more would leave the minimum free.
    ///
    /// Yes if the file system doesn't say.
    func holds(_ octets: Int64) -> Bool {
        guard let reading = current() else { return true }
        let reserve: Int64 =
            switch minimum {
            case .fraction(let fraction): Int64(Double(reading.size) * fraction)
            case .octets(let octets): octets
            }
        let (rest, overflow) = reading.free.subtractingReportingOverflow(octets)
        return !overflow && rest >= reserve
    }

    /// What was read counts no longer: a write just failed.
    func forget() {
        last.withLock { $0 = nil }
    }

    private func current() -> Reading? {
        let now = ContinuousClock.now
        return last.withLock { last in
            if let last, now - last.at < .seconds(1) { return last.reading }
            let reading = read(path)
            last = (now, reading)
            return reading
        }
    }

    static func statistics(_ path: String) -> Reading? {
        var information = statvfs()
        guard unsafe statvfs(path, &information) == 0 else { return nil }
        let block = Int64(information.f_frsize)
        // f_bavail: what is left for anybody but root.
        return Reading(free: Int64(information.f_bavail) * block, size: Int64(information.f_blocks) * block)
    }
}
