# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Only CRLF ends a line of what is signed: what each policy of a listener makes of the rest."""

import email

import pytest

from support.passage import arrived, hand_in
from support.smtp import message


def test_a_bare_line_feed_is_refused_by_default(relay):
    relay.start()
    assert hand_in(relay, message() + b"one\ntwo\r\n.\r\n").startswith("550 5.")


def listener(relay, policy: str) -> None:
    relay.configure(listener=[{"address": "127.0.0.1", "port": relay.port, "bare-lf": policy}])


def test_a_listener_that_normalises_makes_line_feeds_line_ends(relay):
    listener(relay, "normalise")
    content = arrived(relay, (message(body="one\r\ntwo\r\n") + b"three\nfour\r\n\nfive\n..six\r\n").replace(b"Subject: A", b"Subject:\n A"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.endswith(b"\r\n\r\none\r\ntwo\r\nthree\r\nfour\r\n\r\nfive\r\n.six\r\n")
    assert email.message_from_bytes(content)["Subject"].split() == ["A", "test"]


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n"], ids=["LF.LF", "LF.CRLF", "CRLF.LF"])
def test_a_lone_dot_beside_a_bare_line_feed_is_neither_text_nor_the_end(relay, ending):
    listener(relay, "normalise")
    relay.start()
    reply = hand_in(relay, message(body="x") + ending + b"y\r\n.\r\n")
    assert reply.startswith("550 5."), reply
    assert relay.queue() == []


@pytest.mark.parametrize("policy", ["reject", "normalise"])
@pytest.mark.parametrize("octet", [b"\r", b"\0"], ids=["CR", "NUL"])
@pytest.mark.parametrize("place", ["body", "header section"])
def test_a_bare_carriage_return_and_a_nul_are_always_refused(relay, policy, octet, place):
    listener(relay, policy)
    relay.start()
    content = message().replace(b"Hello" if place == "body" else b"A test", b"a" + octet + b"b")
    assert hand_in(relay, content + b".\r\n").startswith("550 5.")


@pytest.mark.parametrize("content", [b"From: app@sender.example\r\nSubject: no body\r\n", b"From: app@sender.example\r\n\r\n"],
                         ids=["header section alone", "empty body"])
def test_a_message_without_body_leaves_with_its_empty_line(relay, content):
    assert arrived(relay, content).endswith(b"\r\n\r\n")


