// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport
import Mail
import Receiving

/// A header section is refused, or cut into fields that make up all of it; what intake makes of it is a header section
/// again, with one author, that intake would take in once more.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe FuzzInput(start, count)
    let options = input.choice()
    let bytes = input.bytes
    let header = try? HeaderSection(bytes)
    if let header { check(header, bytes) }

    let admitted: AdmittedHeader
    do throws(IntakeRefusal) {
        admitted = try admit(bytes, options: options)
    } catch {
        require(error.replyCode / 100 == 5, "what is wrong with a header section stays wrong")
        require(
            error.lines.allSatisfy { $0.utf8.allSatisfy { (32...126).contains($0) } },
            "a refusal is printable: \(error.lines)")
        return 0
    }
    let isReadable = (try? HeaderSection(bytes, allowsSpaceBeforeColon: true)) != nil
    require(isReadable, "a malformed header section is refused")
    require((try? admit(bytes, options: options)) == admitted, "the same comes in, the same comes out")
    guard let output = try? HeaderSection(admitted.bytes) else {
        require(false, "intake makes a header section")
        return 0
    }
    let from = output.fields.filter { output.isNamed($0, FieldName("From")) }
    require(from.count == 1, "there is one From field")
    let authors = from.first.flatMap { try? AddressParser.mailboxes(in: output.bytes[$0.value]) }
    require(authors?.count == 1 && authors?.first?.domain == admitted.authorDomain, "its author's domain signs")
    // Of a resent message the newest block is completed (RFC 5322 §3.6.6); the original stays as it is.
    let isResent = output.fields.contains { output.name(of: $0).lowercased().hasPrefix("resent-") && $0.name.count > 7 }
    let prefix = isResent ? "Resent-" : ""
    require(output.first(FieldName("\(prefix)Message-ID")) != nil, "there is a Message-ID")
    require(output.first(FieldName("\(prefix)Date")) != nil, "there is a Date")
    require(Set(admitted.repairs).count == admitted.repairs.count, "each repair is named once")
    if let fault = admitted.oneClickFault { require(!fault.isEmpty, "a fault says something") }
    // One hop more is taken until there are too many, which the first pass counts too.
    let received = output.fields.filter { output.isNamed($0, FieldName("Received")) }.count
    guard received < HeaderIntake.maximumReceivedFields, admitted.bytes.count <= HeaderSection.maximumOctets else {
        return 0
    }
    require((try? admit(admitted.bytes, options: options)) != nil, "what was taken in is taken in again")
    return 0
}

private let queueID = QueueID(arrival: Timestamp(seconds: 1_795_424_700), distinguisher: 1)

private func admit(_ bytes: [UInt8], options: UInt8) throws(IntakeRefusal) -> AdmittedHeader {
    let rule = try? RewriteRule(from: "root@localhost", to: "alerts@example.com")
    let every = try? RewriteRule(from: "*", to: "nobody@example.com")
    let shop = try? ApplicationFields(
        name: "shop", from: ["example.com"], listUnsubscribe: "<https://example.com/u/{queue-id}?to={recipient}>",
        listUnsubscribePost: true, feedbackID: "{author-domain}:{app}:mail:example")
    let rules = RewriteRules([options & 1 == 0 ? nil : rule, options & 2 == 0 ? nil : every].compactMap { $0 })
    let intake = HeaderIntake(
        hostname: "relay.example.com", hidesClientAddress: options & 4 != 0, rewriteRules: rules,
        applications: options & 8 == 0 ? [] : [shop].compactMap { $0 })
    let client = ClientDescription(heloName: "app.example.com", address: "192.0.2.7", protocolName: "ESMTP")
    return try intake.admit(
        bytes, envelope: Envelope(reversePath: .null, recipients: []), client: options & 16 == 0 ? client : nil,
        queueID: queueID, arrival: Timestamp(seconds: 1_795_424_700), random: 7)
}

private func check(_ header: HeaderSection, _ bytes: [UInt8]) {
    require(header.bytes == bytes, "the octets are kept")
    var position = 0
    for field in header.fields {
        require(field.octets.lowerBound == position, "the fields stand side by side")
        position = field.octets.upperBound
        require(bytes[field.octets].suffix(2) == [13, 10], "a field ends with CRLF")
        require(!field.name.isEmpty && bytes[field.name].allSatisfy { (33...126).contains($0) }, "a name is printable")
        require(bytes[field.name.upperBound] == UInt8(ascii: ":"), "a colon follows the name")
        require(!header.value(of: field).utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 }, "a value is one line")
        let alone = try? HeaderSection(Array(bytes[field.octets]))
        require(alone?.fields.count == 1, "a field alone is one field")
    }
    require(position == bytes.count, "the fields are all there is")
}
