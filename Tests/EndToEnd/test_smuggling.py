# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Only CRLF ends a line and only CRLF.CRLF ends data: what hides a second message inside the first."""

import pytest

from support.next_hops import NextHop
from support.smtp import Conversation, message, queue_id

SMUGGLED = (b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<victim@sink.example>\r\nDATA\r\n"
            b"From: evil@sender.example\r\nSubject: smuggled\r\n\r\nx\r\n")

ENDINGS = {
    "LF.LF": b"\n.\n", "LF.CRLF": b"\n.\r\n", "CRLF.LF": b"\r\n.\n", "CR.CR": b"\r.\r", "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r", "LF.CR": b"\n.\r", "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRLF.NUL.CRLF": b"\r\n\0.\r\n", "CRLF.dot-NUL-CRLF": b"\r\n.\0\r\n",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_false_end_of_data_never_begins_a_second_message(relay, ending):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with Conversation(relay.port) as client:
            client.begin_data()
            client.write(message(body="first") + ending + SMUGGLED + b".\r\n")
            reply = client.reply()
            assert reply.startswith("5"), reply
            # The session is either closed or in step: the next command gets the next reply.
            if (after := client.say("NOOP")) != "":
                assert after.startswith("250"), after
                client.begin_data()
                client.write(message(subject="after") + b".\r\n")
                queue_id(client.reply())
        with Conversation(relay.port) as client:
            client.begin_data()
            client.write(message(subject="last") + b".\r\n")
            queue_id(client.reply())
        relay.wait_until_empty()
        assert all(arrival.mail_from == "app@sender.example" for arrival in hop.arrivals)
        assert not any(b"smuggled" in arrival.content for arrival in hop.arrivals)


def test_every_split_of_the_true_end_is_understood(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with Conversation(relay.port) as client:
            for split in range(1, 6):
                client.begin_data()
                whole = message(subject=f"split {split}") + b".\r\n"
                client.write(whole[:-split])
                client.write(whole[-split:])
                queue_id(client.reply())
        assert len(hop.wait_for_arrivals(5)) == 5


@pytest.mark.parametrize("line", [b"MAIL FROM:<a@sender.example>\nRCPT TO:<b@sink.example>\r\n", b"NOOP\n\r\n", b"NO\0OP\r\n"])
def test_a_command_line_with_a_stray_octet_is_one_wrong_line(relay, line):
    relay.start()
    with Conversation(relay.port) as client:
        client.write(line)
        assert client.reply().startswith("5")
        after = client.say("RCPT TO:<c@sink.example>")
        assert after == "" or after.startswith("503"), after


def test_nothing_that_follows_a_refused_data_command_becomes_a_message(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with Conversation(relay.port) as client:
            assert client.say("MAIL FROM:<app@sender.example>").startswith("250")
            client.write(b"DATA\r\n")
            assert client.reply()[:3] in ("503", "554")
            client.write(message(subject="never") + b".\r\n")
            assert client.reply()[0] in "45"
        assert relay.queue() == [] and hop.arrivals == []
