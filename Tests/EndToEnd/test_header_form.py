# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Header sections: what intake mends before anything is signed, and what it refuses."""

import email

import pytest

from support.decoding import decoded
from support.passage import arrived, hand_in
from support.smtp import message, refusal

ONCE = ["From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject", "Date", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version"]
VALUES = {"From": "app@sender.example", "Sender": "s@sender.example", "Reply-To": "r@sender.example", "To": "t@sink.example",
          "Cc": "c@sink.example", "Content-Type": "text/plain", "Content-Transfer-Encoding": "7bit", "MIME-Version": "1.0",
          "Date": "Mon, 23 Nov 2026 10:00:00 +0000", "Subject": "A test"}


@pytest.mark.parametrize("name", ONCE)
def test_a_field_that_may_stand_once_is_refused_when_it_stands_twice(relay, name):
    relay.start()
    line = f"{name}: {VALUES.get(name, '<a@sender.example>')}\r\n"
    others = "" if name == "From" else "From: app@sender.example\r\n"
    reply = refusal(relay.port, f"{others}{line}X-Between: x\r\n{line.lower()}\r\nbody\r\n".encode())
    assert reply.startswith("550 5.6.0") and name in reply, reply


def test_blocks_of_resent_fields_stay_and_what_they_lack_is_added_to_the_top_one(relay):
    block = "Resent-From: app@sender.example\r\nResent-To: <r@sink.example>\r\n"
    content = arrived(relay, message(fields=block + "Resent-From: first@sender.example\r\n"
                                                    "Resent-Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n"
                                                    "Resent-To: <q@sink.example>\r\n"
                                                    "Resent-Message-ID: <1@sender.example>\r\n"))
    taken = email.message_from_bytes(content)
    assert taken.get_all("Resent-From") == ["app@sender.example", "first@sender.example"]
    assert len(taken.get_all("Resent-Date")) == 2 and len(taken.get_all("Resent-Message-ID")) == 2
    assert len(taken.get_all("Date")) == len(taken.get_all("Message-ID")) == 1


@pytest.mark.parametrize("field, wanted", [
    ("Subject: Größe 5 µm — naïve", "Größe 5 µm — naïve"),
    ("Subject: plain, then Größe", "plain, then Größe"),
    ("To: \"Müller, Jürgen\" <jm@sink.example>, plain@sink.example", None),
    ("X-Note:日本語" * 20, None),
])
def test_raw_utf8_in_a_field_becomes_encoded_words(relay, field, wanted):
    submitted = f"From: Größe <app@sender.example>\r\n{field}\r\n\r\nx\r\n".encode()
    content = arrived(relay, submitted)
    section = content.partition(b"\r\n\r\n")[0]
    assert section.isascii() and max(map(len, section.split(b"\r\n"))) <= 998
    assert decoded(content)["fields"] == decoded(submitted)["fields"]
    if wanted is not None:
        assert ("subject", wanted) in decoded(content)["fields"]


@pytest.mark.parametrize("field", [b"Subject: Gr\xf6\xdfe", b"To: <m\xc3\xbcller@sink.example>", b"Message-ID: <\xc3\xbc@sender.example>"],
                         ids=["Latin-1", "local-part", "Message-ID"])
def test_octets_that_no_encoding_can_stand_for_are_refused(relay, field):
    relay.start()
    reply = hand_in(relay, b"From: app@sender.example\r\n" + field + b"\r\n\r\nx\r\n.\r\n")
    assert reply.startswith("550 5.6"), reply


def test_a_field_over_998_octets_is_folded_where_it_has_white_space_or_refused(relay):
    words = " ".join(["word"] * 400)
    submitted = message(fields=f"X-Long: {words}\r\n")
    content = arrived(relay, submitted)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert decoded(content) == decoded(submitted)
    assert refusal(relay.port, message(fields=f"X-Long: {'w' * 1500}\r\n")).startswith("550 5.6")
