# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The records of keys that sign are watched: what the world can't see any more does not sign, unless that is wanted."""

import time

import pytest

from support.machine import wait_for
from support.names import NSD, OPERATOR, Bind, Scripted, scripted
from support.rotation import DOMAIN, Bench

pytestmark = [pytest.mark.root, pytest.mark.witnessed]


@pytest.fixture
def bench(bare_relay):
    with Bench(bare_relay) as bench:
        yield bench


def establish(bench, algorithm: str = "rsa-2048") -> str:
    """A key whose record the operator publishes."""
    key = bench.keys.generate(algorithm)
    put(bench, key)
    bench.keys.command("activate", "--selector", key)
    bench.keys.wait_for(key, "active")
    return key


def put(bench, key: str) -> None:
    assert bench.primary.change(DOMAIN, {bench.keys.name(key): bench.keys.record(key)}) == "NOERROR"
    for server in bench.servers[1:]:
        bench.primary.wait_for_follower(server, DOMAIN)


def remove(bench, key: str) -> None:
    assert bench.primary.change(DOMAIN, remove=(bench.keys.name(key),)) == "NOERROR"


def wait_until_suspended(bench, key: str) -> None:
    bench.keys.wait_for_note(key, "the record is not what it was")


def wait_until_recovered(bench, key: str) -> None:
    bench.keys.wait_for_note(key, "the record is back")
    assert not bench.keys.is_suspended(key)


@pytest.mark.parametrize("lost", ["ed25519", pytest.param("rsa", marks=pytest.mark.long)])
def test_when_one_record_vanishes_the_other_key_signs_alone(bench, lost):
    bench.host(Bind, NSD)
    bench.relay.start()
    keys = {"rsa": establish(bench), "ed25519": establish(bench, "ed25519")}
    bench.wait_for_signers(*keys.values())
    remove(bench, keys[lost])
    wait_until_suspended(bench, keys[lost])
    other = set(keys.values()) - {keys[lost]}
    bench.wait_for_signers(*other)
    bench.witness.sightings.clear()
    for _ in range(3):
        assert bench.deliver() == other
    assert "suspended" in bench.keys.command("list", expect=1)
    assert keys[lost] in bench.relay.log()
    put(bench, keys[lost])
    wait_until_recovered(bench, keys[lost])
    bench.wait_for_signers(*keys.values())
    bench.keys.command("list")
    bench.witness.assert_all_verify()


@pytest.mark.parametrize("lie", [scripted.vanished, pytest.param(scripted.says("v=DKIM1; k=rsa; p="), marks=pytest.mark.long),
                                 pytest.param(scripted.rewritten(scripted.shortened), marks=pytest.mark.long)], ids=["missing", "revoked", "cut off"])
def test_without_another_key_mail_is_accepted_and_waits(bench, lie):
    first = Bind(bench.internet)
    liar = bench.stack.enter_context(Scripted(bench.internet, first))
    bench.stack.enter_context(bench.internet.host(DOMAIN, first, others=(liar,)))
    bench.witness.zones[DOMAIN] = bench.servers = [first]
    bench.relay.start()
    key = establish(bench)
    bench.wait_for_signers(key)
    before = len(bench.hop.arrivals)
    liar.lie(lie, bench.keys.name(key))
    wait_until_suspended(bench, key)
    time.sleep(1)
    for number in range(2):
        bench.send(f"held {number}")
    time.sleep(3)
    assert len(bench.hop.arrivals) == before and len(bench.relay.queue()) == 2
    assert DOMAIN in bench.relay.command("status"), "it says that the domain's mail is held"
    liar.tell_the_truth()
    bench.hop.wait_for_arrivals(before + 2)
    assert bench.witness.selectors()[before:] == [{key}] * 2
    bench.witness.assert_all_verify()


def test_mail_goes_on_being_signed_where_that_is_wanted(bench):
    bench.host(Bind)
    bench.rotation(drift="continue")
    bench.relay.start()
    key = establish(bench)
    remove(bench, key)
    wait_for(lambda: bench.keys.all()[key]["proof"]["contradictions"] >= 2, "a drift", pause=0.2)
    time.sleep(1)
    assert bench.deliver() == {key}
    assert key in bench.relay.log()


@pytest.mark.parametrize("lie", [scripted.servfail, pytest.param(scripted.truncated, marks=pytest.mark.long),
                                 pytest.param(scripted.silence, marks=pytest.mark.long)], ids=["SERVFAIL", "no TCP", "silent"])
def test_a_server_that_says_nothing_stops_no_mail(bench, lie):
    first = Bind(bench.internet)
    liar = bench.stack.enter_context(Scripted(bench.internet, first))
    bench.stack.enter_context(bench.internet.host(DOMAIN, first, others=(liar,)))
    bench.witness.zones[DOMAIN] = bench.servers = [first]
    bench.relay.start()
    key = establish(bench)
    liar.lie(lie, bench.keys.name(key))
    wait_for(lambda: bench.keys.all()[key]["proof"]["evidence"]["verdict"] == "unknown", "a look at the silent server", pause=0.2)
    bench.wait_for_signers(key)
    for _ in range(2):
        assert bench.deliver() == {key}
        time.sleep(1)
    assert not bench.keys.is_suspended(key)
    bench.witness.assert_all_verify()


def test_a_publisher_puts_a_vanished_record_back(bench):
    bench.host(Bind, NSD)
    bench.publishes()
    bench.relay.start()
    key = bench.keys.establish()
    bench.primary.change(DOMAIN, remove=(bench.keys.name(key),), key=OPERATOR)
    wait_until_suspended(bench, key)
    wait_for(lambda: bench.primary.texts(bench.keys.name(key)) == [bench.keys.record(key)], "the record", pause=0.2)
    wait_until_recovered(bench, key)
    bench.wait_for_signers(key)
    bench.witness.assert_all_verify()
