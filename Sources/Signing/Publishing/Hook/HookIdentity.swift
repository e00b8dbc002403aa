// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// The user that a hook runs as.
enum HookIdentity: Hashable, Sendable {
    /// The one that this process runs as, which is not root.
    case current(user: uid_t)
    /// This process is root, and the key directory belongs to somebody else: the hook needs no more than that.
    case keyOwner(user: uid_t, group: gid_t)
    /// This process is root, and so is the owner of the key directory.
    case root

    /// - Parameter keyDirectory: its owner tells whose affair keys are.
    init(keyDirectory: String) throws(KeyError) {
        let user = geteuid()
        guard user == 0 else {
            self = .current(user: user)
            return
        }
        var status = stat()
        guard unsafe stat(keyDirectory, &status) == 0 else {
            throw DurableFiles.failure("look at the key directory", keyDirectory)
        }
        guard status.st_uid != 0 else {
            self = .root
            return
        }
        // A directory of somebody's that was left in root's group must not give the hook that group.
        let group = Self.primaryGroup(of: status.st_uid) ?? status.st_gid
        guard group != 0 else {
            throw KeyError(
                "the owner of \(keyDirectory) (user \(status.st_uid)) has no other group than root's to run a hook "
                    + "with: run `chgrp GROUP \(ShellWord.quoted(keyDirectory))`")
        }
        self = .keyOwner(user: status.st_uid, group: group)
    }

    var user: uid_t {
        switch self {
        case .current(let user), .keyOwner(let user, _): user
        case .root: 0
        }
    }

    /// What the user database says; nil for a user that is not in it.
    private static func primaryGroup(of user: uid_t) -> gid_t? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>? = nil
        var space = [CChar](repeating: 0, count: 16 * 1024)
        let result = unsafe getpwuid_r(user, &entry, &space, space.count, &found)
        return unsafe result == 0 && found != nil ? entry.pw_gid : nil
    }
}
