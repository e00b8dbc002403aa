// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport

@testable import DKIM

/// A signature field is refused with a reason, or it has all that a verifier relies on.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let field = unsafe Array("DKIM-Signature:".utf8) + FuzzInput(start, count).bytes
    do throws(Signature.Problem) {
        let signature = try Signature(field: field)
        require(signature.algorithm != nil, "the algorithm is known")
        require(DomainName.isValid(signature.sdid), "d= is a domain name")
        require(DomainName.isValid(signature.selector), "s= is a domain name")
        require(signature.signedFieldNames.contains("from"), "From is signed")
        require(!signature.signedFieldNames.contains(""), "h= has no empty name")
        require(!signature.value.isEmpty && !signature.bodyHash.isEmpty, "b= and bh= have values")
        require(signature.bodyOctets.map { $0 >= 0 } ?? true, "l= is no negative number")
        if let signedAt = signature.signedAt, let expiresAt = signature.expiresAt {
            require(signedAt < expiresAt, "x= is later than t=")
        }
        // RFC 6376 §3.7: the field is hashed with the value of b= gone, and nothing else.
        let content = field.suffix(2) == [13, 10] ? Array(field.dropLast(2)) : field
        require(isSubsequence(signature.unsigned, of: content), "the field loses octets and gets none")
        let whole = try? Signature(field: field + [13, 10])
        require(field.suffix(2) == [13, 10] || whole == signature, "a final CRLF changes nothing")
        let emptied = try? TagList(signature.unsigned, 15..<signature.unsigned.count)
        require(emptied?["b"]?.value.isEmpty == true, "b= is empty in what is hashed")
    } catch {
        require(!error.reason.isEmpty, "a problem says something")
        require(error.result != .pass && error.result != .fail, "what can't be read is not judged")
    }
    return 0
}

/// Whether a sequence is a prefix and a suffix of another, with a gap between.
private func isSubsequence(_ part: [UInt8], of whole: [UInt8]) -> Bool {
    let head = zip(part, whole).prefix { $0 == $1 }.count
    return part.count <= whole.count && whole.suffix(part.count - head).elementsEqual(part[head...])
}
