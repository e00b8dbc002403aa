// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
package import Logging
import Synchronization

/// `LogOutput` is in charge of where log lines go and what they look like: one line an event, in one write,
/// with nothing in it that could pass for another line.
package final class LogOutput: Sendable {
    package enum Format: Sendable {
        /// `2026-11-23T22:46:00.123Z info message key=value`
        case text
        /// The same without the time, after the priority that sd-daemon(3) defines.
        case journal
        /// An object a line.
        case json
    }

    private let format: Format
    private let level: Atomic<Int>
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes a whole line with its line end.
    package init(
        format: Format, level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void = LogOutput.standardError
    ) {
        self.format = format
        self.level = Atomic(LogOutput.rank(level))
        self.write = write
    }

    /// The least that is logged; may change while the relay runs.
    package var logLevel: Logger.Level {
        get { Logger.Level.allCases[level.load(ordering: .relaxed)] }
        set { level.store(LogOutput.rank(newValue), ordering: .relaxed) }
    }

    /// A logger that writes here, under the level of this output.
    package func logger(label: String) -> Logger {
        Logger(label: label, factory: { _ in LineLogHandler(output: self) })
    }

    func write(_ event: LogEvent, _ metadata: Logger.Metadata) {
        var line = LogLine()
        switch format {
        case .text:
            line.append(time: LogOutput.now())
            line.append(" \(event.level.rawValue) ")
            line.appendText(event.message.description, metadata)
        case .journal:
            line.append("<\(LogOutput.priority(event.level))>")
            line.appendText(event.message.description, metadata)
        case .json:
            line.append("{\"time\":\"")
            line.append(time: LogOutput.now())
            line.append("\",\"level\":\"\(event.level.rawValue)\"")
            line.appendMembers(event.message.description, metadata)
            line.append("}")
        }
        line.append("\n")
        write(line.bytes)
    }

    package static let standardError: @Sendable ([UInt8]) -> Void = { bytes in
        // Nobody is left to be told when this fails.
        _ = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(STDERR_FILENO, buffer.baseAddress, buffer.count)
        }
    }

    private static func rank(_ level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }

    private static func now() -> (seconds: Int, milliseconds: Int) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec / 1_000_000)
    }

    /// The priorities of syslog(3).
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}

/// The handler of one logger: its own metadata, everything else is the output's.
private struct LineLogHandler: LogHandler {
    let output: LogOutput
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private var ownLevel: Logger.Level?

    init(output: LogOutput) {
        self.output = output
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? output.logLevel }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        output.write(event, all)
    }
}
