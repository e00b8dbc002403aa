# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Messages at random, from a seed: what mailers write, what scripts write, and what nobody should write but may.

Message `number` of a seed is always the same, whichever others are made.
"""

import base64
import quopri
from dataclasses import dataclass, field
from random import Random

WORDS = ["invoice", "your", "order", "Größe", "the", "résumé", "tomorrow", "5 µm", "naïve", "at", "日本語", "see", "a.b", "attached",
         "=20", "From", "x=y", "100 %", "--", "привет", "end", "🙂", "(c)", "\"quoted\"", "semi;colon", "<tag>", "&amp;"]
ASCII_WORDS = [word for word in WORDS if word.isascii()]
NAMES = ["An Application", "App", "no-reply", "\"Sales, Europe\"", "\"A \\\"B\\\" C\"", "=?utf-8?q?Gr=C3=B6=C3=9Fe?=",
         "=?iso-8859-1?B?R3L232U=?=", "Cron.Daemon", ""]
# Boundaries that a careless parser takes for another's, for a regular expression or for the end.
BOUNDARIES = ["b", "b1", "=_Part_1.2", "----=_NextPart", "a'()+_,-./:=?z", "simple boundary", "0" * 70, "--", "x--"]
FILE_NAMES = ['filename="report.pdf"', "filename=plain.txt", "filename*=utf-8''Gr%C3%B6%C3%9Fe.txt", 'filename="a b; c.txt"',
              "filename*0=\"very-long-\";\r\n filename*1=\"name.bin\"", 'filename="=?utf-8?q?Gr=C3=B6=C3=9Fe.txt?="']


@dataclass
class Made:
    """A message to be submitted, CRLF at each line's end, and what is to become of it."""

    number: int
    content: bytes = b""
    # How the refusal begins; empty when the message is to be taken.
    refusal: str = ""
    # What is unusual about it, to be counted and to be told when it fails.
    traits: list[str] = field(default_factory=list)

    @property
    def has_long_body_line(self) -> bool:
        return max(map(len, self.content.partition(b"\r\n\r\n")[2].split(b"\r\n"))) > 998


