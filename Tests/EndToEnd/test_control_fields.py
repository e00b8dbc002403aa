# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Fields by which an application says how its message is to be treated: they are obeyed, and they never leave."""

import email
import smtplib
import subprocess
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
