// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Reporting

extension LogOutput.Format {
    /// What `[log] format` means here and now.
    init(setting: String) {
        switch setting {
        case "json": self = .json
        case "text": self = .text
        // systemd.exec(5): set when standard error goes to the journal, which has its own times.
        default: self = unsafe getenv("JOURNAL_STREAM") == nil ? .text : .journal
        }
    }
}
