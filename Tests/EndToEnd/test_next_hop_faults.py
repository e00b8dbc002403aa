# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What a next hop can do to us, and what becomes of the message: nothing is lost, nothing is bounced in haste."""

import pytest

from support.machine import free_port, wait_for
from support.next_hops import NextHop
from support.smtp import message, submit
from support.verifiers import dkimpy_results, tags_of_signatures

TRANSIENT = {
    "greeting-421": ("CONNECT", "421 4.3.2 not now"),
    "greeting-dropped": ("CONNECT", None),
    "hello-421": ("EHLO", "421 4.3.2 not now"),
    "hello-dropped": ("EHLO", None),
    "mail-451": ("MAIL", "451 4.3.0 busy"),
    "mail-421": ("MAIL", "421 4.3.2 closing"),
    "mail-dropped": ("MAIL", None),
    "rcpt-450": ("RCPT", "450 4.2.0 greylisted"),
    "rcpt-421": ("RCPT", "421 4.3.2 closing"),
    "rcpt-dropped": ("RCPT", None),
    "data-451": ("DATA", "451 4.3.0 busy"),
    "data-421": ("DATA", "421 4.3.2 closing"),
    "data-dropped": ("DATA", None),
    "dropped-mid-data": ("MIDDLE", None),
    "end-452": ("END", "452 4.3.1 disk full"),
    "dropped-after-the-final-dot": ("END", None),
}

PERMANENT = {
    "mail-550": ("MAIL", "550 5.1.8 bad sender"),
    "rcpt-550": ("RCPT", "550 5.1.1 no such user"),
    "data-554": ("DATA", "554 5.6.0 no"),
    "end-554": ("END", "554 5.6.0 rejected"),
}


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME"), ("8BITMIME",)], ids=["pipelined", "one-by-one"])
@pytest.mark.parametrize("step, reply", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_passing_fault_defers_and_the_message_arrives_once_it_has_passed(relay, step, reply, extensions):
    with NextHop(extensions=extensions) as hop:
        hop.fail(step, reply)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(subject=f"{step} {reply}"))
        arrival = hop.wait_for_arrivals(1)[0]
        relay.wait_until_empty()
        assert arrival.mail_from == "app@sender.example" and len(hop.arrivals) == 1
        assert dkimpy_results(arrival.content, relay.key_records()) == ["pass"]
        if step == "END" and reply is None:
            # The data was whole; it is not known whether it was taken, so it is sent again.
            assert len(hop.unanswered) == 1


@pytest.mark.parametrize("step, reply", PERMANENT.values(), ids=PERMANENT.keys())
def test_a_permanent_refusal_is_not_tried_again_and_comes_back_as_a_bounce(relay, step, reply):
    with NextHop() as hop:
        hop.fail(step, reply, only_for="app@sender.example" if step == "MAIL" else "someone@" if step == "RCPT" else None)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        bounce = hop.wait_for_arrivals(1)[0]
        relay.wait_until_empty()
        assert bounce.mail_from == "" or bounce.mail_from == "<>", bounce.mail_from
        assert bounce.recipients == ["app@sender.example"] and len(hop.arrivals) == 1
        assert reply[4:].encode() in bounce.content.replace(b"\r\n", b" ").replace(b"  ", b" ")


def test_each_recipient_has_an_outcome_of_its_own(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "550 5.1.1 no such user", only_for="gone@", times=9)
        hop.fail("RCPT", "450 4.2.0 later", only_for="slow@", times=2)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(), recipients=("good@sink.example", "gone@sink.example", "slow@sink.example"))
        relay.wait_until_empty()
        ordinary = [arrival.recipients for arrival in hop.arrivals if arrival.mail_from == "app@sender.example"]
        bounces = [arrival for arrival in hop.arrivals if arrival.mail_from != "app@sender.example"]
        assert sorted(r for recipients in ordinary for r in recipients) == ["good@sink.example", "slow@sink.example"]
        assert len(bounces) == 1 and b"gone@sink.example" in bounces[0].content
        assert b"good@sink.example" not in bounces[0].content.split(b"message/", 1)[0]


def test_data_is_not_sent_to_nobody(relay):
    with NextHop() as hop:
        hop.fail("RCPT", "450 4.2.0 later", times=2)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message(subject="kept back"), recipients=("a@sink.example", "b@sink.example"))
        wait_for(lambda: hop.arrivals, "the second attempt")
        relay.wait_until_empty()
        assert sorted(r for arrival in hop.arrivals for r in arrival.recipients) == ["a@sink.example", "b@sink.example"]


def test_a_slow_reply_is_waited_for(relay):
    with NextHop() as hop:
        hop.fail("END", delay=8)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        hop.wait_for_arrivals(1)
        relay.wait_until_empty()
        assert len(hop.arrivals) == 1


def test_a_refused_connection_defers_until_the_next_hop_is_back(relay):
    port = free_port()
    relay.send_to(port)
    relay.start()
    submit(relay.port, message())
    wait_for(lambda: relay.queue() and "deferred" in relay.command("queue", "list"), "the first deferral")
    with NextHop(port=port) as hop:
        hop.wait_for_arrivals(1)
        relay.wait_until_empty()


def test_a_hop_that_knows_no_ehlo_gets_helo(relay):
    with NextHop() as hop:
        hop.fail("EHLO", "502 5.5.1 what", times=9)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        hop.wait_for_arrivals(1)
        assert any(command.startswith("HELO") for _, command in hop.commands)


def test_a_deferred_message_is_signed_with_a_fresh_time_or_the_same_signature_never_two(relay):
    with NextHop() as hop:
        hop.fail("END", "451 4.3.0 busy", times=2)
        relay.send_to(hop.port, ed25519=True)
        relay.start()
        submit(relay.port, message())
        arrival = hop.wait_for_arrivals(1)[0]
        for content in [arrival.content, *(late.content for late in hop.unanswered)]:
            assert len(tags_of_signatures(content)) == 2


@pytest.mark.long
def test_mail_that_grows_too_old_comes_back(relay):
    relay.settings["retry"]["lifetime"] = "1 min"
    with NextHop() as hop:
        hop.fail("RCPT", "450 4.2.0 full", only_for="someone@", times=1000)
        relay.send_to(hop.port)
        relay.start()
        submit(relay.port, message())
        bounce = hop.wait_for_arrivals(1, patience=120)[0]
        assert bounce.recipients == ["app@sender.example"] and b"4.2.0" in bounce.content
