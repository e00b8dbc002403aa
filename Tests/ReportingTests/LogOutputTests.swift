// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Synchronization
import Testing

@testable import Reporting

/// Collects lines.
private final class Sheet: Sendable {
    private let text = Mutex("")

    var contents: String { text.withLock { $0 } }

    func output(_ format: LogOutput.Format, _ level: Logger.Level = .info) -> LogOutput {
        LogOutput(format: format, level: level) { bytes in
            self.text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
    }
}

@Suite struct LogOutputTests {
    @Test("A text line has time, level, message and sorted fields")
    func textLine() throws {
        let sheet = Sheet()
        sheet.output(.text).logger(label: "x").notice("deferred", metadata: ["b": "2", "a": "one two", "c": ""])
        let parts = sheet.contents.split(separator: " ", maxSplits: 1)
        #expect(parts.last == "notice deferred a=\"one two\" b=2 c=\"\"\n")
        let time = try #require(parts.first)
        #expect(time.utf8.count == 24)
        #expect(time.hasSuffix("Z") && time.dropFirst(10).hasPrefix("T"))
    }

    @Test("A journal line starts with its priority and has no time")
    func journalLine() {
        let sheet = Sheet()
        let logger = sheet.output(.journal, .trace).logger(label: "x")
        logger.critical("a")
        logger.error("b")
        logger.warning("c")
        logger.notice("d")
        logger.info("e")
        logger.debug("f")
        logger.trace("g")
        #expect(sheet.contents == "<2>a\n<3>b\n<4>c\n<5>d\n<6>e\n<7>f\n<7>g\n")
    }

    @Test("A JSON line is one object")
    func jsonLine() {
        let sheet = Sheet()
        sheet.output(.json).logger(label: "x").info("a \"b\"", metadata: ["k": "v\\w\n"])
        #expect(sheet.contents.hasPrefix("{\"time\":\"2"))
        #expect(
            sheet.contents.hasSuffix(
                ",\"level\":\"info\",\"message\":\"a \\\"b\\\"\",\"k\":\"v\\\\w\\u000a\"}\n"))
    }

    @Test("No value can start a line or a field of its own", arguments: [LogOutput.Format.text, .journal, .json])
    func injection(_ format: LogOutput.Format) {
        let sheet = Sheet()
        sheet.output(format).logger(label: "x")
            .warning("failed", metadata: ["text": "550 no\r\n2026-01-01 info accepted owner=\"x\" \u{1b}[2J"])
        #expect(sheet.contents.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(sheet.contents.utf8.allSatisfy { $0 >= 0x20 || $0 == UInt8(ascii: "\n") })
        #expect(!sheet.contents.contains(" owner=\"x\""))
    }

    @Test("The level of an output may change, the level of one logger is its own")
    func levels() {
        let sheet = Sheet()
        let output = sheet.output(.journal, .warning)
        let logger = output.logger(label: "x")
        var own = logger
        own.logLevel = .error
        logger.info("1")
        output.logLevel = .info
        logger.info("2")
        own.warning("3")
        own.error("4")
        #expect(sheet.contents == "<6>2\n<3>4\n")
    }

    @Test("A logger's own fields are written, and those of a line win")
    func metadataOfLogger() {
        let sheet = Sheet()
        var logger = sheet.output(.journal).logger(label: "x")
        logger[metadataKey: "a"] = "1"
        logger[metadataKey: "b"] = "1"
        logger.info("m", metadata: ["b": "2"])
        #expect(logger[metadataKey: "a"] == "1")
        #expect(sheet.contents == "<6>m a=1 b=2\n")
    }

    @Test(
        "Days are dates",
        arguments: [
            (0, 1970, 1, 1), (58, 1970, 2, 28), (59, 1970, 3, 1), (11_016, 2000, 2, 29), (11_017, 2000, 3, 1),
            (20_780, 2026, 11, 23), (47_540, 2100, 2, 28), (47_541, 2100, 3, 1), (20_088, 2024, 12, 31),
        ])
    func dates(_ days: Int, _ year: Int, _ month: Int, _ day: Int) {
        #expect(LogLine.date(days) == (year, month, day))
    }
}
