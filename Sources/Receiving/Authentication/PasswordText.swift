// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Foundation

/// PasswordText is in charge of making one of all the ways to type one password (SASLprep, RFC 4013).
///
/// ASCII stays as it is. Of the rest, spaces of all kinds become one kind, soft hyphens and zero-width characters are
/// dropped, and what is left is normalized to NFKC; controls are refused. Of RFC 4013 this leaves out the tables of
/// code points that Unicode 3.2 had not assigned, and the rule for text that runs from right to left: neither makes
/// two spellings of one password.
enum PasswordText {
    static let maximumOctets = 1024

    /// In UTF-8; nil if it can't be a password.
    static func prepared(_ password: [UInt8]) -> [UInt8]? {
        guard (1...maximumOctets).contains(password.count), let text = String(validating: password, as: UTF8.self)
        else { return nil }
        if password.allSatisfy({ (0x20...0x7E).contains($0) }) { return password }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control: return nil
            case .spaceSeparator: scalars.append(" ")
            default: if !isDropped(scalar) { scalars.append(scalar) }
            }
        }
        let normalized = Array(String(scalars).precomposedStringWithCompatibilityMapping.utf8)
        return normalized.isEmpty ? nil : normalized
    }

    /// RFC 3454 appendix B.1: commonly mapped to nothing.
    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00AD, 0x034F, 0x1806, 0x180B...0x180D, 0x200B...0x200D, 0x2060, 0xFE00...0xFE0F, 0xFEFF: true
        default: false
        }
    }
}
