// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import Synchronization

/// A key that signs, with all that does not change from message to message made ready: selector and private key are
/// one thing here, so no signature can have the one of an old key and the other of a new one.
final class ActiveKey: Sendable {
    let sdid: String
    let selector: String
    let algorithm: SigningAlgorithm
    private let privateKey: SigningKey
    /// The form of mail that the configuration says nothing special about.
    private let standard: SignatureTemplate
    /// Those of other forms, each made when a message first needs it: most keys never do.
    private let others = Mutex<[SignatureForm: SignatureTemplate]>([:])
    private let uses = Atomic<UInt64>(0)

    /// One in this many Ed25519 signatures is verified, which costs more than twice the signing.
    static let ed25519CheckInterval: UInt64 = 64
    private static let standardForm = SignatureForm()

    convenience init(_ description: KeyDescription, privateKey: SigningKey) throws(KeyError) {
        try self.init(sdid: description.domain, selector: description.selector, privateKey: privateKey)
    }

    init(sdid: String, selector: String, privateKey: SigningKey) throws(KeyError) {
        self.sdid = sdid
        self.selector = selector
        algorithm = privateKey.algorithm
        self.privateKey = privateKey
        do throws(SigningError) {
            standard = try Self.standardForm.template(sdid: sdid, selector: selector, key: privateKey)
        } catch {
            throw KeyError("\(selector)._domainkey.\(sdid) can't sign: \(error)")
        }
    }

    /// Such as `rsa-2048`.
    var kind: String { privateKey.kind.description }

    var isEd25519: Bool { algorithm == .ed25519SHA256 }

    /// The text of the record to publish.
    var record: String { privateKey.keyRecord.text }

    /// The template of a form, made when it is first asked for.
    func template(_ form: SignatureForm) throws(SigningError) -> SignatureTemplate {
        if form == Self.standardForm { return standard }
        if let known = others.withLock({ $0[form] }) { return known }
        let made = try form.template(sdid: sdid, selector: selector, key: privateKey)
        others.withLock { $0[form] = made }
        return made
    }

    /// Whether the next signature is to be verified: of RSA every one, of Ed25519 the first and then some.
    func nextIsChecked() -> Bool {
        guard isEd25519 else { return true }
        return uses.wrappingAdd(1, ordering: .relaxed).oldValue % Self.ed25519CheckInterval == 0
    }

    /// The next signature is verified, as the first of a key that was just read.
    func checkNext() {
        uses.store(0, ordering: .relaxed)
    }
}
