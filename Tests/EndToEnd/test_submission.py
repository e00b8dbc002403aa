# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What applications see: they hand in a message, it is fixed up, or it is refused with words that help."""

import re
import smtplib
import subprocess

from support.next_hops import NextHop
from support.smtp import Conversation, message, queue_id, refusal, submit


def header_section(content: bytes) -> str:
    return content.split(b"\r\n\r\n", 1)[0].decode() + "\r\n"


def values(content: bytes, name: str) -> list[str]:
    """Unfolded values of the fields of that name."""
    fields = re.findall(rf"^{name}:(.*(?:\r\n[ \t].*)*)\r\n", header_section(content), re.M | re.I)
    return [re.sub(r"\r\n", "", field).strip() for field in fields]


def test_swaks_hands_in_a_message(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "app@sender.example", "--to", "a@one.example,b@two.example",
             "--h-Subject", "From swaks"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"<-  250 2\.0\.0 queued as [0-9A-Z]{13}", done.stdout)
        hop.wait_for_arrivals(1)
        recipients = sorted(recipient for arrival in hop.arrivals for recipient in arrival.recipients)
        assert recipients == ["a@one.example", "b@two.example"]
        assert all(values(arrival.content, "Subject") == ["From swaks"] for arrival in hop.arrivals)


def test_smtplib_hands_in_a_message_and_its_body_arrives_octet_for_octet(relay):
    body = ".\r\n..leading dots\r\n\r\ntabs\tand  spaces \r\n" + "ä€\r\n" + "\r\n\r\n"
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(body=body))
        arrival = hop.wait_for_arrivals(1)[0]
        assert arrival.mail_from == "app@sender.example"
        assert arrival.recipients == ["someone@sink.example"]
        assert arrival.content.split(b"\r\n\r\n", 1)[1] == body.encode()


def test_the_greeting_offers_exactly_what_every_stage_honours(relay):
    relay.start()
    with Conversation(relay.port, greeted=False) as client:
        assert client.reply().startswith("220 relay.waxwing.example")
        offers = {line[4:].split()[0] for line in client.say("EHLO app.example").split("\n")[1:]}
        assert offers == {"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN", "LIMITS", "HELP"}


def test_a_pipelined_transaction_is_answered_in_order(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with Conversation(relay.port) as client:
            client.write(b"MAIL FROM:<app@sender.example>\r\nRCPT TO:<no domain>\r\nRCPT TO:<b@two.example>\r\nDATA\r\n")
            replies = [client.reply()[:3] for _ in range(4)]
            assert replies == ["250", replies[1], "250", "354"] and replies[1].startswith("5"), replies
            client.write(message() + b".\r\nNOOP\r\nQUIT\r\n")
            queue_id(client.reply())
            assert [client.reply()[:3], client.reply()[:3]] == ["250", "221"]
        assert hop.wait_for_arrivals(1)[0].recipients == ["b@two.example"]


def test_missing_date_and_message_id_are_added_and_others_kept(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, b"From: app@sender.example\r\nSubject: bare\r\n\r\nx\r\n")
        bare = hop.wait_for_arrivals(1)[0].content
        assert re.fullmatch(r"\w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d \+0000", values(bare, "Date")[0])
        assert re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", values(bare, "Message-ID")[0])
        submit(relay.port, b"message-id: <own@sender.example>\r\ndATE: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
                           b"From: app@sender.example\r\n\r\nx\r\n")
        full = hop.wait_for_arrivals(2)[1].content
        assert values(full, "Message-ID") == ["<own@sender.example>"]
        assert values(full, "Date") == ["Mon, 23 Nov 2026 10:00:00 +0100"]


def test_fields_that_must_not_leave_are_removed_with_their_continuation_lines(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(fields="Return-Path: <x@y.example>\r\nBcc: secret@one.example,\r\n secret@two.example\r\n"
                                          "X-Kept: yes\r\nResent-Bcc: secret@three.example\r\n"))
        content = hop.wait_for_arrivals(1)[0].content
        assert b"secret" not in content and values(content, "Return-Path") == []
        assert values(content, "X-Kept") == ["yes"]


def test_one_trace_field_names_the_relay_and_the_queue_id(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        identifier = submit(relay.port, message())
        received = values(hop.wait_for_arrivals(1)[0].content, "Received")
        assert len(received) == 1
        assert "by relay.waxwing.example" in received[0] and "with ESMTP" in received[0] and identifier in received[0]
        assert "127.0.0.1" in received[0]


def test_a_setting_leaves_the_clients_address_out(relay):
    with NextHop() as hop:
        relay.configure(intake={"hide-client-address": True})
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        assert "127.0.0.1" not in values(hop.wait_for_arrivals(1)[0].content, "Received")[0]


def test_a_message_needs_exactly_one_author(relay):
    relay.start()
    without = refusal(relay.port, b"Subject: no author\r\n\r\nx\r\n")
    twice = refusal(relay.port, message(fields="From: other@sender.example\r\n"))
    two = refusal(relay.port, b"From: a@sender.example, b@sender.example\r\n\r\nx\r\n")
    for reply in (without, twice, two):
        assert reply.startswith("550 5.6.0"), reply


def test_a_domain_without_any_key_is_refused_with_the_command_that_mends_it(relay):
    relay.start()
    reply = refusal(relay.port, message(sender="app@stranger.example"), sender="app@stranger.example")
    assert reply.startswith("550 5.7.1") and "waxwing keys generate stranger.example" in reply, reply


def test_a_domain_whose_key_is_not_active_is_deferred_with_the_next_step(bare_relay):
    bare_relay.make_key("sender.example", "s1", activate=False)
    bare_relay.start()
    reply = refusal(bare_relay.port, message())
    assert reply.startswith("451 4.7.5") and "waxwing keys activate sender.example" in reply, reply
    assert "sender.example" in bare_relay.log()


def test_a_message_above_the_limit_is_refused_at_mail_and_after_the_data(relay):
    relay.configure(limits={"message-size": "100 KiB"})
    relay.start()
    with Conversation(relay.port) as client:
        assert client.say("MAIL FROM:<app@sender.example> SIZE=102401").startswith("552 5.3.4")
        client.begin_data()
        client.write(message(body="x" * 70 + "\r\n") + (b"y" * 70 + b"\r\n") * 1500 + b".\r\n")
        assert client.reply().startswith("552 5.3.4")
        client.begin_data()
        client.write(message() + b".\r\n")
        queue_id(client.reply())


def test_a_session_that_only_makes_mistakes_is_closed(relay):
    relay.configure(limits={"errors": 5})
    relay.start()
    with Conversation(relay.port) as client:
        replies = [client.say(f"NONSENSE {number}")[:3] for number in range(8)]
        assert replies[:4] == ["500"] * 4 and "421" in replies and replies[-1] == "", replies


def test_many_recipients_up_to_the_limit(relay):
    with NextHop() as hop:
        relay.configure(limits={"recipients": 100})
        relay.send_to(hop.port)
        relay.start()
        with smtplib.SMTP("127.0.0.1", relay.port) as client:
            client.ehlo()
            client.mail("app@sender.example")
            codes = [client.rcpt(f"r{number}@sink.example")[0] for number in range(101)]
            assert codes[:100] == [250] * 100 and codes[100] == 452
            queue_id(client.data(message())[1].decode())
        hop.wait_for_arrivals(1)
        assert sorted({r for arrival in hop.arrivals for r in arrival.recipients}) == sorted(f"r{n}@sink.example" for n in range(100))
