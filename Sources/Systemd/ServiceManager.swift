// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import CSystemd

/// `ServiceManager` is in charge of telling systemd how the relay is (sd_notify(3)); it never decides when.
///
/// Outside systemd, where `NOTIFY_SOCKET` is not set, every call does nothing.
package struct ServiceManager: Sendable {
    /// What systemd can be told.
    package enum Notification: Sendable {
        /// Everything has started.
        case ready
        /// A reload begins: `ready` must follow. Microseconds of CLOCK_MONOTONIC.
        case reloading(monotonicMicroseconds: UInt64)
        /// The relay drains and will exit.
        case stopping
        /// One line for `systemctl status`.
        case status(String)
    }

    package init() {}

    /// True if systemd was told; false outside systemd or if its socket does not answer.
    @discardableResult
    package func notify(_ notification: Notification) -> Bool {
        // The environment is left as it is: every later call needs it too.
        unsafe sd_notify(0, notification.text) > 0
    }
}

extension ServiceManager.Notification {
    /// The lines of sd_notify(3).
    var text: String {
        switch self {
        case .ready: "READY=1"
        case .reloading(let microseconds): "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
        case .stopping: "STOPPING=1"
        case .status(let line): "STATUS=" + line.replacing("\n", with: " ")
        }
    }
}
