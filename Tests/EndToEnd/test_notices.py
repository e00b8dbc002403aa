# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""DSN (RFC 3461): the sender is told what it asked to be told, by who can tell it."""

import email
import email.policy
import json

import pytest

from support.next_hops import NextHop
from support.smtp import Conversation, message, queue_id, submit
from support.verifiers import assert_verified

PLAIN = NextHop.extensions
WITH_DSN = (*PLAIN, "DSN")


def send(port: int, recipients: dict[str, str], mail: str = "", content: bytes | None = None) -> str:
    with Conversation(port) as client:
        assert client.say(f"MAIL FROM:<app@sender.example>{mail}").startswith("250")
        for recipient, words in recipients.items():
            assert client.say(f"RCPT TO:<{recipient}>{words}").startswith("250")
        assert client.say("DATA").startswith("354")
        client.write((content or message()) + b".\r\n")
        return queue_id(client.reply())


def reports(hop: NextHop) -> list[email.message.EmailMessage]:
    found = [email.message_from_bytes(arrival.content, policy=email.policy.default) for arrival in hop.arrivals]
    return [report for report in found if report.get_content_type() == "multipart/report"]


def groups(report) -> list:
    return list(report.iter_parts())[1].get_payload()


def test_a_next_hop_with_dsn_gets_every_word_and_reports_itself(relay):
    mail = " RET=HDRS ENVID=QQ+2B1"
    words = {"a@sink.example": " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@example.net", "n@sink.example": ""}
    with NextHop(extensions=WITH_DSN) as hop:
        relay.send_to(hop.port)
        relay.start()
        send(relay.port, words, mail)
        relay.wait_until_empty()
        commands = [command for _, command in hop.commands]
        assert any(command.startswith("MAIL FROM:<app@sender.example>") and command.endswith(mail)
                   for command in commands), commands
        for recipient, word in words.items():
            assert f"RCPT TO:<{recipient}>{word}" in commands
        assert len(hop.arrivals) == 1


def test_a_success_is_reported_as_relayed_where_the_next_hop_has_no_dsn(relay):
    with NextHop(extensions=PLAIN) as hop:
        relay.send_to(hop.port)
        relay.start()
        send(relay.port, {"a@sink.example": " NOTIFY=SUCCESS ORCPT=rfc822;b+2Bc@example.net", "n@sink.example": ""},
             " RET=FULL ENVID=QQ+2B1")
        hop.wait_for_arrivals(2)
        relay.wait_until_empty()
        assert not any("NOTIFY" in command or "ENVID" in command for _, command in hop.commands)
        report = reports(hop)[0]
        assert_verified(hop.arrivals[1].content, relay.key_records(), ["rsa-sha256"])
        about, *recipients = groups(report)
        assert about["Original-Envelope-Id"] == "QQ+1" and len(recipients) == 1
        assert recipients[0]["Original-Recipient"].replace(" ", "") == "rfc822;b+c@example.net"
        assert recipients[0]["Final-Recipient"].replace(" ", "") == "rfc822;a@sink.example"
        assert recipients[0]["Action"] == "relayed" and recipients[0]["Status"].startswith("2.")
        # RFC 3461 §4.3: RET is about failures.
        assert list(report.iter_parts())[2].get_content_type() == "text/rfc822-headers"
        assert report["Subject"] == "Mail passed on"


@pytest.mark.parametrize("extensions", [PLAIN, WITH_DSN], ids=["plain", "dsn"])
def test_failures_are_reported_to_those_who_want_to_know(relay, extensions):
    recipients = {"never@sink.example": " NOTIFY=NEVER", "success@sink.example": " NOTIFY=SUCCESS",
                  "failure@sink.example": " NOTIFY=FAILURE", "usual@sink.example": ""}
    with NextHop(extensions=extensions) as hop:
        hop.fail("RCPT", "550 5.1.1 no such user here", times=4, only_for="@sink.example")
        relay.send_to(hop.port)
        relay.start()
        send(relay.port, recipients)
        hop.wait_for_arrivals(1)
        relay.wait_until_empty()
        about, *told = groups(reports(hop)[0])
        assert len(hop.arrivals) == 1 and about["Original-Envelope-Id"] is None
        assert sorted(group["Final-Recipient"].split(";")[1].strip() for group in told) == [
            "failure@sink.example", "usual@sink.example"]


@pytest.mark.parametrize("words, part", [(" RET=FULL", "message/rfc822"), (" RET=HDRS", "text/rfc822-headers"),
                                         ("", "text/rfc822-headers")])
def test_a_failure_returns_as_much_as_was_asked(relay, words, part):
    with NextHop() as hop:
        hop.fail("RCPT", "550 5.1.1 no such user here", only_for="gone@")
        relay.send_to(hop.port)
        relay.start()
        content = message(body="All of this.\r\n.dot\r\n".replace("\r\n.", "\r\n.."))
        send(relay.port, {"gone@sink.example": ""}, words, content)
        hop.wait_for_arrivals(1)
        returned = list(reports(hop)[0].iter_parts())[2]
        assert returned.get_content_type() == part
        assert ("All of this.\r\n.dot\r\n" in hop.arrivals[0].content.decode()) == (part == "message/rfc822")


def test_what_was_asked_waits_in_the_queue_and_survives_a_restart(relay):
    with NextHop(extensions=WITH_DSN) as hop:
        hop.fail("MAIL", "451 4.7.1 later", times=1)
        relay.configure(retry={"first": "3 s"})
        relay.send_to(hop.port)
        relay.start()
        identifier = send(relay.port, {"a@sink.example": " NOTIFY=NEVER ORCPT=rfc822;x@example.net"}, " ENVID=E7")
        shown = json.loads(relay.command("queue", "show", identifier, "--json"))
        assert shown["options"]["envelopeID"] == "E7"
        assert shown["recipients"][0]["notify"] == "NEVER"
        assert shown["recipients"][0]["originalRecipient"] == "rfc822;x@example.net"
        assert "reports wanted: never" in relay.command("queue", "show", identifier)
        relay.stop()
        relay.start()
        hop.wait_for_arrivals(1)
        assert "RCPT TO:<a@sink.example> NOTIFY=NEVER ORCPT=rfc822;x@example.net" in [c for _, c in hop.commands]


def test_delivery_into_a_file_is_reported_as_delivered(relay, tmp_path):
    with NextHop() as hop:
        relay.configure(route=[
            {"name": "back", "to": ["sender.example"], "smarthost": f"127.0.0.1:{hop.port}", "tls": "off"},
            {"name": "files", "to": ["*"], "capture": str(relay.directory / "captured")}])
        relay.start()
        send(relay.port, {"a@sink.example": " NOTIFY=SUCCESS"})
        hop.wait_for_arrivals(1)
        assert groups(reports(hop)[0])[1]["Action"] == "delivered"


def test_smtplib_asks_for_a_report(relay):
    import smtplib
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
            client.sendmail("app@sender.example", ["a@sink.example"], message(), mail_options=["ENVID=lib"],
                            rcpt_options=["NOTIFY=SUCCESS"])
        hop.wait_for_arrivals(2)
        assert groups(reports(hop)[0])[0]["Original-Envelope-Id"] == "lib"
