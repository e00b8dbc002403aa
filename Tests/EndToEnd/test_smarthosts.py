# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Behind a model of each provider our signature still verifies; the fixture has three verifiers say so of every arrival."""

import random

import pytest

from support.machine import wait_for
from support.names import NameServer
from support.smarthosts import PROVIDERS, TRACKED, Smarthost, smarthost
from support.smtp import message, submit
from support.verifiers import failures, tags_of_signatures

HTML = "<p>Grüße: <a href=\"https://sender.example/a?b=1\">here</a></p>\r\n"
NEWS = ("List-Unsubscribe: <mailto:u@sender.example>,\r\n <https://sender.example/u?1>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: a:b:c:sender\r\nCc: <cc@sink.example>\r\n"
        "Reply-To: reply@sender.example\r\nReturn-Path: <x@sender.example>\r\nX-A: one\r\nX-A: two\r\n")


def contents() -> list[bytes]:
    words = random.Random(1).choices(["a", "long", "subject", "with", "many", "words"], k=60)
    return [
        message(subject="plain"),
        message(subject="links", body=HTML * 3).replace(b"text/plain", b"text/html"),
        message(subject="news", body=HTML, fields=NEWS),
        message(subject="\r\n ".join(" ".join(words[start:start + 6]) for start in range(0, 60, 6))),
        message(subject="dots", body=".\r\n..\r\n.a\r\n\r\n\r\n"),
        message(subject="empty", body=""),
        b"From: app@sender.example\r\n\r\nas bare as can be\r\n",
    ]


def ours(content: bytes, relay) -> list[dict[str, str]]:
    return [tags for tags in tags_of_signatures(content) if f"{tags['s']}._domainkey.{tags['d']}" in relay.key_records()]


@pytest.mark.parametrize("name", PROVIDERS)
def test_our_signatures_verify_behind(relay, name):
    with smarthost(name) as hop:
        relay.send_to(hop.port, profile=name, **({} if name == "ses" else {"ed25519": True}))
        relay.start()
        for content in contents():
            submit(relay.port, content)
        for handed_in, arrival in zip(hop.handed_in, hop.wait_for_arrivals(len(contents()))):
            assert len(ours(handed_in.content, relay)) == len(ours(arrival.content, relay)) == (1 if name == "ses" else 2)
            assert TRACKED.encode() not in arrival.content
            assert arrival.content.partition(b"\r\n\r\n")[2] == handed_in.content.partition(b"\r\n\r\n")[2]
        relay.wait_until_empty()


@pytest.mark.unsigned
@pytest.mark.parametrize("name", ["ses", "sendgrid", "mailgun", "postmark"])
def test_without_the_profile_the_model_breaks_our_signature(relay, name):
    """So that the test above can fail."""
    with smarthost(name) as hop:
        relay.send_to(hop.port, profile="generic")
        relay.start()
        submit(relay.port, contents()[1])
        content = hop.wait_for_arrivals(1)[0].content
        assert failures([content], relay.key_records() | hop.records())


@pytest.mark.unsigned
def test_two_signatures_are_refused_where_no_profile_forbids_them(relay):
    with smarthost("ses") as hop:
        relay.send_to(hop.port, profile="generic", ed25519=True)
        relay.start()
        submit(relay.port, message())
        wait_for(lambda: "Duplicate header 'DKIM-Signature'" in relay.log(), "the refusal in the log")
        assert all(b"multipart/report" in arrival.content for arrival in hop.arrivals)


def test_ses_gets_none_of_the_signatures_that_a_message_came_with(relay):
    signed = relay.command("sign", input=message()).encode()
    assert len(tags_of_signatures(signed)) == 2
    with smarthost("ses") as hop:
        relay.send_to(hop.port, profile="ses")
        relay.start()
        submit(relay.port, signed)
        tags = tags_of_signatures(hop.wait_for_arrivals(1)[0].content)
        assert [one["d"] for one in tags] == ["amazonses.com", "sender.example"]
        names = tags[1]["h"].lower().split(":")
        assert "date" not in names and "message-id" not in names and names.count("from") == 2


@pytest.mark.parametrize("name", ["ses", "postmark"])
def test_a_provider_that_takes_fifty_recipients_gets_no_more_at_once(relay, name):
    with smarthost(name) as hop:
        relay.send_to(hop.port, profile=name)
        relay.start()
        submit(relay.port, message(), recipients=[f"r{number}@sink.example" for number in range(100)])
        wait_for(lambda: sum(len(arrival.recipients) for arrival in hop.arrivals) == 100, "all recipients")
        assert max(len(arrival.recipients) for arrival in hop.handed_in) <= 50


@pytest.mark.parametrize("name, field", [("mailgun", "X-Mailgun-Dkim: yes"), ("postmark", "X-PM-KeepID: false"),
                                         ("sendgrid", "X-SMTPAPI: {\"category\": \"news\"}")])
@pytest.mark.unsigned
def test_what_a_message_asks_of_the_provider_is_left_to_it(relay, name, field):
    with smarthost(name) as hop:
        relay.send_to(hop.port, profile=name)
        relay.start()
        submit(relay.port, message(fields=f"{field}\r\n"))
        hop.wait_for_arrivals(1)
        section = hop.handed_in[0].content.partition(b"\r\n\r\n")[0].lower()
        assert field.lower().encode() in section and section.count(field.split(":")[0].lower().encode() + b":") == 1


@pytest.mark.root
def test_a_host_of_amazon_has_its_profile_whatever_the_route_forgets(relay):
    zone = "email-smtp.eu-west-1.amazonaws.com. A 127.0.0.31\n"
    with NameServer({"amazonaws.com": zone}) as names, Smarthost(address="127.0.0.31", provider=PROVIDERS["ses"]) as hop:
        relay.configure(dns={"servers": [names.server]},
                        route=[{"name": "next", "to": ["*"], "smarthost": f"email-smtp.eu-west-1.amazonaws.com:{hop.port}", "tls": "off"}])
        relay.start()
        submit(relay.port, message())
        assert len(ours(hop.wait_for_arrivals(1)[0].content, relay)) == 1


@pytest.mark.parametrize("settings, words", [
    ({"profile": "ses", "ed25519": True}, ["ed25519", "two signatures"]),
    ({"profile": "ses", "existing-signatures": "keep"}, ["existing-signatures", "two signatures"]),
    ({"profile": "ses", "sign": ["from", "date"]}, ["sign", "date", "replaces"]),
    ({"profile": "ses", "oversign": ["from", "message-id"]}, ["oversign", "message-id", "replaces"]),
    ({"profile": "nobody"}, ["profile", "sendgrid"]),
])
def test_config_check_refuses_what_the_provider_would_break(relay, settings, words):
    relay.send_to(2525, **settings)
    report = relay.command("config", "check", expect=78).lower()
    assert "waxwing.toml:" in report and all(word in report for word in words), report
