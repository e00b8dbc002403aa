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

enum FileKind {
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

/// What a route's `to` may hold.
enum RoutePattern {
    static func isPattern(_ text: String) -> Bool {
        if text == "*" { return true }
        return Domain(text.hasPrefix("*.") ? String(text.dropFirst(2)) : text) != nil
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
