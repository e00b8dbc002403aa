// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Synchronization

/// KeyDirectory is in charge of a key directory to measure with: so many domains, each with an active RSA-2048 and an
/// active Ed25519 key, none like another.
struct KeyDirectory {
    var path: String
    var domains: [Domain]

    init(path: String, count: Int) {
        self.path = path
        domains = (0..<count).compactMap { Domain("d\($0).bench.example") }
    }

    /// Makes what is missing: 1,000 RSA keys take minutes.
    func make() throws {
        let missing = domains.filter { !FileManager.default.fileExists(atPath: "\(path)/\($0)/e/key.json") }
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: missing.count) { index in
            do {
                try add(.generate(.rsa(bits: 2048)), selector: "r", to: missing[index])
                try add(.generate(.ed25519), selector: "e", to: missing[index])
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func add(_ key: SigningKey, selector: String, to domain: Domain) throws {
        let directory = "\(path)/\(domain)/\(selector)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = directory + "/private.pem"
        try Data(key.pem()).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let times = ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"]
        let states = ["generated", "published", "active"]
        let history = zip(times, states).map { time, state in
            "{\"by\": \"bench\", \"evidence\": \"published at 192.0.2.1, 192.0.2.2\", \"time\": \"\(time)\", "
                + "\"to\": \"\(state)\"}"
        }
        let description = """
            {"algorithm": "\(key.kind)", "domain": "\(domain)", "history": [\(history.joined(separator: ", "))],
             "record": "\(key.keyRecord.text)", "selector": "\(selector)", "state": "active", "version": 1}
            """
        try Data(description.utf8).write(to: URL(fileURLWithPath: directory + "/key.json"))
    }
}
