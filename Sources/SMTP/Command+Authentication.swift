// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Command {
    private static let authenticationSyntax = "AUTH mechanism [initial-response]"

    /// RFC 4954 §4: `AUTH` SP mechanism [SP initial-response].
    static func authenticate(_ scanner: inout ByteScanner) throws(CommandError) -> Command {
        func word() -> ArraySlice<UInt8> {
            _ = scanner.take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            return scanner.take { (0x21...0x7E).contains($0) }
        }
        let mechanism = word()
        let response = word()
        guard !mechanism.isEmpty, word().isEmpty, scanner.isAtEnd else { throw .syntax(authenticationSyntax) }
        let name = String(decoding: mechanism, as: UTF8.self).uppercased()
        guard !response.isEmpty else { return .authenticate(mechanism: name, initialResponse: nil) }
        // An equals sign stands for a response without octets.
        let isEmpty = response.elementsEqual([UInt8(ascii: "=")])
        return .authenticate(mechanism: name, initialResponse: isEmpty ? [] : Array(response))
    }
}

extension MailParameters {
    /// Octets of AUTH= (RFC 4954 §3).
    private static let maximumSubmitterOctets = 500

    /// Whether this can be the value of AUTH= (RFC 4954 §5): a mailbox or `<>`, as xtext (RFC 3461 §4).
    ///
    /// It says who a message came from before; nobody here is trusted to say so, and it goes nowhere.
    static func isSubmitter(_ value: ArraySlice<UInt8>) -> Bool {
        guard (1...maximumSubmitterOctets).contains(value.count) else { return false }
        var rest = value
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                let digits = rest.prefix(2)
                guard digits.count == 2, digits.allSatisfy(isUpperHexadecimal) else { return false }
                rest = rest.dropFirst(2)
            } else if !(0x21...0x7E).contains(byte) || byte == UInt8(ascii: "=") {
                return false
            }
        }
        return true
    }

    private static func isUpperHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }
}
