# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Model smarthosts: next hops that do to a message what the large providers do to it before it goes on.

What each does is taken from its documentation: what it replaces, adds, takes away or refuses, which fields it obeys, and
whether it signs beside us. `arrivals` holds each message as a recipient would get it.
"""

import base64
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import dkim

from .next_hops import Arrival, NextHop

# A field of a header section: its name, and all its octets with the last CRLF.
Field = tuple[str, bytes]


@dataclass
class Message:
    """A message while a provider has it in hand."""

    fields: list[Field]
    body: bytes
    recipients: list[str]

    @classmethod
    def parse(cls, content: bytes, recipients: list[str]) -> "Message":
        section, _, body = content.partition(b"\r\n\r\n")
        fields = re.findall(rb"([!-9;-~]+)[ \t]*:.*\r\n(?:[ \t].*\r\n)*", section + b"\r\n")
        whole = [match.group(0) for match in re.finditer(rb"[^ \t].*\r\n(?:[ \t].*\r\n)*", section + b"\r\n")]
        return cls([(name.decode().lower(), octets) for name, octets in zip(fields, whole, strict=True)], body, recipients)

    def octets(self) -> bytes:
        return b"".join(octets for _, octets in self.fields) + b"\r\n" + self.body

    def value(self, name: str) -> str | None:
        """Of the first field of that name, unfolded."""
        for other, octets in self.fields:
            if other == name:
                return re.sub(rb"\r\n", b"", octets.split(b":", 1)[1]).decode().strip()
        return None

    def remove(self, *patterns: str) -> None:
        """All fields of these names; a star at the end stands for any rest."""
        def hit(name: str) -> bool:
            return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in patterns)
        self.fields = [entry for entry in self.fields if not hit(entry[0])]

    def prepend(self, *lines: str) -> None:
        self.fields = [(line.split(":")[0].lower(), f"{line}\r\n".encode()) for line in lines] + self.fields

    def append(self, *lines: str) -> None:
        self.fields += [(line.split(":")[0].lower(), f"{line}\r\n".encode()) for line in lines]


class Refused(Exception):
    """The reply instead of 250."""


@cache
def provider_key() -> tuple[bytes, str]:
    """One RSA key that all providers sign with: private, in PEM, and its record."""
    private = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=private, check=True, capture_output=True).stdout
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def sign_again(message: Message, domain: str, selector: str = "provider") -> None:
    """The provider's own signature, in front of ours."""
    signature = dkim.sign(message.octets(), selector.encode(), domain.encode(), provider_key()[0],
                          canonicalize=(b"relaxed", b"simple"), include_headers=[b"from", b"to", b"subject"])
    message.fields.insert(0, ("dkim-signature", signature))


def provider_records(*domains: str) -> dict[str, str]:
    return {f"provider._domainkey.{domain}": provider_key()[1] for domain in domains}


TRACKED = "https://click.provider.example/"


def track(message: Message) -> None:
    """Links lead through the provider, and a picture tells it who reads."""
    message.body = re.sub(rb"https://", TRACKED.encode(), message.body) + b"<img src=\"https://open.provider.example/1\">\r\n"


def pass_on(message: Message) -> None:
    """generic: only a trace field."""
    message.prepend("Received: from relay.waxwing.example by mx.generic.example; Tue, 24 Nov 2026 10:00:00 +0000")


def amazon_ses(message: Message) -> None:
    """Refuses what is there twice, writes its own Message-ID and Date, adds its fields and a signature of its own.

    https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
    """
    names = [name for name, _ in message.fields]
    for name in ("dkim-signature", "from", "to", "subject", "date", "message-id", "reply-to", "sender"):
        if names.count(name) > 1:
            written = {"dkim-signature": "DKIM-Signature", "message-id": "Message-ID"}.get(name, name.capitalize())
            raise Refused(f"554 Transaction failed: Duplicate header '{written}'.")
    if len(message.recipients) > 50:
        raise Refused("554 Transaction failed: Recipient count exceeds 50.")
    message.remove("message-id", "date", "return-path", "bounces-to", "x-ses-*")
    message.prepend("Message-ID: <0102018f-000000@eu-west-1.amazonses.com>", "Date: Tue, 24 Nov 2026 10:00:01 +0000",
                    "Feedback-ID: ::1.eu-west-1.abc=:AmazonSES", "X-SES-Outgoing: 2026.11.24-54.240.0.1")
    sign_again(message, "amazonses.com")


