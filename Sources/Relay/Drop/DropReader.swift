// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP

/// Who a user is to the intake, or why this user may hand in nothing, or not now: by user, recipients and octets.
typealias DropAdmission = @Sendable (UInt32, Int, Int) -> Result<Principal, IntakeRefusal>

/// DropReader is in charge of bringing one file of the drop directory to the intake.
struct DropReader: Sendable {
    let directory: DropDirectory
    let intake: any Intake
    let admission: DropAdmission
    let maximumContentOctets: Int
    let maximumRecipients: Int

    private static let chunkOctets = 64 * 1024

    /// A message whose content the intake has.
    struct Pending: Sendable {
        let transaction: any IntakeTransaction
        let file: DropDirectory.FileIdentity
        let userID: UInt32
        let envelope: Envelope
    }

    enum Reading: Sendable {
        case pending(Pending)
        /// The intake takes nothing now.
        case refused(IntakeRefusal, userID: UInt32)
        case fault(DropFault)
    }

    /// Blocks on the disk.
    func read(_ name: String) -> Reading {
        do throws(DropFault) {
            let opened = try directory.open(name)
            let (file, rest) = try head(of: opened)
            guard file.contentOctets <= maximumContentOctets else {
                throw .malformed(
                    "its content has \(file.contentOctets) octets, and [limits] message-size is \(maximumContentOctets)"
                )
            }
            guard file.envelope.recipients.count <= maximumRecipients else {
                throw .malformed(
                    "it has \(file.envelope.recipients.count) recipients, and [limits] recipients is \(maximumRecipients)"
                )
            }
            let userID = opened.userID
            if let refusal = intake.refusal(ofSize: file.contentOctets) { return .refused(refusal, userID: userID) }
            let principal: Principal
            switch admission(userID, file.envelope.recipients.count, file.contentOctets) {
            case .success(let admitted): principal = admitted
            case .failure(let refusal): return .refused(refusal, userID: userID)
            }
            let client = ClientDescription(heloName: "", address: nil, protocolName: "local", userID: userID)
            let transaction = intake.begin(
                Submission(
                    envelope: file.envelope, client: client, declaredSize: file.contentOctets, principal: principal))
            do throws(DropFault) {
                try pass(file, rest, of: opened, to: transaction)
            } catch {
                transaction.abort()
                throw error
            }
            return .pending(
                Pending(
                    transaction: transaction, file: DropDirectory.FileIdentity(opened.status), userID: userID,
                    envelope: file.envelope))
        } catch {
            return .fault(error)
        }
    }

    private func head(
        of opened: DropDirectory.Opened
    ) throws(DropFault) -> (file: DropFile, rest: ArraySlice<UInt8>) {
        var bytes: [UInt8] = []
        while true {
            let chunk = try opened.read(atMost: DropReader.chunkOctets)
            guard !chunk.isEmpty else { throw .malformed("its envelope does not end") }
            bytes += chunk
            if let parsed = try DropFile.parse(bytes) { return (parsed.file, bytes[parsed.octets...]) }
        }
    }

    private func pass(
        _ file: DropFile, _ rest: ArraySlice<UInt8>, of opened: DropDirectory.Opened,
        to transaction: any IntakeTransaction
    ) throws(DropFault) {
        var lines = DotStuffer()
        var passed = 0
        var chunk = rest
        while true {
            passed += chunk.count
            guard passed <= file.contentOctets else { throw .malformed("it goes on behind its content") }
            do {
                // Only the check is wanted: as in a session, a lone CR or LF and a NUL are refused.
                var form = ByteBuffer()
                try unsafe chunk.withUnsafeBytes { bytes in
                    Result { () throws(ContentError) in unsafe try lines.write(bytes, into: &form) }
                }.get()
            } catch {
                throw .malformed("its content holds \(error)")
            }
            _ = unsafe chunk.withUnsafeBytes { unsafe transaction.append($0) }
            chunk = try opened.read(atMost: DropReader.chunkOctets)
            if chunk.isEmpty { break }
        }
        guard passed == file.contentOctets else {
            throw .malformed("it ends after \(passed) of \(file.contentOctets) octets")
        }
        do {
            var form = ByteBuffer()
            try lines.finish(into: &form)
        } catch {
            throw .malformed("its content holds \(error)")
        }
    }
}
