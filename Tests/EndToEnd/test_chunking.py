# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""CHUNKING (RFC 3030) and LIMITS (RFC 9422): what is announced at the door holds to the next hop."""

import pytest

from support.next_hops import NextHop
from support.smtp import Conversation, message, queue_id


def begin(client: Conversation) -> None:
    assert client.say("MAIL FROM:<app@sender.example>").startswith("250")
    assert client.say("RCPT TO:<someone@sink.example>").startswith("250")


def chunk(octets: bytes, last: bool = False) -> bytes:
    return b"BDAT %d%s\r\n" % (len(octets), b" LAST" if last else b"") + octets


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_chunks_of_any_size_arrive_as_one_message(relay, size):
    """Large content passes from the event loop to a thread on its way; its lines begin with dots."""
    body = "".join(f".line {number}\r\n.\r\n" for number in range(40 if size < 100 else 40_000))
    content = message(body=body)
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with Conversation(relay.port) as client:
            begin(client)
            pieces = [content[start:start + size] for start in range(0, len(content), size)]
            for piece in pieces:
                client.write(chunk(piece))
                assert client.reply() == f"250 2.0.0 {len(piece)} octets received"
            client.write(chunk(b"", last=True))
            queue_id(client.reply())
        arrival = hop.wait_for_arrivals(1)[0]
        assert arrival.content.split(b"\r\n\r\n", 1)[1] == body.encode()


def test_pipelined_chunks_and_a_split_at_every_octet(relay):
    content = message(body="one\r\n")
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        half = len(content) // 2
        octets = (b"MAIL FROM:<app@sender.example>\r\nRCPT TO:<someone@sink.example>\r\n"
                  + chunk(content[:half]) + chunk(content[half:], last=True) + b"NOOP\r\n")
        for cut in range(len(octets)):
            with Conversation(relay.port) as client:
                client.write(octets[:cut])
                client.write(octets[cut:])
                assert [client.reply()[:3] for _ in range(3)] == ["250"] * 3
                queue_id(client.reply())
                assert client.reply().startswith("250")
        relay.wait_until_empty()
        assert len(hop.arrivals) == len(octets)


def test_what_a_refused_chunk_holds_is_never_a_command(relay):
    smuggled = b"\r\nMAIL FROM:<evil@sender.example>\r\nRCPT TO:<victim@sink.example>\r\n" + chunk(message(), last=True)
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        with Conversation(relay.port) as client:
            begin(client)
            client.write(chunk(message(body="bare\nLF\r\n") + smuggled))
            assert client.reply().startswith("550 5.5.2")
            client.write(chunk(smuggled, last=True))
            assert client.reply().startswith("503")
            assert client.say("DATA").startswith("503")
            assert client.say("RSET").startswith("250")
            begin(client)
            # What was sent before RSET is gone.
            client.write(chunk(b"X-Taken-Back: yes\r\n"))
            assert client.reply().startswith("250")
            assert client.say("RSET").startswith("250")
            begin(client)
            client.write(chunk(message(subject="good"), last=True))
            queue_id(client.reply())
        relay.wait_until_empty()
        assert [arrival.mail_from for arrival in hop.arrivals] == ["app@sender.example"]
        assert b"X-Taken-Back" not in hop.arrivals[0].content


def test_the_sum_of_the_chunks_has_the_limit_of_size(relay):
    relay.configure(limits={"message-size": "3 MiB"})
    relay.start()
    with Conversation(relay.port) as client:
        maximum = int(next(line for line in client.say("EHLO app.example").split("\n") if "SIZE" in line).split()[1])
        begin(client)
        client.write(b"BDAT %d\r\n" % maximum)
        piece = (b"x" * 998 + b"\r\n") * 1000
        for _ in range(maximum // len(piece)):
            client.write(piece)
        client.write(b"x" * (maximum % len(piece)))
        assert client.reply() == f"250 2.0.0 {maximum} octets received"
        client.write(chunk(b"y", last=True))
        assert client.reply().startswith("552 5.3.4")


def test_as_many_recipients_as_limits_says_are_taken(relay):
    relay.configure(limits={"recipients": 120})
    relay.start()
    with Conversation(relay.port) as client:
        limits = next(line for line in client.say("EHLO app.example").split("\n") if "LIMITS" in line)
        maximum = int(limits.split("RCPTMAX=")[1].split()[0])
        assert client.say("MAIL FROM:<app@sender.example>").startswith("250")
        assert maximum == 120
        for number in range(maximum):
            assert client.say(f"RCPT TO:<r{number}@sink.example>").startswith("250")
        assert client.say("RCPT TO:<more@sink.example>").startswith("452 4.5.3")
