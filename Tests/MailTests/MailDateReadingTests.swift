// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Reading dates")
struct MailDateReadingTests {
    @Test(
        "known forms of known moments",
        arguments: [
            ("Mon, 23 Nov 2026 09:05:00 +0000", 1_795_424_700_000),
            ("23 Nov 2026 09:05 GMT", 1_795_424_700_000),
            (" mon , 23 nov 2026 09:05:00 +0000", nil),
            ("mon,  23  nov 2026  10:05:00 +0100 (CET) ", 1_795_424_700_000),
            ("Mon, 23 Nov 2026 04:05:00 EST", 1_795_424_700_000),
            ("Mon, 23 Nov 2026 09:05:00 -0000", 1_795_424_700_000),
            ("2026-11-23T09:05:00Z", 1_795_424_700_000),
            ("2026-11-23t14:35:00.25+05:30", 1_795_424_700_250),
            ("2026-11-23 09:05:00.123456z", 1_795_424_700_123),
            ("2026-11-22T23:59:60-09:05", 1_795_424_700_000),
            ("1969-12-31T23:59:59Z", -1000),
            ("29 Feb 2000 00:00:00 +0000", 951_782_400_000),
            ("Tue, 23 Nov 2026 09:05:00 +0000", nil),
            ("29 Feb 2100 00:00:00 +0000", nil),
            ("31 Nov 2026 00:00:00 +0000", nil),
            ("0 Nov 2026 00:00:00 +0000", nil),
            ("23 Nov 26 09:05:00 +0000", nil),
            ("23 Nov 2026 24:00:00 +0000", nil),
            ("23 Nov 2026 09:60:00 +0000", nil),
            ("23 Nov 2026 09:05:61 +0000", nil),
            ("23 Nov 2026 09:05:00", nil),
            ("23 Nov 2026 09:05:00 CET", nil),
            ("23 Nov 2026 09:05:00 +0000 x", nil),
            ("23 Nov 2026 09:05:00 +0000 (x", nil),
            ("2026-11-23", nil),
            ("2026-11-23T09:05:00", nil),
            ("2026-11-23T09:05Z", nil),
            ("2026-11-23T09:05:00.Z", nil),
            ("2026-11-23T09:05:00+0100", nil),
            ("2026-13-01T09:05:00Z", nil),
            ("tomorrow", nil),
            ("", nil),
        ] as [(String, Int64?)])
    func known(text: String, milliseconds: Int64?) {
        #expect(MailDate.moment(text)?.milliseconds == milliseconds)
    }

    @Test("what is written is read as the same moment")
    func roundTrip() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let moment = Timestamp(seconds: Int64.random(in: -2_208_988_800...253_402_300_799, using: &generator))
            guard MailDate.moment(MailDate.text(moment)) == moment else {
                Issue.record("\(MailDate.text(moment)) with seed \(seed)")
                return
            }
        }
    }
}
