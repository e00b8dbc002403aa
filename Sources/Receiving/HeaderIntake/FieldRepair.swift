// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// FieldRepair is in charge of one field that can't go out as it is.
struct FieldRepair {
    /// The field anew, with its final CRLF.
    private(set) var octets: [UInt8]
    private(set) var repairs: Set<Repair> = []

    /// - Parameter value: what is to stand in the field; nil for what stands there.
    init(
        of field: HeaderSection.Field, in header: HeaderSection, value: [UInt8]? = nil
    ) throws(IntakeRefusal) {
        let value = value.map { $0[...] } ?? header.bytes[field.value]
        let name = header.bytes[field.name]
        if field.colon != field.name.upperBound { repairs.insert(.fieldSyntax) }
        if value.contains(where: { $0 > 127 }) {
            do throws(FieldEncodingError) {
                octets = try FieldEncoder.encode(
                    name: name, value: value, syntax: KnownField.syntax(of: field, in: header))
            } catch {
                throw .field(header.name(of: field), problem: "has \(error.reason)")
            }
            repairs.insert(.encodedHeader)
            return
        }
        octets = Array(name) + [UInt8(ascii: ":")] + value + Array("\r\n".utf8)
        guard FieldRepair.longestLine(octets) > HeaderSection.maximumLineOctets else { return }
        guard let folded = FieldEncoder.fold(octets[...]) else {
            throw .field(
                header.name(of: field),
                problem: "has a line of more than \(HeaderSection.maximumLineOctets) octets without white space to"
                    + " fold it at (RFC 5322, section 2.1.1); send it folded")
        }
        octets = folded
        repairs.insert(.foldedHeader)
    }

    private static func longestLine(_ octets: [UInt8]) -> Int {
        octets.split(separator: UInt8(ascii: "\n")).reduce(0) { max($0, $1.count - 1) }
    }
}
