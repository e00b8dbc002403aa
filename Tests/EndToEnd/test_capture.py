# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A staging machine mails nobody but its developers, whatever its applications, its queue and its bounces want."""

import email
import json
import smtplib
import subprocess

import pytest

from support.machine import wait_for
from support.next_hops import NextHop
from support.smtp import message, submit


def recipients_named(hop: NextHop) -> set[str]:
    """Everybody whom the next hop heard of in RCPT, whether it took the message or not."""
    return {command[len("RCPT TO:<"):].split(">")[0] for _, command in hop.commands if command.upper().startswith("RCPT")}


def test_one_mailbox_gets_everything_and_each_message_says_whom_it_was_for(relay):
    relay.configure(capture={"to": "dev@sender.example", "except": ["@ours.example"]})
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(), recipients=[f"c{number}@customer.example" for number in range(3)])
        submit(relay.port, message(), recipients=["boss@ours.example", "c@customer.example"])
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "app@sender.example", "--to", "swaks@customer.example"],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        hop.wait_for_arrivals(4)
        relay.wait_until_empty()
        assert recipients_named(hop) == {"dev@sender.example", "boss@ours.example"}
        found = sorted((arrival.recipients, email.message_from_bytes(arrival.content)["X-Captured-For"]) for arrival in hop.arrivals
                       if arrival.recipients == ["dev@sender.example"])
        assert [" ".join(names.split()) for _, names in found] == [
            "c0@customer.example, c1@customer.example, c2@customer.example", "c@customer.example", "swaks@customer.example"]
        assert [email.message_from_bytes(arrival.content)["X-Captured-For"] for arrival in hop.arrivals
                if arrival.recipients == ["boss@ours.example"]] == [None]


def test_what_was_queued_before_is_captured_and_so_are_bounces(relay):
    with NextHop() as hop:
        # Until capture is on, every recipient is put off.
        hop.fail("CONNECT", "421 4.3.2 come back later", times=1000)
        relay.send_to(hop.port)
        relay.start()
        with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
            for number in range(5):
                client.sendmail("app@sender.example", [f"c{number}@customer.example"], message())
        wait_for(lambda: all(entry["state"] == "deferred" for entry in relay.queue()), "deferrals")
        relay.configure(capture={"to": "dev@sender.example"})
        assert relay.command("reload")
        assert "capture is on" in relay.log()
        hop.fail("RCPT", "550 5.1.1 no developer", times=1, only_for="dev@")
        hop.faults["CONNECT"].clear()
        # Four messages, and the report on the fifth, which is captured too.
        arrivals = hop.wait_for_arrivals(5)
        relay.wait_until_empty()
        assert recipients_named(hop) == {"dev@sender.example"}
        reports = [arrival for arrival in arrivals if arrival.mail_from in ("", "<>", None)]
        assert len(reports) == 1
        assert email.message_from_bytes(reports[0].content)["X-Captured-For"] == "app@sender.example"


def test_capture_is_told_at_start_and_in_the_status_and_can_be_switched_off(relay):
    relay.configure(capture={"to": "dev@sender.example", "except": ["ada@ours.example"]})
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        words = "all mail goes to dev@sender.example, except for ada@ours.example"
        assert "capture is on" in relay.log() and words in relay.log()
        assert words in relay.command("status")
        assert json.loads(relay.command("status", "--json"))["capture"] == words
        del relay.settings["capture"]
        relay.configure()
        relay.command("reload")
        assert "capture" not in relay.command("status")
        submit(relay.port, message())
        assert hop.wait_for_arrivals(1)[0].recipients == ["someone@sink.example"]


@pytest.mark.unsigned
def test_a_directory_gets_everything_instead_of_the_routes(relay):
    relay.configure(capture={"directory": "captured"})
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        identifier = submit(relay.port, message())
        relay.wait_until_empty()
        assert hop.connections == 0
        content = (relay.directory / "captured" / f"{identifier}.eml").read_bytes()
        assert content.startswith(b"X-Captured-For: someone@sink.example\r\nDKIM-Signature:")
