# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Signatures as the world sees them: through a real hop, judged by three verifiers that are none of ours."""

import time
from pathlib import Path

import pytest

from support.next_hops import NextHop, SmtpSink
from support.machine import smtp_source
from support.smtp import Conversation, message, submit
from support.verifiers import (assert_all_verified, assert_verified, dkimpy_results, failures, mail_dkim_results,
                               opendkim_results, tags_of_signatures)

BOTH = ["rsa-sha256", "ed25519-sha256"]
AWKWARD = Path(__file__).with_name("messages")


def test_rsa_and_ed25519_signatures_pass_after_a_real_hop(relay):
    with SmtpSink() as sink:
        relay.send_to(sink.port, ed25519=True)
        relay.start()
        contents = [
            message(subject="plain"),
            message(subject="empty body", body=""),
            message(subject="blank lines", body="a\r\n\r\n\r\n\r\n"),
            message(subject="white space", body="  a \t b  \r\n \t \r\n"),
            message(subject="8-bit", body="Größe: 5 µm\r\n"),
            message(subject="dots", body=".\r\n..\r\n.a\r\n"),
            message(subject="folded\r\n subject\r\n\tthrice", fields="X-A: one\r\nX-A: two\r\nList-Id: <l.sender.example>\r\n"),
            message(subject="long", body=("0123456789" * 7 + "\r\n") * 3000),
            message(subject="past the inline limit", body=("0123456789" * 7 + "\r\n") * 8000),
        ]
        for content in contents:
            submit(relay.port, content)
        sink.wait_for_count(len(contents))
        relay.stop()
        records = relay.key_records()
        arrived = sink.messages()
        assert len(arrived) == len(contents)
        for content in arrived:
            assert_verified(content, records, BOTH)


def test_the_signature_field_says_what_was_promised(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, ed25519=True)
        relay.start()
        before = int(time.time())
        submit(relay.port, message(fields="Reply-To: reply@sender.example\r\n"))
        content = hop.wait_for_arrivals(1)[0].content
        assert content.startswith(b"DKIM-Signature: "), "the signature is the first field"
        signatures = tags_of_signatures(content)
        assert {tags["s"] for tags in signatures} == {"rsa1", "ed1"}
        for tags in signatures:
            assert tags["v"] == "1" and tags["c"] == "relaxed/relaxed" and tags["d"] == "sender.example"
            assert before <= int(tags["t"]) <= time.time() and int(tags["x"]) - int(tags["t"]) == 7 * 86400
            assert "l" not in tags and "z" not in tags
            names = tags["h"].lower().split(":")
            for name in ("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"):
                assert names.count(name) == 2, f"{name} is over-signed: {names}"
            assert names.count("cc") == 1 and "received" not in names
        assert max(map(len, content.split(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78


def test_a_smarthost_gets_one_rsa_signature_unless_the_route_asks_for_two(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        assert_verified(hop.wait_for_arrivals(1)[0].content, relay.key_records(), ["rsa-sha256"])


@pytest.mark.unsigned
def test_a_route_that_says_unsigned_does_not_sign(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, unsigned=True)
        relay.start()
        submit(relay.port, message())
        assert tags_of_signatures(hop.wait_for_arrivals(1)[0].content) == []


@pytest.mark.unsigned
def test_a_domain_that_says_unsigned_needs_no_key(bare_relay):
    with NextHop() as hop:
        bare_relay.configure(domain=[{"name": "plain.example", "unsigned": True}])
        bare_relay.send_to(hop.port)
        bare_relay.start()
        submit(bare_relay.port, message(sender="app@plain.example"), sender="app@plain.example")
        assert tags_of_signatures(hop.wait_for_arrivals(1)[0].content) == []


def test_a_changed_octet_is_noticed_by_our_own_verifier_too(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, ed25519=True)
        relay.start()
        submit(relay.port, message(body="pay 100 euros\r\n"))
        content = hop.wait_for_arrivals(1)[0].content
    records = relay.key_records()
    keys = relay.directory / "records"
    keys.write_text("".join(f"{name} {record}\n" for name, record in records.items()))
    assert relay.command("verify", "--keys", keys, input=content, config=False).count("pass") >= 2
    forged = content.replace(b"100", b"900")
    report = relay.command("verify", "--keys", keys, input=forged, config=False, expect=1)
    assert "fail" in report and "body" in report, report
    other = relay.command("verify", "--keys", keys, input=content.replace(b"A test", b"A jest"), config=False, expect=1)
    assert "fail" in other, other


@pytest.mark.parametrize("name", sorted(file.stem for file in AWKWARD.glob("*.eml")))
def test_what_intake_takes_verifies_everywhere(relay, name):
    """Where the verifiers are known to differ (bare CR, bare LF, NUL) intake refuses; a line too long is encoded."""
    content = (AWKWARD / f"{name}.eml").read_bytes()
    with SmtpSink() as sink:
        relay.make_key("football.example.com", "f1", "rsa-2048")
        relay.make_key("football.example.com", "f2", "ed25519")
        relay.send_to(sink.port, ed25519=True)
        relay.start()
        # Raw octets: smtplib would mend line ends.
        with Conversation(relay.port) as client:
            client.begin_data(sender="a@football.example.com", recipient="b@example.net")
            stuffed = content.replace(b"\r\n.", b"\r\n..")
            client.write(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            reply = client.reply()
        if name in ("bare_cr", "bare_lf", "crcrlf", "nul_body"):
            assert reply.startswith("550 5."), reply
            return
        assert reply.startswith("250 2.0.0 queued as"), reply
        sink.wait_for_count(1)
        relay.stop()
        assert_verified(sink.messages()[0], relay.key_records(), BOTH)


def test_each_verifier_names_the_changed_messages_among_many(relay):
    """The tests of all the others rest on this one."""
    signed = [relay.command("sign", input=message(subject=f"number {number}")).encode() for number in range(4)]
    records = relay.key_records()
    assert_all_verified(signed, records)
    body, header = signed[1].replace(b"Hello", b"Jello"), signed[2].replace(b"number", b"cipher")
    batch = [signed[0], body, header, message(), signed[3]]
    passed = [{"pass"}, None, None, set(), {"pass"}]
    for results in (opendkim_results(batch, records), mail_dkim_results(batch, records),
                    [dkimpy_results(content, records) for content in batch]):
        for wanted, given in zip(passed, results):
            assert "pass" not in given if wanted is None else set(given) - {"none"} == wanted, results
    found = failures(batch, records)
    assert len(found) == 3 and "unsigned" in found[2], found


def test_hundreds_of_messages_from_twenty_sessions_are_all_signed(relay):
    with SmtpSink() as sink:
        relay.send_to(sink.port)
        relay.start()
        source = smtp_source(relay.port, relay.directory, 400, 20, "app@sender.example", message(body="steady\r\n" * 100))
        assert source.wait(120) == 0
        sink.wait_for_count(400)
        relay.stop()
        records = relay.key_records()
        arrived = sink.messages()
        assert len(arrived) == 400
        assert_all_verified(arrived, records)
