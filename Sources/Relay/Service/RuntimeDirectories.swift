// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc

/// Makes the directories that the daemon needs before its parts can start.
enum RuntimeDirectories {
    static func make(_ configuration: Configuration) throws(DirectoryError) {
        let socket = configuration.resolve(configuration.control.socket)
        try make(ConfigurationFile.directory(of: socket, from: "/"))
        for listener in configuration.listeners where !listener.socket.isEmpty {
            try make(ConfigurationFile.directory(of: configuration.resolve(listener.socket), from: "/"))
        }
        let spool = configuration.resolve(configuration.spool.directory)
        try make(ConfigurationFile.directory(of: spool, from: "/"))
        try DropDirectory(path: configuration.dropDirectory).make()
    }

    /// With its parents; each belongs to the owner of the directory it is made in.
    static func make(_ path: String, mode: mode_t = 0o755) throws(DirectoryError) {
        if path == "/" || FileKind.isDirectory(path) { return }
        let parent = ConfigurationFile.directory(of: path, from: "/")
        try make(parent)
        guard unsafe mkdir(path, mode) == 0 else {
            let code = errno
            // Somebody else was quicker.
            if code == EEXIST, FileKind.isDirectory(path) { return }
            throw DirectoryError(path: path, code: code)
        }
        giveToOwner(of: parent, path)
    }

    /// What root makes belongs to whom the place belongs to.
    private static func giveToOwner(of parent: String, _ path: String) {
        guard geteuid() == 0, let attributes = try? FileManager.default.attributesOfItem(atPath: parent),
            let owner = attributes[.ownerAccountID] as? NSNumber,
            let group = attributes[.groupOwnerAccountID] as? NSNumber
        else { return }
        _ = unsafe chown(path, owner.uint32Value, group.uint32Value)
    }
}

/// A directory that can't be made.
struct DirectoryError: Error, CustomStringConvertible {
    let path: String
    let code: Int32

    var description: String {
        let reason = unsafe String(cString: strerror(code))
        return "can't make the directory \(path): \(reason); make it, or name another in the configuration"
    }
}
