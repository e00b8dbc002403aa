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
    let beside = verifier.verify(message, original: message)
    require(beside.elementsEqual(results, by: judgeAlike), "the original changes no judgement")
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

/// Whether two verifications are the same but for the reason and the causes: only these may depend on the original.
private func judgeAlike(_ one: Verification, _ other: Verification) -> Bool {
    one.result == other.result && one.signature == other.signature && one.keyRecord == other.keyRecord
        && one.body?.hash == other.body?.hash && one.body?.octets == other.body?.octets
        && one.body?.unsignedOctets == other.body?.unsignedOctets && one.body?.isIntact == other.body?.isIntact
        && one.header?.coverage == other.header?.coverage && one.header?.isIntact == other.header?.isIntact
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
