// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Receiving

/// TLSMaterial is in charge of what the files of `[tls]` and of `client-ca` hold.
struct TLSMaterial: Hashable, Sendable {
    /// Nil: one is to be made.
    var identity: ServerIdentity?
    /// By the paths of their files.
    var authorities: [String: [UInt8]] = [:]
}

/// Reads the files and notes what is wrong with them.
struct TLSReading {
    typealias Fault = (fault: ConfigurationFault, isElsewhere: Bool)

    private static let certificatePath: [KeyLocator.Step] = [.key("tls"), .key("certificate")]
    private static let keyPath: [KeyLocator.Step] = [.key("tls"), .key("key")]

    private(set) var material = TLSMaterial()
    private(set) var faults: [Fault] = []
    private let configuration: Configuration

    init(_ configuration: Configuration) {
        self.configuration = configuration
        guard configuration.usesTLS || !configuration.tls.certificate.isEmpty else { return }
        readIdentity()
        for (index, listener) in configuration.listeners.enumerated() where !listener.clientAuthority.isEmpty {
            let path: [KeyLocator.Step] = [.key("listener"), .index(index), .key("client-ca")]
            let file = configuration.resolve(listener.clientAuthority)
            if let octets = read(file, at: path) { material.authorities[file] = octets }
        }
        guard faults.isEmpty else { return }
        do throws(TLSFault) {
            try ServerTLS(hostname: configuration.hostname).replace(
                material.identity, authorities: material.authorities)
        } catch {
            note(error)
        }
    }

    private mutating func readIdentity() {
        guard let place = SecretPlace(configuration.tls.key) else { return }
        let certificates = read(configuration.resolve(configuration.tls.certificate), at: TLSReading.certificatePath)
        do throws(SecretFault) {
            let key = try SecretFile.content(
                of: place, from: configuration, credentials: SecretFile.credentialsDirectory)
            if let certificates { material.identity = ServerIdentity(certificates: certificates, privateKey: key) }
        } catch {
            add(TLSReading.keyPath, error.problem, error.remedy, isElsewhere: error.isElsewhere)
        }
    }

    private mutating func read(_ file: String, at path: [KeyLocator.Step]) -> [UInt8]? {
        if let content = FileManager.default.contents(atPath: file) { return Array(content) }
        let isMissing = !ConfigurationFile.exists(file)
        add(
            path, isMissing ? "there is no file \(file)" : "user \(geteuid()) can't read \(file)",
            isMissing ? "Correct the path" : "Make it readable: chmod a+r \(file)", isElsewhere: !isMissing)
        return nil
    }

    private mutating func note(_ fault: TLSFault) {
        var path = fault.blamesPrivateKey ? TLSReading.keyPath : TLSReading.certificatePath
        if case .noAuthority(let file) = fault {
            let index = configuration.listeners.firstIndex { configuration.resolve($0.clientAuthority) == file }
            path = [.key("listener"), .index(index ?? 0), .key("client-ca")]
        }
        let parts = fault.description.split(separator: ": ", maxSplits: 1)
        let remedy = parts.count == 2 ? String(parts[1]) : "Name another file"
        add(path, String(parts[0]), remedy.prefix(1).uppercased() + remedy.dropFirst(), isElsewhere: false)
    }

    private mutating func add(
        _ path: [KeyLocator.Step], _ problem: String, _ remedy: String, isElsewhere: Bool
    ) {
        let fault = ConfigurationFault(
            file: configuration.file, line: configuration.locator.line(of: path), key: KeyLocator.text(of: path),
            problem: problem, remedy: remedy)
        faults.append((fault, isElsewhere))
    }
}

extension Configuration {
    /// What listeners with TLS work with.
    ///
    /// - Throws: every file that can't be read or used.
    func tlsMaterial() throws(ConfigurationError) -> TLSMaterial {
        let reading = TLSReading(self)
        guard reading.faults.isEmpty else { throw ConfigurationError(reading.faults.map(\.fault)) }
        return reading.material
    }

    /// The files that it comes from, by their paths.
    var tlsFiles: [String] {
        var files = listeners.map(\.clientAuthority).filter { !$0.isEmpty }.map(resolve)
        if !tls.certificate.isEmpty { files.append(resolve(tls.certificate)) }
        switch SecretPlace(tls.key) {
        case .file(let path)?: files.append(resolve(path))
        case .credential(let name)?: files += SecretFile.credentialsDirectory.map { [$0 + "/" + name] } ?? []
        case nil: break
        }
        return files
    }
}
