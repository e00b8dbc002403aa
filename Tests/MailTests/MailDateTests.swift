// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@Suite("Dates and message IDs")
struct MailDateTests {
    @Test(
        "known moments",
        arguments: [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (951_868_799, "Tue, 29 Feb 2000 23:59:59 +0000"),
            (951_868_800, "Wed, 1 Mar 2000 00:00:00 +0000"),
            (1_795_424_700, "Mon, 23 Nov 2026 09:05:00 +0000"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"),
            (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (-2_208_988_800, "Mon, 1 Jan 1900 00:00:00 +0000"),
            (-2_208_988_801, "Mon, 1 Jan 1900 00:00:00 +0000"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
            (Int64.max / 1000, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] as [(Int64, String)])
    func known(seconds: Int64, text: String) {
        #expect(MailDate.text(Timestamp(seconds: seconds)) == text)
    }

    @Test("a moment within a second is written as that second, before the epoch too")
    func milliseconds() {
        #expect(MailDate.text(Timestamp(milliseconds: 999)) == "Thu, 1 Jan 1970 00:00:00 +0000")
        #expect(MailDate.text(Timestamp(milliseconds: -1)) == "Wed, 31 Dec 1969 23:59:59 +0000")
    }

    @Test("the days of four centuries follow one another as a calendar counts them")
    func calendar() {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        var (year, month, day, weekday) = (1900, 0, 1, 0)
        var moment = Timestamp(seconds: -2_208_988_800)
        while year < 2301 {
            let expected = "\(weekdays[weekday]), \(day) \(months[month]) \(year) 00:00:00 +0000"
            guard MailDate.text(moment) == expected else {
                Issue.record("\(MailDate.text(moment)) should be \(expected)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            (day, weekday) = (day + 1, (weekday + 1) % 7)
            if day > lengths[month] { (day, month) = (1, month + 1) }
            if month == 12 { (month, year) = (0, year + 1) }
            moment = moment.advanced(bySeconds: 86400)
        }
    }

    @Test("a message ID names its host, and differs by queue ID and by random number")
    func messageID() throws {
        let first = try #require(QueueID(rawValue: 1))
        let second = try #require(QueueID(rawValue: 2))
        let text = MessageIDMaker.messageID(queueID: first, random: 7, host: "example.com")
        #expect(text == "<0000000000001.7000000000000@example.com>")
        #expect(text != MessageIDMaker.messageID(queueID: second, random: 7, host: "example.com"))
        #expect(text != MessageIDMaker.messageID(queueID: first, random: 8, host: "example.com"))
        #expect(
            MessageIDMaker.messageID(queueID: first, random: .max, host: "h") == "<0000000000001.zzzzzzzzzzzzf@h>")
    }
}
