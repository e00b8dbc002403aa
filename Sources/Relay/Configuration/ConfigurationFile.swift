// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc

/// ConfigurationFile is in charge of finding and loading the configuration: the file that was named, else
/// `waxwing.toml` here, else the system's, else the defaults.
package enum ConfigurationFile {
    package static let systemPath = "/etc/waxwing/waxwing.toml"
    package static let localName = "waxwing.toml"
    /// More is no configuration of Waxwing.
    package static let maximumOctets = 1 << 20

    /// Reads and checks the whole configuration.
    package static func load(_ named: String?) throws(ConfigurationError) -> Configuration {
        let here = workingDirectory()
        guard let path = named ?? [localName, systemPath].first(where: { exists($0) }) else {
            let configuration = Configuration(directory: here)
            try configuration.check(KeyLocator(""))
            return configuration
        }
        let text = try contents(of: path)
        let (configuration, locator) = try ConfigurationReader(file: path, text: text)
            .read(directory: directory(of: path, from: here))
        try configuration.check(locator)
        return configuration
    }

    /// Reads and checks `text` as if it stood in `file`.
    package static func read(_ text: String, file: String, directory: String) throws(ConfigurationError)
        -> Configuration
    {
        let (configuration, locator) = try ConfigurationReader(file: file, text: text).read(directory: directory)
        try configuration.check(locator)
        return configuration
    }

    static func directory(of path: String, from workingDirectory: String) -> String {
        let absolute = path.hasPrefix("/") ? path : workingDirectory + "/" + path
        let parent = absolute.split(separator: "/", omittingEmptySubsequences: true).dropLast().joined(separator: "/")
        return "/" + parent
    }

    static func workingDirectory() -> String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    static func contents(of path: String) throws(ConfigurationError) -> String {
        func refuse(_ problem: String, _ remedy: String) -> ConfigurationError {
            ConfigurationError([ConfigurationFault(file: path, problem: problem, remedy: remedy)])
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw refuse(
                "can't be read: \(reason)", "Name a file that exists and that this user may read, or leave --config out"
            )
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                let reason = unsafe String(cString: strerror(errno))
                throw refuse("can't be read: \(reason)", "Name a file, and not a directory")
            }
            if count == 0 { break }
            bytes += chunk[0..<count]
            guard bytes.count <= maximumOctets else {
                throw refuse("is larger than 1 MiB", "Name a configuration file")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refuse("is not UTF-8 text", "Save it as UTF-8")
        }
        return text
    }
}

extension ConfigurationFile {
    /// Reads the file again that `started` came from; without one, looks for one as at the start.
    package static func reload(_ started: Configuration) throws(ConfigurationError) -> Configuration {
        guard let file = started.file else { return try load(nil) }
        let text = try contents(of: file)
        return try read(text, file: file, directory: started.directory)
    }
}
