# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""SMTP as an application speaks it: whole messages through smtplib, single octets through a socket."""

import re
import smtplib
import socket


def message(sender: str = "app@sender.example", recipient: str = "someone@sink.example", subject: str = "A test",
            body: str = "Hello.\r\n", fields: str = "") -> bytes:
    """A complete message with CRLF line ends; `fields` are whole lines that come first."""
    return (f"{fields}From: An Application <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{abs(hash((subject, body)))}@{sender.split('@')[1]}>\r\n"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}").encode()


def submit(port: int, content: bytes, sender: str = "app@sender.example", recipients=("someone@sink.example",)) -> str:
    """Submits one message; the queue ID of the reply. Raises what smtplib raises when it is refused."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("app.example")
        return submit_on(client, content, sender, recipients)


def submit_on(client: smtplib.SMTP, content: bytes, sender: str, recipients=("someone@sink.example",)) -> str:
    """As `submit`, on a connection that is open already."""
    check(client.mail(sender))
    for recipient in recipients:
        check(client.rcpt(recipient))
    return queue_id(check(client.data(content)))


def check(reply: tuple[int, bytes]) -> str:
    code, text = reply
    if code >= 400:
        raise smtplib.SMTPResponseException(code, text)
    return text.decode()


def queue_id(text: str) -> str:
    found = re.search(r"queued as ([0-9A-Z]{13})", text)
    assert found, f"no queue ID in {text!r}"
    return found.group(1)


def refusal(port: int, content: bytes, sender: str = "app@sender.example", recipients=("someone@sink.example",)) -> str:
    """The reply that refuses a message, as `CODE TEXT`."""
    try:
        identifier = submit(port, content, sender, recipients)
    except smtplib.SMTPResponseException as error:
        return f"{error.smtp_code} {error.smtp_error.decode()}"
    raise AssertionError(f"the message was taken, as {identifier}")


class Conversation:
    """A connection where the test writes every octet itself."""

    def __init__(self, port: int, greeted: bool = True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.buffer = b""
        if greeted:
            assert self.reply().startswith("220 ")
            assert self.say("EHLO app.example").startswith("250")

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def write(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def say(self, line: str) -> str:
        """Sends one command, gives back its reply."""
        self.write(line.encode() + b"\r\n")
        return self.reply()

    def reply(self) -> str:
        """The next whole reply, its lines joined by newlines; empty when the peer closed."""
        lines = []
        while True:
            while b"\r\n" not in self.buffer:
                try:
                    octets = self.socket.recv(65536)
                except ConnectionError:
                    octets = b""
                if not octets:
                    return "\n".join(lines)
                self.buffer += octets
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            lines.append(line.decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def begin_data(self, sender: str = "app@sender.example", recipient: str = "someone@sink.example") -> None:
        """MAIL, RCPT and DATA, up to the 354."""
        assert self.say(f"MAIL FROM:<{sender}>").startswith("250"), "MAIL"
        assert self.say(f"RCPT TO:<{recipient}>").startswith("250"), "RCPT"
        assert self.say("DATA").startswith("354"), "DATA"
