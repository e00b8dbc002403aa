// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Glibc
import Mail
import Synchronization
import Testing

@testable import Signing

@Suite struct KeyStoreTests {
    @Test func aKeyIsThreeFilesOfWhichOneIsPrivate() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let key = try TestKeys.rsa.get()
        let made = try store.add(key, to: domain, selector: nil, evidence: "generated", .test)
        #expect(made.selector == "ww20261123a")
        #expect(made.state == .generated)
        let path = "example.com/ww20261123a"
        #expect(try scratch.mode(path + "/private.pem") == 0o600)
        #expect(try scratch.mode(path + "/key.json") == 0o644)
        let record = try String(contentsOfFile: scratch.keys + "/" + path + "/record.txt", encoding: .utf8)
        #expect(record == "ww20261123a._domainkey.example.com \(key.keyRecord.text)\n")
        #expect(try store.keys(of: domain).count == 1)
        #expect(try store.privateKey(of: made).publicKey == key.publicKey)
        #expect(try store.description(of: Selector("ww20261123a").unwrapped, in: domain) == made)
    }

    @Test func theUmaskDoesNotChangeModes() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let files = DurableFiles()
        try files.create(scratch.path + "/a", [1], mode: 0o600, owner: nil)
        var status = stat()
        #expect(unsafe stat(scratch.path + "/a", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(throws: KeyError.self) { try files.create(scratch.path + "/a", [2], mode: 0o600, owner: nil) }
    }

    @Test func selectorsOfOneDayDifferAndSoDoThoseOfBothKinds() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let keys = [
            try TestKeys.ed25519.get(), try TestKeys.ed25519.get(), try TestKeys.rsa.get(), try TestKeys.rsa.get(),
        ]
        let selectors = try keys.map {
            try store.add($0, to: domain, selector: nil, evidence: "generated", .test).selector
        }
        #expect(selectors == ["ww20261123ea", "ww20261123eb", "ww20261123a", "ww20261123b"])
    }

    @Test func aSelectorIsNeverUsedTwiceEvenWhenItsKeyIsGone() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let key = try TestKeys.ed25519.get()
        let selector = try Selector("mail").unwrapped
        _ = try store.add(key, to: domain, selector: selector, evidence: "generated", .test)
        try FileManager.default.removeItem(atPath: scratch.keys + "/example.com/mail")
        #expect(throws: KeyError.self) { try store.add(key, to: domain, selector: selector, evidence: "again", .test) }
        // Another domain is another matter.
        let other = try Domain("example.net").unwrapped
        _ = try store.add(key, to: other, selector: selector, evidence: "generated", .test)
    }

    @Test func afterEveryCutOffStepTheStoreHoldsAWholeKeyOrNone() throws {
        let key = try TestKeys.ed25519.get()
        var total = 0
        for failing in 1...200 {
            let scratch = try Scratch()
            defer { scratch.remove() }
            let counter = Steps(failingAt: failing)
            let store = KeyStore(directory: scratch.keys, files: counter.files)
            let result = Result { try store.add(key, to: domain, selector: nil, evidence: "generated", .test) }
            let whole = KeyStore(directory: scratch.keys)
            let entries = try whole.keys(of: domain)
            for entry in entries {
                let description = try entry.description.get()
                #expect(try whole.privateKey(of: description).publicKey == key.publicKey, "step \(failing)")
            }
            if case .success = result {
                #expect(entries.count == 1)
                total = failing - 1
                break
            }
            // Going on works and never meets the selector of the cut-off key again.
            let next = try whole.add(key, to: domain, selector: nil, evidence: "again", .test)
            #expect(!entries.contains { $0.selector.text == next.selector }, "step \(failing)")
            #expect(!scratch.names().contains { $0.contains(".new-") }, "step \(failing)")
        }
        #expect(total > 15, "so many steps can fail")
    }

    @Test func afterEveryCutOffStepOfAnActivationADomainStillSigns() throws {
        let (old, new) = (try TestKeys.rsa.get(), try TestKeys.otherRSA.get())
        var total = 0
        for failing in 1...100 {
            let scratch = try Scratch()
            defer { scratch.remove() }
            let whole = KeyStore(directory: scratch.keys)
            try whole.addActive(old, to: domain, selector: "old")
            _ = try whole.add(new, to: domain, selector: Selector("new"), evidence: "generated", .test)
            let store = KeyStore(directory: scratch.keys, files: Steps(failingAt: failing).files)
            let later = KeyStore.Change(time: noon.advanced(bySeconds: 60), user: "tester")
            let selector = try Selector("new").unwrapped
            let result = Result {
                try store.activate(selector, of: domain, evidence: "tested", isUnproven: false, later)
            }
            let ring = KeyRing(store: whole, logger: .none)
            #expect(ring.signability(of: domain) == .signable, "step \(failing)")
            let state = try whole.description(of: selector, in: domain).state
            #expect(ring.keys(for: domain)?.rsa?.selector == (state == .active ? "new" : "old"), "step \(failing)")
            if case .success = result {
                #expect(try whole.description(of: Selector("old").unwrapped, in: domain).state == .retiring)
                total = failing - 1
                break
            }
            // Once more, without a fault, ends as it should.
            _ = try whole.activate(selector, of: domain, evidence: "tested", isUnproven: false, later)
            #expect(try whole.description(of: Selector("old").unwrapped, in: domain).state == .retiring)
        }
        #expect(total > 5)
    }

    @Test func keysMadeAtTheSameTimeAllGetSelectorsOfTheirOwn() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let key = try TestKeys.ed25519.get()
        let selectors = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    // Each with a store of its own, as another process would.
                    let store = KeyStore(directory: scratch.keys)
                    return try store.add(key, to: domain, selector: nil, evidence: "generated", .test).selector
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(selectors.count == 20)
        #expect(try KeyStore(directory: scratch.keys).keys(of: domain).count == 20)
    }

    @Test(.enabled(if: geteuid() == 0, "LEFT OUT: only root can give files away"))
    func whatRootMakesBelongsToTheOwnerOfTheKeyDirectory() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try FileManager.default.createDirectory(atPath: scratch.keys, withIntermediateDirectories: true)
        #expect(unsafe chown(scratch.keys, 12_345, 23_456) == 0)
        let store = KeyStore(directory: scratch.keys)
        try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "mail")
        let names = scratch.names()
        #expect(names.contains("example.com/mail/private.pem"))
        for name in names {
            var status = stat()
            #expect(unsafe lstat(scratch.keys + "/" + name, &status) == 0)
            #expect(status.st_uid == 12_345 && status.st_gid == 23_456, "\(name)")
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
    func aPrivateKeyThatOthersMayReadIsRefusedWithTheCommandThatMendsIt(mode: Int) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let made = try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "mail")
        let path = "example.com/mail/private.pem"
        try scratch.setMode(mode, path)
        let error = #expect(throws: KeyError.self) { try store.privateKey(of: made) }
        #expect(error?.text.contains("chmod 600 \(scratch.keys)/\(path)") == true)
        try scratch.setMode(0o400, path)
        _ = try store.privateKey(of: made)
    }

    @Test func directoriesThatOthersMayWriteToAreWarnedOf() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "mail")
        #expect(!store.warnings().contains { $0.contains(scratch.keys) })
        try scratch.setMode(0o777, "")
        #expect(store.warnings().contains { $0.contains("chmod go-w") && $0.contains("Keys") })
    }

    @Test func aKeyThatWasSwappedOrDamagedIsNotUsed() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let made = try store.addActive(try TestKeys.rsa.get(), to: domain, selector: "mail")
        let path = scratch.keys + "/example.com/mail/private.pem"
        let other = try TestKeys.otherRSA.get().pem()
        for content in [other, Array("no key".utf8), [], Array(repeating: 0, count: 2_000_000)] {
            try Data(content).write(to: URL(fileURLWithPath: path))
            try scratch.setMode(0o600, "example.com/mail/private.pem")
            #expect(throws: KeyError.self) { try store.privateKey(of: made) }
        }
    }

    @Test func keysThatAreGoneOrCompromisedDoNotComeBack() throws {
        for state in [KeyState.revoked, .removed, .compromised] {
            let scratch = try Scratch()
            defer { scratch.remove() }
            let store = KeyStore(directory: scratch.keys)
            var made = try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "mail")
            made.move(to: state, at: noon, by: "tester", evidence: nil)
            try Data(made.json()).write(to: URL(fileURLWithPath: scratch.keys + "/example.com/mail/key.json"))
            let selector = try Selector("mail").unwrapped
            #expect(throws: KeyError.self) {
                try store.activate(selector, of: domain, evidence: "", isUnproven: true, .test)
            }
        }
    }

    @Test(arguments: [
        "", ".", "..", "a..b", "-a", "a-", "a_b", "a/b", "../x", "a b", "a.", "é", String(repeating: "a", count: 64),
    ])
    func otherTextIsNoSelector(text: String) {
        #expect(Selector(text) == nil)
    }

    @Test(arguments: ["s1", "WW20261123A", "a.b", "x-1"])
    func aSelectorIsKeptInLowerCase(text: String) {
        #expect(Selector(text)?.text == text.lowercased())
    }
}

/// Fails the n-th step on disk and all after it, as a crash does.
struct Steps {
    private let counter: Counter
    private let failing: Int

    private final class Counter: Sendable {
        let count = Atomic(0)
    }

    init(failingAt failing: Int) {
        self.failing = failing
        self.counter = Counter()
    }

    var files: DurableFiles {
        let (counter, failing) = (counter, failing)
        return DurableFiles(beforeStep: { (step, path) throws(KeyError) in
            if counter.count.wrappingAdd(1, ordering: .relaxed).newValue >= failing {
                throw KeyError("cut off before \(step) of \(path)")
            }
        })
    }
}

extension Optional {
    /// The value; a test without it fails.
    var unwrapped: Wrapped {
        get throws { try #require(self) }
    }
}
