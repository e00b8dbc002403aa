# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Mail of and for the users of this machine: cron writes to root, and somebody who exists gets it."""

import email
import smtplib
import subprocess

from support.machine import wait_for
from support.next_hops import NextHop
from support.smtp import Conversation, queue_id, submit

CRON = (b"From: root (Cron Daemon)\r\nTo: root\r\nCc: Ada <ada>, bob@localhost\r\nSubject: Cron <root@host>\r\n\r\ndone\r\n")


def test_unqualified_addresses_get_the_domain_in_envelope_and_fields(relay):
    relay.configure(local={"domain": "sender.example"})
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
            client.sendmail("root", ["root", "bob@localhost", "boss@customer.example"], CRON)
        arrival = hop.wait_for_arrivals(1)[0]
        assert arrival.mail_from == "root@sender.example"
        assert arrival.recipients == ["root@sender.example", "bob@sender.example", "boss@customer.example"]
        taken = email.message_from_bytes(arrival.content)
        assert taken["From"] == "root@sender.example (Cron Daemon)"
        assert taken["To"] == "root@sender.example"
        assert taken["Cc"] == "Ada <ada@sender.example>, bob@sender.example"
        assert taken["Subject"] == "Cron <root@host>"


def test_without_the_setting_they_are_refused(relay):
    relay.start()
    with Conversation(relay.port) as client:
        assert client.say("MAIL FROM:<root>").startswith("501 5.1.7")
        assert client.say("MAIL FROM:<app@sender.example>").startswith("250")
        assert client.say("RCPT TO:<root>").startswith("501 5.1.3")


def test_an_alias_file_leads_users_to_people_and_is_read_again(relay):
    aliases = relay.directory / "aliases"
    aliases.write_text("# people\npostmaster: root\nroot: ada@people.example,\n\tops, \\root\n"
                       "ops: \"grace hopper\"@people.example\n")
    relay.configure(local={"domain": "sender.example", "aliases": "aliases"})
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        swaks = ["swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "app@sender.example", "--to"]
        done = subprocess.run([*swaks, "root@localhost"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        everybody = ["ada@people.example", "\"grace hopper\"@people.example", "root@sender.example"]
        assert sorted(hop.wait_for_arrivals(1)[0].recipients) == sorted(everybody)
        # Mailboxes with the domain written out are not users of this machine; the relay's own name is.
        submit(relay.port, CRON, recipients=["root@sender.example"])
        assert hop.wait_for_arrivals(2)[1].recipients == ["root@sender.example"]
        with Conversation(relay.port) as client:
            client.begin_data(recipient="postmaster@relay.waxwing.example")
            client.write(CRON + b".\r\n")
            queue_id(client.reply())
        assert sorted(hop.wait_for_arrivals(3)[2].recipients) == sorted(everybody)

        aliases.write_text("root: bob@people.example\n")

        def root_is_bob() -> bool:
            count = len(hop.arrivals)
            submit(relay.port, CRON, recipients=["root"])
            return hop.wait_for_arrivals(count + 1)[-1].recipients == ["bob@people.example"]

        wait_for(root_is_bob, "the new alias", pause=0.3)
        aliases.write_text("root: |/usr/bin/true\n")
        wait_for(lambda: root_is_bob() and "the alias file can't be used" in relay.log(), "the fault in the log", pause=0.3)
        report = relay.command("config", "check", expect=None)
        assert f"{aliases}:1" in report and "is a command" in report
        # A reload refuses it, too, and goes on as before.
        assert "is a command" in relay.command("reload", expect=None)
        assert root_is_bob()


def test_a_rule_gives_a_recipient_another_mailbox(relay):
    relay.configure(rewrite=[{"recipient": "*@localhost", "to": "ops@people.example"}])
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, CRON.replace(b"root (", b"app@sender.example ("), recipients=["root@localhost", "a@sink.example"])
        arrival = hop.wait_for_arrivals(1)[0]
        assert arrival.recipients == ["ops@people.example", "a@sink.example"]
        assert email.message_from_bytes(arrival.content)["To"] == "root", "no field changes"
