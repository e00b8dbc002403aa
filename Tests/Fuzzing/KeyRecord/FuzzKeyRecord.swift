// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport

@testable import DKIM

/// A key record is refused with a reason, or what is written from it is read back as the same record.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe FuzzInput(start, count).bytes
    do throws(KeyRecordError) {
        let record = try KeyRecord(bytes)
        require(["rsa", "ed25519"].contains(record.keyType), "a known type of key")
        if let key = record.publicKey {
            require(key.kind.keyType == record.keyType, "the key is of the record's type")
            let digest = [UInt8](repeating: 0x57, count: 32)
            require((try? key.verify(signature: bytes, digest: digest)) != true, "no noise is a signature")
        }
        let text = record.text
        if text.utf8.allSatisfy({ $0 < 128 }) {
            require(record.characterStrings.joined() == text, "the character strings are the text")
            require(record.characterStrings.allSatisfy { $0.utf8.count <= 255 }, "RFC 1035 §3.3 allows 255 octets")
        }
        require((try? KeyRecord(text)) == record, "the record is read back from \(text)")
    } catch {
        require(!error.description.isEmpty, "an error says something")
    }
    return 0
}
