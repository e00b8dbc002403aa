# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Fields by which an application says how its message is to be treated: they are obeyed, and they never leave."""

import email
import smtplib
import subprocess
import time
from email.message import EmailMessage

import pytest

from support.next_hops import NextHop
from support.smtp import message, refusal, submit

ALL = ("X-Waxwing-Tag: receipt, shop\r\nX-WAXWING-TAG: eu\r\nx-waxwing-expires: 10 min\r\n"
       "X-Waxwing-Send-At: Mon, 1 Jan 2024 00:00:00 +0000\r\nX-Waxwing-Priority: high\r\n"
       "X-Waxwing-Idempotency-Key:\r\n order-17\r\nX-Waxwing-Route: next\r\nX-Waxwing-Test: no\r\n")


def test_no_control_field_reaches_the_next_hop_and_none_is_signed(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(fields=ALL))
        content = hop.wait_for_arrivals(1)[0].content
        assert b"waxwing-" not in content.split(b"\r\n\r\n")[0].lower()
        taken = email.message_from_bytes(content)
        assert taken["Subject"] == "A test" and taken.get_all("DKIM-Signature")
        assert all("waxwing-" not in signature.lower() for signature in taken.get_all("DKIM-Signature"))


def test_smtplib_and_swaks_set_control_fields(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = "app@sender.example", "a@sink.example", "From smtplib"
        letter["X-Waxwing-Tag"], letter["X-Waxwing-Expires"] = "otp", "10 min"
        letter.set_content("1234\n")
        with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
            client.send_message(letter)
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "app@sender.example", "--to", "a@sink.example",
             "--add-header", "X-Waxwing-Tag: swaks", "--add-header", "X-Waxwing-Priority: low"],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        for arrival in hop.wait_for_arrivals(2):
            assert b"x-waxwing" not in arrival.content.split(b"\r\n\r\n")[0].lower()


@pytest.mark.parametrize("field,words", [
    ("X-Waxwing-Expire: 10 min", "there is no control field X-Waxwing-Expire"),
    ("X-Waxwing-Expires: soon", "a duration such as"),
    ("X-Waxwing-Expires: 2001-01-01T00:00:00Z", "in the past"),
    ("X-Waxwing-Send-At: 2999-01-01T00:00:00Z", "more than 30 days ahead"),
    ("X-Waxwing-Priority: 10", "from -9 to 9"),
    ("X-Waxwing-Route: elsewhere", "which must be the name of a [[route]] of the configuration: nowhere."),
    ("X-Waxwing-Test: perhaps", "yes or no"),
    ("X-Waxwing-Test: no\r\nX-Waxwing-Test: no", "more than once"),
])
def test_what_makes_no_sense_is_refused_with_words_that_help(relay, field, words):
    relay.start()
    reply = refusal(relay.port, message(fields=field + "\r\n"))
    assert reply.startswith("550 5.6.0") and words in reply.replace("\n5.6.0", ""), reply


def test_a_bounce_does_not_give_them_away(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "550 5.1.1 no such user", only_for="gone@")
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(fields=ALL), recipients=("gone@sink.example",))
        report = hop.wait_for_arrivals(1)[0].content
        assert b"multipart/report" in report
        for name in (b"Tag", b"Expires", b"Send-At", b"Priority", b"Idempotency-Key", b"Route", b"Test"):
            assert b"x-waxwing-" + name.lower() not in report.lower()
        assert b"order-17" not in report and b"receipt" not in report


def test_a_one_time_password_is_not_delivered_after_its_time(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "450 4.2.0 later", times=1000, only_for="otp@")
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(subject="4711", fields="X-Waxwing-Expires: 3 s\r\n"), recipients=("otp@sink.example",))
        report = hop.wait_for_arrivals(1)[0].content
        assert b"multipart/report" in report and b"4.7" in report
        hop.faults["RCPT"].clear()
        relay.wait_until_empty()
        assert [arrival.recipients for arrival in hop.arrivals] == [["app@sender.example"]]


def test_a_message_leaves_at_its_time_and_not_before(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        moment = int(time.time()) + 4
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
        submit(relay.port, message(subject="later", fields=f"X-Waxwing-Send-At: {text}\r\n"))
        submit(relay.port, message(subject="at once"))
        hop.wait_for_arrivals(2)
        assert time.time() >= moment
        assert [email.message_from_bytes(arrival.content)["Subject"] for arrival in hop.arrivals] == ["at once", "later"]


def test_the_same_idempotency_key_is_one_message(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        first, again, other = [submit(relay.port, message(subject=key, fields=f"X-Waxwing-Idempotency-Key: {key}\r\n"))
                               for key in ("order-1", "order-1", "order-2")]
        assert first == again != other
        relay.wait_until_empty()
        assert len(hop.wait_for_arrivals(2)) == 2


def test_a_test_is_signed_and_not_sent_and_a_route_is_taken(relay):
    with NextHop() as hop, NextHop() as bulk:
        relay.configure(route=[
            {"name": "bulk", "to": ["bulk.example"], "smarthost": f"127.0.0.1:{bulk.port}", "tls": "off"},
            {"name": "next", "to": ["*"], "smarthost": f"127.0.0.1:{hop.port}", "tls": "off"}])
        relay.start()
        submit(relay.port, message(fields="X-Waxwing-Test: yes\r\n"))
        submit(relay.port, message(fields="X-Waxwing-Route: bulk\r\n"))
        assert bulk.wait_for_arrivals(1)[0].recipients == ["someone@sink.example"]
        relay.wait_until_empty()
        assert hop.arrivals == [] and len(bulk.arrivals) == 1


def test_the_queue_shows_what_was_asked_for(relay):
    relay.start()
    identifier = submit(relay.port, message(fields="X-Waxwing-Tag: receipt, eu\r\nX-Waxwing-Priority: high\r\n"))
    shown = relay.command("queue", "show", identifier)
    assert "receipt" in shown and "eu" in shown
    assert "receipt" in relay.command("queue", "show", identifier, "--json")
