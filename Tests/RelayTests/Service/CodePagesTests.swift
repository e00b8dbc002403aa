// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import Relay

@Suite struct CodePagesTests {
    @Test func onlyCodeFromFilesIsNamed() {
        let maps = """
            55d0a000-55d0b000 r--p 00000000 fe:00 131 /usr/bin/waxwing
            55d0b000-55d0f000 r-xp 00001000 fe:00 131 /usr/bin/waxwing
            55d0f000-55d10000 rw-p 00005000 fe:00 131 /usr/bin/waxwing
            7f000000-7f002000 r-xp 00000000 fe:00 132 /usr/lib/a name with spaces.so
            7f100000-7f101000 rwxp 00000000 00:00 0
            7f200000-7f201000 r-xp 00000000 00:00 0
            7ffc0000-7ffc2000 r-xp 00000000 00:00 0 [vdso]
            no line of that file
            """
        #expect(CodePages.ranges(in: maps) == [0x55d0_b000..<0x55d0_f000, 0x7f00_0000..<0x7f00_2000])
        #expect(CodePages.ranges(in: "") == [])
    }

    @Test func codeStillRunsAfterwards() {
        CodePages.release()
        #expect(CodePages.ranges(in: "1000-2000 r-xp 0 0:0 1 /a").map(\.count) == [0x1000])
    }
}
