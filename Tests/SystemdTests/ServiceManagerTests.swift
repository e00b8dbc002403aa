// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Systemd
import Testing

/// One test at a time: `NOTIFY_SOCKET` belongs to the whole process.
@Suite(.serialized) struct ServiceManagerTests {
    @Test func `nobody is told outside systemd`() {
        unsafe unsetenv("NOTIFY_SOCKET")
        #expect(!ServiceManager().notify(.ready))
    }

    @Test(arguments: [
        (ServiceManager.Notification.ready, "READY=1"),
        (.stopping, "STOPPING=1"),
        (.reloading(monotonicMicroseconds: 12), "RELOADING=1\nMONOTONIC_USEC=12"),
        (.status("3 queued\nREADY=1"), "STATUS=3 queued READY=1"),
    ])
    func `systemd gets the datagram of sd_notify`(notification: ServiceManager.Notification, expected: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        // An abstract address: nothing to clean up, and never one of systemd's own.
        let name = "waxwing-test-\(getpid())"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.utf8.enumerated() { unsafe path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        try #require(bound == 0)
        unsafe setenv("NOTIFY_SOCKET", "@" + name, 1)
        defer { unsafe unsetenv("NOTIFY_SOCKET") }

        #expect(ServiceManager().notify(notification))
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == expected)
    }
}
