# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Reports of failure: they reach the sender, signed, and never call forth another."""

import email
import email.policy

from support.next_hops import NextHop
from support.smtp import message, submit
from support.verifiers import assert_verified


def test_a_bounce_is_a_signed_report_with_a_null_reverse_path(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "550 5.1.1 no such user here", only_for="gone@")
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(subject="To the void"), recipients=("gone@sink.example",))
        arrival = hop.wait_for_arrivals(1)[0]
        assert any("MAIL FROM:<>" in command for _, command in hop.commands)
        assert_verified(arrival.content, relay.key_records(), ["rsa-sha256"])
        report = email.message_from_bytes(arrival.content, policy=email.policy.default)
        assert report.get_content_type() == "multipart/report"
        assert report.get_param("report-type") == "delivery-status"
        assert report["Auto-Submitted"] == "auto-replied"
        assert "MAILER-DAEMON@" in report["From"] and "app@sender.example" in report["To"]
        words, status, original = list(report.iter_parts())
        assert "gone@sink.example" in words.get_content()
        assert status.get_content_type() == "message/delivery-status"
        groups = status.get_payload()
        assert groups[0]["Reporting-MTA"].replace(" ", "") == "dns;relay.waxwing.example"
        assert groups[1]["Final-Recipient"].replace(" ", "") == "rfc822;gone@sink.example"
        assert groups[1]["Action"] == "failed" and groups[1]["Status"] == "5.1.1"
        assert "no such user here" in groups[1]["Diagnostic-Code"]
        assert "To the void" in original.as_string()


def test_a_bounce_that_is_refused_is_not_bounced(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "550 5.1.1 nobody at all", times=100)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        relay.wait_until_empty()
        mails = [command for _, command in hop.commands if command.startswith("MAIL")]
        assert len([mail for mail in mails if "<>" in mail]) == 1 and len(mails) == 2, mails
        assert hop.arrivals == []


def test_a_submission_with_a_null_reverse_path_is_not_bounced(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "550 5.1.1 nobody", times=100)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(), sender="")
        relay.wait_until_empty()
        assert len([command for _, command in hop.commands if command.startswith("MAIL")]) == 1
