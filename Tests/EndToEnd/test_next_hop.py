# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""How a well-behaved next hop is spoken to: TLS when offered, connections used again, pipelining."""

import json

import pytest

from support.machine import wait_for
from support.next_hops import NextHop, self_made_certificate
from support.smtp import message, submit
from support.verifiers import assert_verified


def test_starttls_is_used_when_offered_even_with_a_self_made_certificate(relay):
    with NextHop(tls=self_made_certificate(relay.directory)) as hop:
        relay.send_to(hop.port, tls="opportunistic")
        relay.start()
        submit(relay.port, message())
        arrival = hop.wait_for_arrivals(1)[0]
        assert arrival.is_encrypted
        assert_verified(arrival.content, relay.key_records(), ["rsa-sha256"])
        hellos = [command for _, command in hop.commands if command.startswith("EHLO")]
        assert hellos == ["EHLO relay.waxwing.example"] * 2, "EHLO again after STARTTLS"


def test_a_hop_without_starttls_gets_plain_text_when_tls_is_opportunistic(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, tls="opportunistic")
        relay.start()
        submit(relay.port, message())
        assert not hop.wait_for_arrivals(1)[0].is_encrypted


def test_a_hop_without_starttls_gets_nothing_when_tls_is_required(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, tls="required")
        relay.start()
        identifier = submit(relay.port, message())
        wait_for(lambda: "STARTTLS" in relay.command("queue", "show", identifier), "the deferral's reason")
        assert hop.arrivals == [] and not any("MAIL" in command for _, command in hop.commands)


def test_connections_are_used_again(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, connections=1)
        relay.start()
        for number in range(20):
            submit(relay.port, message(subject=str(number)))
        hop.wait_for_arrivals(20)
        assert hop.connections <= 2, f"{hop.connections} connections for 20 messages"


def test_a_connection_carries_no_more_messages_than_the_route_allows(relay):
    with NextHop() as hop:
        relay.send_to(hop.port, **{"connections": 1, "messages-per-connection": 5})
        relay.start()
        for number in range(20):
            submit(relay.port, message(subject=str(number)))
        hop.wait_for_arrivals(20)
        counts = {}
        for arrival in hop.arrivals:
            counts[arrival.connection] = counts.get(arrival.connection, 0) + 1
        assert max(counts.values()) <= 5 and len(counts) >= 4, counts


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)], ids=["plain", "pipelining"])
def test_a_large_message_arrives_whole(relay, extensions):
    with NextHop(extensions=(*extensions, "8BITMIME")) as hop:
        relay.send_to(hop.port)
        relay.start()
        content = message(body=("." + "0123456789" * 7 + "\r\n") * 40_000)
        submit(relay.port, content)
        arrival = hop.wait_for_arrivals(1)[0]
        assert arrival.content.split(b"\r\n\r\n", 1)[1] == content.split(b"\r\n\r\n", 1)[1]
        assert_verified(arrival.content, relay.key_records(), ["rsa-sha256"])


def test_routes_are_tried_in_order(relay):
    with NextHop() as first, NextHop() as second:
        relay.configure(route=[
            {"name": "one", "to": ["one.example", "*.one.example"], "smarthost": f"127.0.0.1:{first.port}", "tls": "off"},
            {"name": "rest", "to": ["*"], "smarthost": f"127.0.0.1:{second.port}", "tls": "off"},
        ])
        relay.start()
        submit(relay.port, message(), recipients=("a@one.example", "b@sub.one.example", "c@two.example"))
        relay.wait_until_empty()
        assert sorted(r for arrival in first.arrivals for r in arrival.recipients) == ["a@one.example", "b@sub.one.example"]
        assert sorted(r for arrival in second.arrivals for r in arrival.recipients) == ["c@two.example"]


def test_a_capture_route_writes_files_instead(relay):
    relay.configure(route=[{"name": "capture", "to": ["*"], "capture": "captured", "ed25519": True}])
    relay.start()
    submit(relay.port, message(subject="to a file"))
    relay.wait_until_empty()
    files = list((relay.directory / "captured").glob("*.eml"))
    assert len(files) == 1
    envelope = json.loads(files[0].with_suffix(".json").read_text())
    assert "app@sender.example" in str(envelope) and "someone@sink.example" in str(envelope)
    assert_verified(files[0].read_bytes(), relay.key_records(), ["rsa-sha256", "ed25519-sha256"])