def sendgrid(message: Message) -> None:
    """Tracks and adds a footer unless X-SMTPAPI turns each off, and takes X-SMTPAPI away."""
    settings = re.sub(r"\s", "", message.value("x-smtpapi") or "")
    for name in ("clicktrack", "opentrack", "footer", "subscriptiontrack", "ganalytics"):
        if f'"{name}":{{"settings":{{"enable":0}}}}' not in settings:
            track(message)
    message.remove("x-smtpapi")
    message.prepend("Received: by recvd-canary with SMTP id recvd-1; 2026-11-24 10:00:00 UTC")
    message.append("X-SG-EID: =?us-ascii?Q?abc?=", "X-Entity-ID: u001.abc==")
    sign_again(message, "sendgrid.info")


def mailgun(message: Message) -> None:
    """Tracks and signs in the author's name unless X-Mailgun-Track and X-Mailgun-Dkim say no; takes X-Mailgun- away."""
    signs = message.value("x-mailgun-dkim") != "no"
    if message.value("x-mailgun-track") != "no":
        track(message)
    message.remove("x-mailgun-*")
    message.prepend("Received: by 0123456789ab with SMTP id 0123456789ab; Tue, 24 Nov 2026 10:00:00 GMT",
                    "X-Mailgun-Sending-Ip: 192.0.2.1", "X-Mailgun-Sid: WyJhIiwiYiJd")
    if signs:
        sign_again(message, "mailgun.example")


def smtp_com(message: Message) -> None:
    """Takes its own settings away, and signs beside us with a key that it has for the author's domain."""
    message.remove("x-smtpcom-*")
    message.prepend("X-SMTPCOM-Tracking-Number: 00000000-0000", "X-SMTPCOM-Sender-ID: 1", "X-Report-Abuse: abuse@smtp.example")
    sign_again(message, "sender.example")


def postmark(message: Message) -> None:
    """Writes a new Message-ID unless X-PM-KeepID keeps it, tracks unless told not to, signs twice beside us."""
    if len(message.recipients) > 50:
        raise Refused("550 5.5.3 too many recipients")
    if message.value("x-pm-keepid") != "true":
        message.remove("message-id")
        message.append("Message-ID: <new@mtasv.example>")
    if message.value("x-pm-tracklinks") != "None" or message.value("x-pm-trackopens") != "false":
        track(message)
    message.remove("x-pm-*")
    message.prepend("X-PM-Message-Id: 1", "X-Complaints-To: abuse@postmarkapp.example", "Feedback-ID: s1-_:s1:a1:postmark")
    sign_again(message, "pm.mtasv.net")
    sign_again(message, "sender.example")


def gmail_relay(message: Message) -> None:
    """Puts a signature of its own under another name, its trace fields and a DKIM-Signature in front."""
    message.remove("x-google-*", "x-gm-*")
    if message.value("message-id") is None:
        message.append("Message-ID: <new@mx.google.example>")
    message.prepend("X-Google-DKIM-Signature: v=1; a=rsa-sha256; d=1e100.net; s=x; b=abc", "X-Gm-Message-State: AOJu0Yy",
                    "X-Google-Smtp-Source: AGHT+IF", "X-Received: by 2002:a17:906; Tue, 24 Nov 2026 02:00:00 -0800 (PST)",
                    "Received: from relay.waxwing.example by smtp-relay.gmail.com with ESMTPS; Tue, 24 Nov 2026 02:00:00 -0800")
    sign_again(message, "sender-example.20230601.gappssmtp.com")


