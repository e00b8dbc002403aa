// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Logging
import Mail
import Synchronization

@testable import Signing

/// A directory that a test has for itself; removed with `remove`.
struct Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-keys-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    var keys: String { path + "/Keys" }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: keys + "/" + name)
        return (attributes[.posixPermissions] as? Int) ?? -1
    }

    func setMode(_ mode: Int, _ name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: keys + "/" + name)
    }

    /// Every file and directory below, sorted.
    func names() -> [String] {
        (FileManager.default.enumerator(atPath: keys)?.allObjects as? [String])?.sorted() ?? []
    }
}

/// Keys made once: making RSA keys is slow.
enum TestKeys {
    static let rsa = Result { try SigningKey.generate(.rsa(bits: 2048)) }
    static let otherRSA = Result { try SigningKey.generate(.rsa(bits: 2048)) }
    static let ed25519 = Result { try SigningKey.generate(.ed25519) }
}

/// The author domain of most tests.
let domain = unsafe Domain("example.com").unsafelyUnwrapped

/// 2026-11-23T12:00:00Z.
let noon = Timestamp(seconds: 1_795_435_200)

extension KeyStore.Change {
    static let test = KeyStore.Change(time: noon, user: "tester")
}

extension KeyStore {
    /// Adds a key and makes it sign.
    @discardableResult
    func addActive(
        _ key: SigningKey, to domain: Domain, selector: String, isUnproven: Bool = false
    ) throws -> KeyDescription {
        let wanted = Selector(selector)
        let made = try add(key, to: domain, selector: wanted, evidence: "generated", .test)
        let chosen = Selector(made.selector) ?? wanted
        guard let chosen else { throw KeyError("no selector") }
        return try activate(chosen, of: domain, evidence: "tested", isUnproven: isUnproven, .test)
    }
}

extension KeyCommands {
    /// Commands over a store, with a look at the DNS that the test gives.
    static func over(
        _ store: KeyStore, rotation: RotationPolicies = RotationPolicies(),
        policies: SigningPolicies = SigningPolicies(),
        look: @escaping @Sendable (KeyDescription) async -> KeyEvidence = { _ in
            KeyEvidence(.unknown, summary: "nobody was asked")
        }
    ) -> KeyCommands {
        let rotator = Rotator(
            store: store, clock: WallClock { noon }, policies: rotation, look: look,
            publish: { _, _ in .byHand("publish it") })
        return KeyCommands(rotator: rotator, policies: { policies })
    }
}

extension KeyStore {
    /// Writes another description of a key, as whoever rotates keys does.
    func describe(
        _ selector: String, of domain: Domain, _ change: (inout KeyDescription) -> Void
    ) throws {
        var description = try description(of: Selector(selector).unwrapped, in: domain)
        change(&description)
        try Data(description.json()).write(
            to: URL(fileURLWithPath: "\(directory)/\(domain)/\(selector)/\(Self.descriptionFile)"))
    }

    func suspend(_ selector: String, of domain: Domain, reason: String = "ns1.example.com: no record") throws {
        try describe(selector, of: domain) {
            $0.suspension = KeyDescription.Suspension(
                since: Date(timeIntervalSince1970: Double(noon.seconds)), reason: reason)
        }
    }

    func compromise(_ selector: String, of domain: Domain) throws {
        try describe(selector, of: domain) { $0.move(to: .compromised, at: noon, by: "tester", evidence: nil) }
    }
}

/// Keeps what is logged.
final class LogLines: Sendable {
    private let all = Mutex<[String]>([])

    /// Each with its level in front.
    var lines: [String] { all.withLock { $0 } }

    var logger: Logger { Logger(label: "test", factory: { _ in Handler(lines: self) }) }

    func clear() { all.withLock { $0 = [] } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock { $0.append("\(event.level) \(event.message)") }
        }
    }
}

/// Counts what happened.
final class Events: Sendable {
    private let all = Mutex<[RelayEvent]>([])

    var sink: EventSink {
        { event in self.all.withLock { $0.append(event) } }
    }

    var count: Int { all.withLock { $0.count } }

    /// The signatures that did not verify: SDID and selector.
    var mismatches: [String] {
        all.withLock { events in
            events.compactMap { event in
                guard case .signatureMismatch(_, let sdid, let selector) = event else { return nil }
                return "\(sdid) \(selector)"
            }
        }
    }
}

extension Logger {
    static let none = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

extension SigningPolicies {
    /// One domain that says `unsigned`.
    static func unsigned(_ domain: Domain) -> SigningPolicies {
        var policies = SigningPolicies()
        policies.domains[domain, default: SigningPolicy()].isUnsigned = true
        return policies
    }

    /// What one domain says.
    static func of(_ domain: Domain, _ change: (inout SigningPolicy) -> Void) -> SigningPolicies {
        var policies = SigningPolicies()
        change(&policies.domains[domain, default: SigningPolicy()])
        return policies
    }
}

extension KeyRing {
    /// The selectors that a domain's own mail is signed with now, RSA before Ed25519.
    func usableSelectors(of domain: Domain) -> [Selector] {
        guard case .signed(let signatory) = decision(for: domain) else { return [] }
        return signatory.keys.selectors.compactMap { Selector($0) }
    }
}
