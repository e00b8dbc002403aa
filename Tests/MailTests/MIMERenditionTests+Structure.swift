// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

extension MIMERenditionTests {
    static let structured: [Case] = [
        Case(
            name: "only the parts that need it, and the labels of what holds them",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=outer
                Content-Transfer-Encoding: 8bit

                Vorspann \u{fc}
                --outer
                Content-Type: multipart/alternative; boundary="in ner"
                Content-Transfer-Encoding: binary

                --in ner  \t
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: 8bit

                gr\u{fc}n
                --in ner
                Content-Type: text/html

                <p>green</p>
                --in ner--
                Nachspann
                --outer
                Content-Type: application/octet-stream

                \u{fc}
                --outer--
                Ende \u{fc}

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=outer
                Content-Transfer-Encoding: 7bit

                Vorspann ??
                --outer
                Content-Type: multipart/alternative; boundary="in ner"
                Content-Transfer-Encoding: 7bit

                --in ner  \t
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                gr=C3=BCn
                --in ner
                Content-Type: text/html

                <p>green</p>
                --in ner--
                Nachspann
                --outer
                Content-Type: application/octet-stream
                Content-Transfer-Encoding: base64

                w7w=
                --outer--
                Ende ??

                """),
        Case(
            name: "a message inside a message has its own MIME fields",
            original: """
                MIME-Version: 1.0
                Content-Type: message/rfc822
                Content-Transfer-Encoding: 8bit

                From c@d Mon Nov 23 09:00:00 2026
                From: c@d
                Subject: sch\u{f6}ne Gr\u{fc}\u{df}e (x)

                gr\u{fc}n

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: message/rfc822
                Content-Transfer-Encoding: 7bit

                From c@d Mon Nov 23 09:00:00 2026
                From: c@d
                Subject: =?utf-8?B?c2Now7ZuZSBHcsO8w59l?=
                 (x)
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                gr=C3=BCn

                """),
        Case(
            name: "the parts of a digest are messages",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/digest; boundary=d

                --d

                From: c@d
                MIME-Version: 1.0

                \u{fc}
                --d
                Content-Type: text/plain

                \u{fc}
                --d--

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/digest; boundary=d

                --d

                From: c@d
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                =C3=BC
                --d
                Content-Type: text/plain
                Content-Transfer-Encoding: quoted-printable

                =C3=BC
                --d--

                """),
        Case(
            name: "parts without header, without the empty line, and without anything",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b

                \u{fc}
                --b
                bare \u{fc} text

                more
                --b
                --b
                Content-Type: text/plain
                --b

                --b--
                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Transfer-Encoding: quoted-printable

                =C3=BC
                --b
                Content-Transfer-Encoding: quoted-printable

                bare =C3=BC text

                more
                --b
                --b
                Content-Type: text/plain
                --b

                --b--
                """),
        Case(
            name: "without a last delimiter the last part ends with the body",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: multipart/mixed; boundary=c

                --c
                Content-Type: image/png

                \u{fc}
                --b
                Content-Type: image/png

                \u{fc}

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: multipart/mixed; boundary=c

                --c
                Content-Type: image/png
                Content-Transfer-Encoding: base64

                w7w=
                --b
                Content-Type: image/png
                Content-Transfer-Encoding: base64

                w7wNCg==

                """),
        Case(
            name: "one boundary that is the start of another, and two that are the same",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=x

                --x
                Content-Type: multipart/mixed; boundary=xy

                --xy

                \u{fc}
                --xyz
                --xy--
                --x
                Content-Type: multipart/mixed; boundary=x

                --x

                \u{fc}
                --x--

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=x

                --x
                Content-Type: multipart/mixed; boundary=xy

                --xy
                Content-Transfer-Encoding: quoted-printable

                =C3=BC
                --xyz
                --xy--
                --x
                Content-Type: multipart/mixed; boundary=x

                --x
                Content-Transfer-Encoding: quoted-printable

                =C3=BC
                --x--

                """),
        Case(
            name: "names of files become those of RFC 2231",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: application/pdf; name="\u{dc}bersicht.pdf"
                Content-Disposition: attachment; filename=\u{dc}bersicht.pdf; size=3
                Content-Description: die \u{dc}bersicht

                abc
                --b--

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: application/pdf; name*=utf-8''%C3%9Cbersicht.pdf
                Content-Disposition: attachment; filename*=utf-8''%C3%9Cbersicht.pdf; size=3
                Content-Description: die =?utf-8?B?w5xiZXJzaWNodA==?=

                abc
                --b--

                """),
        Case(
            name: "signed and encrypted parts that may travel stay, whatever stands beside them",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: multipart/signed; boundary=s; protocol="application/pgp-signature"
                Content-Transfer-Encoding: 8bit

                --s
                Content-Type: text/plain
                Content-Transfer-Encoding: 8bit

                signed
                --s
                Content-Type: application/pgp-signature

                xyz
                --s--
                --b

                the file: gr\u{fc}n
                --b--

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: multipart/signed; boundary=s; protocol="application/pgp-signature"
                Content-Transfer-Encoding: 8bit

                --s
                Content-Type: text/plain
                Content-Transfer-Encoding: 8bit

                signed
                --s
                Content-Type: application/pgp-signature

                xyz
                --s--
                --b
                Content-Transfer-Encoding: quoted-printable

                the file: gr=C3=BCn
                --b--

                """),
        Case(
            name: "message/global is encoded as a whole where its fields are not ASCII",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: message/global
                Content-Transfer-Encoding: 8bit

                From: \u{fc}@b

                \u{fc}
                --b
                Content-Type: message/global

                From: a@b

                \u{fc}
                --b--

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: message/global
                Content-Transfer-Encoding: base64

                RnJvbTogw7xAYg0KDQrDvA==
                --b
                Content-Type: message/global

                From: a@b
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                =C3=BC
                --b--

                """),
    ]
}
