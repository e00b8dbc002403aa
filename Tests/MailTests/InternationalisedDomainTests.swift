// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@Suite("Internationalised domains")
struct InternationalisedDomainTests {
    @Test(
        "labels outside ASCII become A-labels",
        arguments: [
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("B\u{dc}CHER.Example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("fa\u{df}.example", "xn--fa-hia.example"),
            ("\u{3b2}\u{3cc}\u{3bb}\u{3bf}\u{3c2}.example", "xn--nxasmm1c.example"),
            ("\u{65e5}\u{672c}\u{8a9e}.jp", "xn--wgv71a119e.jp"),
            ("\u{65e5}\u{672c}\u{8a9e}\u{3002}jp", "xn--wgv71a119e.jp"),
            ("\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}", "xn--e1afmkfd.xn--p1ai"),
            ("m\u{fc}nchen-ost.b\u{fc}cher.example", "xn--mnchen-ost-9db.xn--bcher-kva.example"),
            ("\u{645}\u{62b}\u{627}\u{644}.example", "xn--mgbh0fb.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("plain.Example.", "plain.example"),
            ("l\u{b7}l.example", "xn--ll-0ea.example"),
            // RFC 3492 §7.1: "Why can't they just speak in Japanese?", in lower case.
            (
                "\u{306a}\u{305c}\u{307f}\u{3093}\u{306a}\u{65e5}\u{672c}\u{8a9e}\u{3092}\u{8a71}\u{3057}\u{3066}"
                    + "\u{304f}\u{308c}\u{306a}\u{3044}\u{306e}\u{304b}", "xn--n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa"
            ),
            ("\u{65e5}-", nil), ("-\u{65e5}", nil), ("ab--\u{fc}.example", nil), ("\u{308}a.example", nil),
            ("\u{ff41}.example", nil), ("\u{2665}.example", nil), ("a\u{200d}b.example", nil),
            ("a\u{fc}..example", nil), ("\u{fc}\u{20}.example", nil), ("\u{fffd}.example", nil), ("", nil),
            (String(repeating: "\u{fc}", count: 64) + ".example", nil),
        ] as [(String, String?)])
    func labels(text: String, expected: String?) {
        #expect(Domain(internationalised: text)?.name == expected)
    }
}
