// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import SMTP
import Testing

/// Base64 as AUTH uses it.
@Suite struct Base64TextTests {
    @Test(
        "the vectors of RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(_ plain: String, _ text: String) {
        #expect(Base64Text.encode(Array(plain.utf8)) == text)
        #expect(Base64Text.decode(text.utf8) == Array(plain.utf8))
    }

    @Test(
        "what is not exactly base64 is not decoded",
        arguments: [
            "Zg", "Zg=", "Z", "Zg==Zg==", "Zh==", "Zm9=", "=Zg=", "====", "Zm 9v", "Zm9v\n", "Zm-_", "Zm9v====",
        ])
    func notBase64(_ text: String) {
        #expect(Base64Text.decode(text.utf8) == nil)
    }

    @Test func everythingComesBack() {
        var generator = SystemRandomNumberGenerator()
        for length in 0..<200 {
            let octets = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(Base64Text.decode(Base64Text.encode(octets).utf8) == octets, "\(octets)")
        }
    }
}
