// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Glibc

/// HookProgram is in charge of not running what somebody else could have put in the place of the operator's hook.
struct HookProgram: Hashable, Sendable {
    /// Without symbolic links.
    let path: String

    /// - Parameter path: as configured.
    init(_ path: String, for identity: HookIdentity) throws(KeyError) {
        let shown = PrintableText.line(path)
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw KeyError("the hook \(shown) is not named by its absolute path: give the whole path, from / on")
        }
        guard let resolved = unsafe realpath(path, nil) else { throw DurableFiles.failure("find the hook", shown) }
        defer { unsafe free(resolved) }
        self.path = unsafe String(cString: resolved)
        try check(for: identity)
        if identity == .root { try checkParents() }
    }

    private var shown: String { PrintableText.line(path) }

    private func check(for identity: HookIdentity) throws(KeyError) {
        let status = try Self.status(of: path)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw KeyError("the hook \(shown) is no file: name a program or a script")
        }
        guard Self.canExecute(status, identity, path) else {
            throw KeyError(
                "the hook \(shown) can't be executed by user \(identity.user): run `chmod 755 \(ShellWord.quoted(path))`"
            )
        }
        // Who may write to the program decides what we run, and what we run may read our private keys.
        guard status.st_mode & 0o022 == 0 else {
            throw KeyError(
                "others than its owner may write to the hook \(shown), and with it act for Waxwing: "
                    + "run `chmod go-w \(ShellWord.quoted(path))`")
        }
        guard status.st_uid == 0 || status.st_uid == identity.user else {
            throw KeyError(
                "the hook \(shown) belongs to user \(status.st_uid), who could make it do anything as user "
                    + "\(identity.user): run `chown root \(ShellWord.quoted(path))`")
        }
    }

    /// Running as root, a directory that somebody else writes to is as bad as a program that he writes to.
    private func checkParents() throws(KeyError) {
        var directory = path[...]
        while directory != "/" {
            guard let slash = directory.lastIndex(of: "/") else { return }
            directory = slash == directory.startIndex ? "/" : directory[..<slash]
            let status = try Self.status(of: String(directory))
            // In a sticky directory only the owner of a file may rename it, and the file is root's.
            let isShared = status.st_mode & 0o022 != 0 && status.st_mode & S_ISVTX == 0
            guard status.st_uid == 0, !isShared else {
                let quoted = ShellWord.quoted(String(directory))
                throw KeyError(
                    "the hook \(shown) would run as root, but others than root may write to \(PrintableText.line(directory)): "
                        + "give the key directory to a user of its own, or run "
                        + "`chown root \(quoted) && chmod go-w \(quoted)`")
            }
        }
    }

    private static func status(of path: String) throws(KeyError) -> stat {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw DurableFiles.failure("look at", PrintableText.line(path))
        }
        return status
    }

    /// As far as the mode tells: the group list of another user is not ours to guess.
    private static func canExecute(_ status: stat, _ identity: HookIdentity, _ path: String) -> Bool {
        switch identity {
        case .current, .root:
            unsafe access(path, X_OK) == 0
        case .keyOwner(let user, let group):
            if status.st_uid == user {
                status.st_mode & S_IXUSR != 0
            } else if status.st_gid == group {
                status.st_mode & S_IXGRP != 0
            } else {
                status.st_mode & S_IXOTH != 0
            }
        }
    }
}
