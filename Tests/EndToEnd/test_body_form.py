# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Bodies: which parts are encoded, at intake and for a next hop that takes 7 bits, and which never are."""

import email

import pytest

from support.decoding import decoded
from support.next_hops import NextHop
from support.passage import arrived, hand_in
from support.smtp import message, queue_id

LONG = "a long line, " * 200


def multipart(*parts: str, kind: str = "mixed", fields: str = "") -> bytes:
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    section = f"{fields}From: app@sender.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=b\r\n"
    return f"{section}\r\n{body}".encode()


@pytest.mark.parametrize("extensions", [("8BITMIME",), ()], ids=["8BITMIME", "7-bit"])
@pytest.mark.parametrize("submitted", [
    message(body=LONG + "\r\n"),
    message(body="Größe " * 500 + "\r\n"),
    b"From: app@sender.example\r\nSubject: no MIME\r\n\r\n" + LONG.encode() + b"\r\n",
    b"From: app@sender.example\r\nSubject: no MIME\r\n\r\n" + "日本語".encode() * 400 + b"\r\n",
    multipart(f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{LONG}ö \r\n",
              "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n", "\r\nshort\r\n"),
    multipart("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
              "From: x@y.example\r\nSubject: inner\r\nMIME-Version: 1.0\r\n"
              f"Content-Type: text/plain; charset=utf-8\r\n\r\n{LONG}é\r\n"),
], ids=["ASCII", "8-bit", "bare ASCII", "bare 8-bit", "multipart", "enclosed message"])
def test_a_part_with_a_long_line_is_encoded_and_the_rest_is_left(relay, submitted, extensions):
    content = arrived(relay, submitted, extensions)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert decoded(content) == decoded(submitted)
    for part in email.message_from_bytes(content).walk():
        encoding = part.get("Content-Transfer-Encoding", "7bit").lower()
        assert not part.is_multipart() or encoding in ("7bit", "8bit", "binary"), part


SACRED = {
    "signed": ("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=s\r\n\r\n--s\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n--s\r\n"
               "Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--s--\r\n"),
    "encrypted": ("Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=s\r\n\r\n--s\r\n"
                  "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--s\r\n"
                  "Content-Type: application/octet-stream\r\n\r\n{text}\r\n--s--\r\n"),
}


@pytest.mark.parametrize("outer", ["whole", "part"])
@pytest.mark.parametrize("kind", SACRED)
def test_what_a_sender_signed_or_encrypted_is_never_encoded_anew(relay, kind, outer):
    def content(text: str) -> bytes:
        part = SACRED[kind].format(text=text)
        return multipart(part) if outer == "part" else f"From: app@sender.example\r\nMIME-Version: 1.0\r\n{part}".encode()

    body = content("short, trailing space \r\n").partition(b"\r\n\r\n")[2]
    assert arrived(relay, content("short, trailing space \r\n"), ()).endswith(body)
    reply = hand_in(relay, content(LONG + "\r\n") + b".\r\n")
    assert reply.startswith("550 5.6"), reply


@pytest.mark.parametrize("route", [{}, {"eight-bit": "keep"}, {"eight-bit": "encode"}], ids=["default", "keep", "encode"])
@pytest.mark.parametrize("extensions", [("8BITMIME",), ()], ids=["8BITMIME", "7-bit"])
def test_8_bit_content_goes_as_it_is_only_where_next_hop_and_route_take_it(relay, route, extensions):
    submitted = multipart("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGröße\r\n",
                          fields="Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\nContent-Length: 5\r\n")
    content = arrived(relay, submitted, extensions, **route)
    keeps = bool(extensions) and route.get("eight-bit") != "encode"
    assert content.isascii() != keeps
    assert (content.partition(b"\r\n\r\n")[2] == submitted.partition(b"\r\n\r\n")[2]) == keeps
    assert decoded(content)["parts"] == decoded(submitted)["parts"]
    assert keeps or b"Content-MD5" not in content


def test_8_bit_content_that_is_signed_fails_at_a_7_bit_next_hop_with_a_report(relay):
    part = SACRED["signed"].format(text="Größe\r\n")
    with NextHop(extensions=()) as hop, NextHop() as home:
        relay.configure(route=[{"name": "home", "to": ["sender.example"], "smarthost": f"127.0.0.1:{home.port}", "tls": "off"},
                               {"name": "next", "to": ["*"], "smarthost": f"127.0.0.1:{hop.port}", "tls": "off"}])
        relay.start()
        queue_id(hand_in(relay, f"From: app@sender.example\r\nMIME-Version: 1.0\r\n{part}.\r\n".encode()))
        report = home.wait_for_arrivals(1)[0].content
        assert b"multipart/report" in report and b"Status: 5.6." in report
        assert hop.arrivals == []
