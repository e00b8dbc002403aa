// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport

@testable import DKIM

/// Every message is judged, in the same way each time, and a field that no signature names changes no judgement.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let message = unsafe FuzzInput(start, count).bytes
    // A moment at which the committed signatures are valid.
    let verifier = Verifier(now: 1_795_500_000) { name in
        if name.hasPrefix("gone.") { return .none }
        if name.hasPrefix("later.") { return .temporaryFailure("no answer") }
        return .texts(keyRecords[name].map { [$0] } ?? Array(keyRecords.values.sorted().prefix(1)))
    }
    let results = verifier.verify(message)
    require(results == verifier.verify(message), "the same message has the same results")
    require(results == verifier.verify(message, original: message).map(withoutReason(of: results)), "as it was signed")
    for result in results {
        require(result.result != .none, "a signature has a result")
        require(result.result == .pass || !result.reason.isEmpty, "what does not pass has a reason")
        require(result.result != .pass || result.signature != nil, "what passes was parsed")
    }
    require(Verifier.keyRecordNames(in: message).count <= Verifier.maximumSignatures, "names have a limit")

    let name = "x-unnamed-by-all"
    let isNamed = results.contains { $0.signature?.signedFieldNames.contains(name) ?? true }
    guard !isNamed, (try? HeaderFields(message)) != nil, !results.isEmpty else { return 0 }
    let extended = verifier.verify(Array("\(name): 1\r\n".utf8) + message)
    require(extended.map(\.result) == results.map(\.result), "an unsigned field on top changes nothing")
    return 0
}

/// The same verification with the reason of its fellow: only the reason may depend on the original.
private func withoutReason(of results: [Verification]) -> (Verification) -> Verification {
    var index = 0
    return { verification in
        var verification = verification
        if index < results.count { verification.reason = results[index].reason }
        index += 1
        return verification
    }
}

/// As they stand in RFC 8463 §A.2.
private let keyRecords = [
    "brisbane._domainkey.football.example.com":
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "test._domainkey.football.example.com":
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2"
        + "jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2"
        + "EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
]
