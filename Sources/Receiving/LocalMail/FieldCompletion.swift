// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// FieldCompletion is in charge of addresses without a domain in the fields that say whom a message is from and for:
/// their grammar needs one (RFC 5322 §3.4.1).
enum FieldCompletion {
    private static let names = ["Sender", "Reply-To", "To", "Cc"].map { FieldName($0) }

    /// What is to stand in a field; nil if it stays as it is.
    static func value(of field: HeaderSection.Field, in header: HeaderSection, with domain: Domain) -> [UInt8]? {
        guard names.contains(where: { header.isNamed(field, $0) }),
            // What can't be read is left to those who read it.
            let list = try? AddressParser.list(in: header.bytes[field.value])
        else { return nil }
        var value: [UInt8] = []
        var position = field.value.lowerBound
        for address in list.addresses {
            let completed = LocalName.completed(localPart: address.localPart, host: address.host, with: domain)
            guard let completed, address.octets.lowerBound >= position else { continue }
            value += header.bytes[position..<address.octets.lowerBound] + Array(completed.description.utf8)
            position = address.octets.upperBound
        }
        guard position > field.value.lowerBound else { return nil }
        return value + header.bytes[position..<field.value.upperBound]
    }
}
