# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Rules of the operator that change what comes in, and what the queue and the log say of it."""

import email
import json

import pytest

from support.decoding import decoded
from support.machine import wait_for
from support.next_hops import NextHop
from support.passage import arrived, hand_in
from support.smtp import message, queue_id, refusal, submit

LONG = "a long line, " * 200


def test_the_queue_shows_what_was_mended(relay):
    relay.configure(listener=[{"address": "127.0.0.1", "port": relay.port, "bare-lf": "normalise"}])
    relay.configure(rewrite=[{"from": "*@localhost", "to": "alerts@sender.example"}],
                    app=[{"name": "cron", "from": ["sender.example"], "feedback-id": "cron:{app}:mail:sender"}])
    relay.start()
    content = ("From: Größe <root@localhost>\r\nX-Long: " + "word " * 300 + "\r\nMIME-Version: 1.0\r\n"
               f"Content-Type: text/plain; charset=utf-8\r\n\r\n{LONG}\none\r\n.\r\n").encode()
    repaired = queue_id(hand_in(relay, content))
    plain = submit(relay.port, message(fields="Feedback-ID: a:b:c:sender\r\n"))

    def look() -> None:
        shown = json.loads(relay.command("queue", "show", repaired, "--json"))
        assert sorted(repairs_in(shown)) == ["added-fields", "encoded-header", "encoded-long-lines", "folded-header", "line-ends",
                                             "rewritten-mailbox"]
        assert "repairs" in relay.command("queue", "show", repaired)
        assert repairs_in(json.loads(relay.command("queue", "show", plain, "--json"))) == []
        assert "repairs" not in relay.command("queue", "show", plain)

    look()
    assert relay.stop() == 0
    look()


def repairs_in(document: dict) -> list[str]:
    """Wherever the document keeps them."""
    if "repairs" in document:
        return document["repairs"]
    return next(inner["repairs"] for inner in document.values() if isinstance(inner, dict) and "repairs" in inner)


@pytest.mark.parametrize("author", ["root@localhost", "Cron Daemon <root@localhost>", "\"Größe\" <root@localhost>"])
def test_an_author_without_usable_domain_gets_one_and_keeps_the_name(relay, author):
    relay.configure(rewrite=[{"from": "*@localhost", "to": "alerts@sender.example"}])
    content = arrived(relay, f"From: {author}\r\nSubject: cron\r\n\r\nx\r\n".encode())
    names = dict(decoded(content)["fields"])
    wanted = dict(decoded(f"From: {author}\r\n\r\n".encode())["fields"])["from"][0][0]
    assert names["from"] == [(wanted, "alerts@sender.example")]
    wait_for(lambda: "alerts@sender.example" in relay.log(), "the event in the log")
    assert "root@localhost" in relay.log()


def test_an_author_that_no_rule_names_is_still_refused(relay):
    relay.configure(rewrite=[{"from": "*@localhost", "to": "alerts@sender.example"}])
    relay.start()
    assert refusal(relay.port, message(sender="app@stranger.example"), sender="app@sender.example").startswith("550 5.7.1")


def test_the_fields_of_an_application_are_added_once_and_signed(relay):
    relay.configure(app=[{"name": "news", "from": ["sender.example"],
                          "list-unsubscribe": "<https://sender.example/u/{queue-id}?r={recipient}>",
                          "list-unsubscribe-post": True, "feedback-id": "campaign:{app}:mail:sender"}])
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        identifier = submit(relay.port, message(), recipients=["a+b@sink.example"])
        taken = email.message_from_bytes(hop.wait_for_arrivals(1)[0].content)
        assert taken.get_all("List-Unsubscribe") == [f"<https://sender.example/u/{identifier}?r=a%2Bb%40sink.example>"]
        assert taken.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
        assert taken.get_all("Feedback-ID") == ["campaign:news:mail:sender"]
        signed = "".join(taken["DKIM-Signature"].split()).lower()
        assert all(name in signed for name in ("list-unsubscribe:", "list-unsubscribe-post", "feedback-id"))
        submit(relay.port, message(fields="Feedback-ID: own:b:c:d\r\n"))
        assert email.message_from_bytes(hop.wait_for_arrivals(2)[1].content).get_all("Feedback-ID") == ["own:b:c:d"]


@pytest.mark.parametrize("fields, is_told", [
    ("List-Unsubscribe: <https://sender.example/u>\r\n", True),
    ("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", True),
    ("List-Unsubscribe: <https://sender.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", False),
])
def test_one_click_that_is_half_there_is_warned_of(relay, fields, is_told):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(fields=fields))
        hop.wait_for_arrivals(1)
        relay.stop()
        assert any("warning" in line and "List-Unsubscribe" in line for line in relay.log().splitlines()) == is_told