class Generator:
    """Makes one message; every choice comes from `random`."""

    def __init__(self, seed: int, number: int):
        self.random = Random(f"{seed}/{number}")
        self.made = Made(number)
        self.boundaries: list[str] = []

    def chance(self, share: float, trait: str | None = None) -> bool:
        hit = self.random.random() < share
        if hit and trait is not None:
            self.made.traits.append(trait)
        return hit

    def message(self) -> Made:
        fields = self.fields()
        content_fields, body = self.entity(depth=0)
        if content_fields or self.chance(0.8):
            content_fields = ["MIME-Version: 1.0", *content_fields]
        self.random.shuffle(content_fields)
        fields += content_fields
        if self.chance(0.7):
            self.random.shuffle(fields)
        if self.chance(0.06):
            fields = self.resent_block() + fields
        if self.chance(0.02, "a field twice"):
            self.made.refusal = "550 5.6"
            twice = self.random.choice(["From: other@sender.example", "Subject: again", "To: other@sink.example",
                                        "Message-ID: <again@sender.example>", "Date: Mon, 23 Nov 2026 10:00:00 +0000",
                                        "Content-Type: text/html", "MIME-Version: 1.0"])
            name = twice.split(":")[0]
            fields = [line for line in fields if not line.lower().startswith(f"{name.lower()}:")]
            fields += [twice, twice]
        lines = [self.respelt(line) if self.chance(0.1) else line for line in fields]
        head = b"".join(line.encode() + b"\r\n" for line in lines)
        if not body and self.chance(0.5, "header section alone"):
            self.made.content = head
        else:
            self.made.content = head + b"\r\n" + body
        return self.made

    # The header section

    def fields(self) -> list[str]:
        """All but those that say what the body is."""
        choose = self.random.choice
        fields = [f"X-Number: {self.made.number}", f"From:{self.space()}{self.author()}"]
        for name, share in (("To", 0.9), ("Cc", 0.3), ("Reply-To", 0.3)):
            if self.chance(share):
                fields.append(f"{name}:{self.space()}{self.addresses()}")
        if self.chance(0.1):
            fields.append("Sender: Mailer <mailer@sender.example>")
        if self.chance(0.9):
            fields.append(f"Subject:{self.subject()}")
        if self.chance(0.8):
            fields.append("Date: Mon, 23 Nov 2026 10:00:00 +0000" + choose(["", " (UTC)", "\t(a (nested) comment)"]))
        if self.chance(0.8):
            fields.append(f"Message-ID:{choose([' ', '  ', chr(13) + chr(10) + ' '])}<{self.made.number}.1@sender.example>")
        if self.chance(0.2):
            references = [f"<{number}@other.example>" for number in range(self.random.randint(1, 80))]
            fields.append("References: " + "\r\n ".join(references))
            fields.append(f"In-Reply-To: {references[-1]}")
        if self.chance(0.15):
            fields += ["List-Id: News <news.sender.example>", "List-Unsubscribe: <mailto:u@sender.example>,\r\n <https://sender.example/u>",
                       "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
        for line in ("Feedback-ID: a:b:c:sender", "Auto-Submitted: auto-generated", "Precedence: bulk", "Comments: one", "Keywords: a, b",
                     "Received: from a.example by b.example; Mon, 23 Nov 2026 09:59:00 +0000", "Content-Language: de"):
            if self.chance(0.1):
                fields.append(line)
        for _ in range(choose([0, 0, 1, 2, 4])):
            fields.append(f"{choose(['X-A', 'x-a', 'X-B', 'X-Long-Name-Of-A-Field'])}:{self.odd_value()}")
        if self.chance(0.03, "a long field"):
            fields.append("X-Long: " + " ".join(self.random.choices(ASCII_WORDS, k=400)).replace("\"", ""))
        if self.chance(0.005, "a long field without space"):
            self.made.refusal = "550 5.6"
            fields.append("X-Long: " + "x" * 1500)
        return fields

    def space(self) -> str:
        return self.random.choice([" ", " ", " ", "", "  ", "\t", "\r\n "])

    def author(self) -> str:
        address = self.random.choice(["app@sender.example", "app@sender.example", "app+tag@sender.example", "\"a b\"@sender.example",
                                      "app@SENDER.Example"])
        if self.chance(0.1, "raw 8-bit name"):
            return f"Größe <{address}>"
        if self.chance(0.2):
            return address
        comment = self.random.choice(["", "", " (a comment)", " (nested (comment \\) <x@y.example>))"])
        return f"{self.random.choice(NAMES)}{self.space() or ' '}<{address}>{comment}".strip()

    def addresses(self) -> str:
        if self.chance(0.05, "group"):
            return self.random.choice(["undisclosed-recipients:;", "Team: a@one.example, B <b@two.example>;"])
        some = []
        for number in range(self.random.choice([1, 1, 2, 3, 20])):
            name = self.random.choice(NAMES)
            some.append(f"{name} <r{number}@one.example>" if name else f"r{number}@one.example")
        if self.chance(0.04, "raw 8-bit name"):
            some.append("\"Müller, Jürgen\" <jm@one.example>")
        return self.random.choice([", ", ",\r\n ", ",", " ,\r\n\t"]).join(some)

    def subject(self) -> str:
        kind = self.random.randrange(7)
        if kind == 0:
            return self.random.choice(["", " ", " \t "])
        if kind == 1:
            return " =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n =?utf-8?b?w6Q=?= and more"
        if kind == 2 and self.chance(0.5, "raw 8-bit subject"):
            return " " + " ".join(self.random.choices(WORDS, k=self.random.choice([3, 30])))
        return " " + "\r\n ".join(" ".join(self.random.choices(ASCII_WORDS, k=6)) for _ in range(self.random.choice([1, 1, 2, 5])))

    def odd_value(self) -> str:
        return self.random.choice([" value", "value", "", " ", "  two  spaces \t ", "\r\n folded first", " a\r\n\tb\r\n  c", " a\r\n \r\n b",
                                   " \x0b\x0c", " trailing ", "\tv", " " + "y" * 900])

    def resent_block(self) -> list[str]:
        self.made.traits.append("resent")
        return ["Resent-Date: Mon, 23 Nov 2026 11:00:00 +0000", "Resent-From: app@sender.example", "Resent-To: r@one.example",
                "Resent-Message-ID: <resent@sender.example>"]

    def respelt(self, line: str) -> str:
        name, _, value = line.partition(":")
        return f"{self.random.choice([name.lower(), name.upper(), name.swapcase()])}:{value}"

    # The body

    def entity(self, depth: int) -> tuple[list[str], bytes]:
        """The Content- fields of a part or of the message, and its body."""
        draw = self.random.random()
        if depth < 3 and draw < (0.35 if depth == 0 else 0.2):
            return self.multipart(depth)
        if depth < 2 and draw < (0.40 if depth == 0 else 0.27):
            return self.enclosed_message(depth)
        if depth > 0 and draw < 0.5:
            return self.attachment()
        if depth == 0 and draw < 0.5:
            return [], self.plain_body()
        return self.text()

    def plain_body(self) -> bytes:
        """A body without a field that says anything about it."""
        if self.chance(0.3, "empty body"):
            return self.random.choice([b"", b"", b"\r\n", b"\r\n\r\n\r\n", b" \r\n", b"\t \r\n \r\n"])
        return self.lines(ascii_only=self.chance(0.7))

    def lines(self, ascii_only: bool, encoding: str = "utf-8", may_be_long: bool = True) -> bytes:
        """Some lines of text, each with its CRLF."""
        words = ASCII_WORDS if ascii_only else WORDS
        if not ascii_only:
            self.made.traits.append("8-bit")
        lines = []
        for _ in range(self.random.choice([1, 1, 3, 10, 40])):
            kind = self.random.randrange(12)
            text = " ".join(self.random.choices(words, k=self.random.randint(1, 12)))
            lines.append({0: "", 1: "." * self.random.randint(1, 3), 2: f".{text}", 3: f"  {text}\t ", 4: " \t", 5: f"From {text}",
                          6: "--", 7: f"--b {text}"}.get(kind, text))
        if may_be_long and self.chance(0.06, "a long line"):
            separator = self.random.choice([" ", ""])
            lines.insert(self.random.randint(0, len(lines)), separator.join(self.random.choices(words, k=self.random.choice([300, 3000]))))
        if self.chance(0.004, "past the inline limit"):
            lines *= 1 + 300_000 // (sum(map(len, lines)) + 2 * len(lines))
        if self.chance(0.2):
            lines += [""] * self.random.randint(1, 4)
        return "".join(f"{line}\r\n" for line in lines).encode(encoding, "replace")

    def text(self) -> tuple[list[str], bytes]:
        kind = self.random.choice(["plain", "plain", "html", "csv"])
        ascii_only = self.chance(0.4)
        charset = self.random.choice(["us-ascii", "utf-8"] if ascii_only else ["utf-8", "UTF-8", "iso-8859-1"])
        body = self.lines(ascii_only, charset)
        fields = [f"Content-Type: text/{kind};{self.space() or ' '}charset={self.random.choice([charset, chr(34) + charset + chr(34)])}"
                  + self.random.choice(["", "; format=flowed"])]
        encoding = self.random.choice(["quoted-printable", "base64", None, None, None])
        if encoding == "quoted-printable":
            body = quoted_printable(body)
        elif encoding == "base64":
            body = base64_lines(body)
        elif not ascii_only and self.chance(0.9):
            encoding = "8bit"
        elif ascii_only and self.chance(0.5):
            encoding = "7bit"
        if encoding is not None:
            fields.append(f"Content-Transfer-Encoding: {self.random.choice([encoding, encoding.upper()])}")
        return fields, body

    def attachment(self) -> tuple[list[str], bytes]:
        octets = self.random.randbytes(self.random.choice([0, 1, 57, 58, 2000]))
        name = self.random.choice(FILE_NAMES)
        kind = self.random.choice(["application/octet-stream", "image/png", "application/pdf"])
        return [f"Content-Type: {kind}", "Content-Transfer-Encoding: base64",
                f"Content-Disposition: attachment;{self.random.choice([' ', chr(13) + chr(10) + ' '])}{name}"], base64_lines(octets)

    def multipart(self, depth: int) -> tuple[list[str], bytes]:
        if self.chance(0.08, "multipart/signed"):
            return self.signed_multipart()
        kind = self.random.choice(["mixed", "alternative", "related", "digest" if depth else "mixed", "report"])
        boundary = self.boundary()
        self.boundaries.append(boundary)
        parts = []
        for _ in range(self.random.choice([1, 2, 2, 3, 5])):
            fields, body = self.enclosed_message(depth) if kind == "digest" else self.entity(depth + 1)
            if self.chance(0.1):
                fields.append("Content-ID: <part@sender.example>")
            # The line end before a delimiter belongs to the delimiter: half the parts end without one of their own.
            parts.append("".join(f"{line}\r\n" for line in fields).encode() + b"\r\n"
                         + (body.removesuffix(b"\r\n") if self.chance(0.5) else body))
        self.boundaries.pop()
        padding = self.random.choice(["", "", " ", "\t"])
        preamble = self.random.choice([b"", b"", b"This is a multi-part message in MIME format.\r\n\r\n"])
        body = preamble + b"".join(f"--{boundary}{padding}\r\n".encode() + part + b"\r\n" for part in parts)
        body += f"--{boundary}--\r\n".encode() + self.random.choice([b"", b"", b"\r\n", b"An epilogue.\r\n"])
        quoted = f'"{boundary}"' if set(boundary) & set(" '()+_,./:=?") or self.chance(0.7) else boundary
        return [f"Content-Type: multipart/{kind};{self.random.choice([' ', chr(13) + chr(10) + chr(9)])}boundary={quoted}"], body

    def boundary(self) -> str:
        """One that is no line of the texts and begins no delimiter of those around it."""
        free = [boundary for boundary in BOUNDARIES if boundary not in self.boundaries]
        return f"{self.random.choice(free)[:40]}=_{len(self.boundaries)}"[:70].strip()

    def signed_multipart(self) -> tuple[list[str], bytes]:
        """Its content is sacred, so it is 7-bit and short already; the signature is no real one."""
        boundary = self.boundary()
        text = "".join(f"{' '.join(self.random.choices(ASCII_WORDS, k=9))}  \r\n" for _ in range(5)).encode()
        signature = base64_lines(self.random.randbytes(300))
        body = (f"--{boundary}\r\nContent-Type: text/plain\r\n\r\n".encode() + text
                + f"\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n".encode() + signature + f"\r\n--{boundary}--\r\n".encode())
        parameters = f'protocol="application/pkcs7-signature"; micalg=sha-256; boundary="{boundary}"'
        return [f"Content-Type: multipart/signed;\r\n {parameters}"], body

    def enclosed_message(self, depth: int) -> tuple[list[str], bytes]:
        self.made.traits.append("message/rfc822")
        fields, body = self.entity(depth + 1)
        head = ["From: inner@other.example", "Subject: inner", "MIME-Version: 1.0", *fields]
        content = "".join(f"{line}\r\n" for line in head).encode() + b"\r\n" + body
        outer = ["Content-Type: message/rfc822"]
        if not content.isascii():
            outer.append("Content-Transfer-Encoding: 8bit")
        return outer, content


def quoted_printable(octets: bytes) -> bytes:
    return b"\r\n".join(quopri.encodestring(line).replace(b"=\n", b"=\r\n").removesuffix(b"\n") for line in octets.split(b"\r\n"))


def base64_lines(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def make_message(seed: int, number: int) -> Made:
    return Generator(seed, number).message()