def microsoft365(message: Message) -> None:
    """Folds long fields anew, orders the fields its own way, adds many of its own and signs beside us."""
    message.remove("x-ms-*", "x-microsoft-*", "x-forefront-*")
    first = [entry for entry in message.fields if entry[0] in ("received", "dkim-signature")]
    last = [entry for entry in message.fields if entry[0] in ("mime-version", "content-type", "content-transfer-encoding")]
    rest = [entry for entry in message.fields if entry not in first and entry not in last]
    message.fields = [(name, fold(octets)) for name, octets in first + rest] + last
    message.prepend("ARC-Seal: i=1; a=rsa-sha256; s=arcselector; d=microsoft.com; cv=none; b=abc",
                    "Received: from AM0P1.EURP1.PROD.OUTLOOK.COM (2603:10a6::1) by\r\n AM0P2.eurprd.prod.outlook.com with HTTPS;"
                    " Tue, 24 Nov 2026 10:00:00 +0000")
    message.append("X-MS-PublicTrafficType: Email", "X-MS-Office365-Filtering-Correlation-Id: 0", "X-Microsoft-Antispam: BCL:0;",
                   "X-MS-Exchange-Transport-CrossTenantHeadersStamped: AM0P1")
    sign_again(message, "sender.onmicrosoft.com")


def fold(octets: bytes) -> bytes:
    """The field on one line, folded again before column 76 where there is white space."""
    words = re.sub(rb"\r\n", b"", octets).split(b" ")
    lines = [words[0]]
    for word in words[1:]:
        # No line of white space alone, and something of the value beside the name.
        if len(lines[-1]) + 1 + len(word) <= 76 or not word or lines[-1].endswith(b":"):
            lines[-1] += b" " + word
        else:
            lines.append(b" " + word)
    return b"\r\n".join(lines) + b"\r\n"


@dataclass
class Provider:
    """What a provider does to each message, and where the keys of its own signatures stand."""

    alter: Callable[[Message], None]
    signs_as: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 41943040")


PROVIDERS = {
    "generic": Provider(pass_on),
    "ses": Provider(amazon_ses, ("amazonses.com",), ("8BITMIME", "SIZE 41943040")),
    "sendgrid": Provider(sendgrid, ("sendgrid.info",)),
    "mailgun": Provider(mailgun, ("mailgun.example",)),
    "smtp.com": Provider(smtp_com, ("sender.example",)),
    "postmark": Provider(postmark, ("pm.mtasv.net", "sender.example"), ("PIPELINING", "8BITMIME", "SIZE 15728640")),
    "gmail-relay": Provider(gmail_relay, ("sender-example.20230601.gappssmtp.com",)),
    "microsoft365": Provider(microsoft365, ("sender.onmicrosoft.com",)),
}


@dataclass
class Smarthost(NextHop):
    """A next hop that is one of the providers."""

    provider: Provider = field(default_factory=lambda: PROVIDERS["generic"])
    # Each message as it came from us.
    handed_in: list[Arrival] = field(default_factory=list)

    def __post_init__(self):
        super().__post_init__()
        self.extensions = self.provider.extensions

    def receive(self, arrival: Arrival) -> str:
        """The message goes on as the provider leaves it, or is refused."""
        self.handed_in.append(Arrival(**vars(arrival)))
        message = Message.parse(arrival.content, arrival.recipients)
        try:
            self.provider.alter(message)
        except Refused as refused:
            return str(refused)
        arrival.content = message.octets()
        return super().receive(arrival)

    def records(self) -> dict[str, str]:
        """The key records of the provider."""
        return provider_records(*self.provider.signs_as)


def smarthost(name: str) -> Smarthost:
    return Smarthost(provider=PROVIDERS[name])
