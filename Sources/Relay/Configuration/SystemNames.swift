// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Mail

/// The group database of this machine.
enum GroupDatabase {
    static func identifier(of name: String) -> gid_t? {
        unsafe getgrnam(name)?.pointee.gr_gid
    }
}

/// The user database of this machine.
enum UserDatabase {
    /// - Parameter name: or a number, which need not be there.
    static func identifier(of name: String) -> uid_t? {
        if let number = uid_t(name) { return number }
        return unsafe getpwnam(name)?.pointee.pw_uid
    }
}

enum FileKind {
    static func isDirectory(_ path: String) -> Bool {
        // A trailing slash makes the kernel refuse what is no directory.
        unsafe access(path + "/", F_OK) == 0
    }
}

/// The name of this machine.
enum Machine {
    static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Domain(name) == nil ? "localhost" : name
    }
}
