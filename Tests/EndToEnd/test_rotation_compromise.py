# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A key that somebody else may have signs nothing more: a standby takes over at once, or mail waits for a new key."""

import time

import pytest

from support.machine import wait_for
from support.names import NSD, Bind
from support.rotation import Bench

pytestmark = [pytest.mark.root, pytest.mark.witnessed]


@pytest.fixture
def bench(bare_relay):
    with Bench(bare_relay) as bench:
        bench.host(Bind, NSD)
        bench.publishes()
        yield bench


def wait_until_revoked(bench, selector: str) -> None:
    bench.keys.wait_for(selector, "revoked")
    for server in bench.servers:
        found = server.texts(bench.keys.name(selector))
        assert len(found) == 1 and found[0].replace(" ", "").rstrip(";").endswith("p="), found


def test_a_standby_takes_over_within_seconds_and_signs_what_is_queued(bench):
    bench.rotation(standby=True)
    bench.relay.start()
    old = bench.keys.establish()
    wait_for(lambda: len(bench.keys.selectors("published")) == 1, "a standby key", pause=0.2)
    standby = bench.keys.selectors("published")[0]
    bench.wait_for_signers(old)
    bench.close_hop()
    bench.witness.sightings.clear()
    for number in range(3):
        bench.send(f"queued {number}")
    wait_for(lambda: len(bench.relay.queue()) == 3 and "deferred" in bench.relay.command("queue", "list"), "mail in the queue")
    bench.keys.rotate("--compromised")
    assert bench.keys.active() == standby
    assert bench.keys.state(old) in ("compromised", "revoked")
    bench.open_hop()
    bench.deliver()
    bench.relay.wait_until_empty()
    assert bench.witness.selectors() == [{standby}] * 4, "no message leaves with the old key any more"
    wait_until_revoked(bench, old)
    bench.witness.assert_all_verify_now()
    wait_for(lambda: len(bench.keys.selectors("published")) == 1, "the next standby key", pause=0.2)


def test_without_a_standby_mail_is_accepted_and_waits_for_the_new_key(bench):
    slow = bench.servers[1]
    bench.relay.start()
    old = bench.keys.establish()
    bench.wait_for_signers(old)
    before = len(bench.hop.arrivals)
    bench.primary.hold(slow)
    text = bench.keys.rotate("--compromised", expect=None)
    new = bench.keys.successor()
    assert new in text and bench.keys.state(old) in ("compromised", "revoked")
    for number in range(3):
        bench.send(f"held {number}")
    time.sleep(3)
    assert len(bench.hop.arrivals) == before and len(bench.relay.queue()) == 3
    assert "sender.example" in bench.relay.command("status"), "it says that the domain's mail is held"
    bench.primary.release(slow)
    bench.keys.wait_for(new, "active")
    bench.hop.wait_for_arrivals(before + 3)
    assert bench.witness.selectors()[before:] == [{new}] * 3
    bench.witness.assert_all_verify()
    wait_until_revoked(bench, old)


def test_one_of_two_kinds_can_be_compromised_and_the_other_signs_on(bench):
    bench.relay.start()
    rsa, ed25519 = bench.keys.establish(), bench.keys.establish("ed25519")
    bench.wait_for_signers(rsa, ed25519)
    bench.primary.hold(bench.servers[1])
    bench.keys.rotate("--compromised", "--algorithm", "rsa-2048", expect=None)
    assert bench.keys.active("ed25519") == ed25519
    bench.wait_for_signers(ed25519)
    bench.primary.release(bench.servers[1])
    new = bench.keys.wait_for_active_other_than(rsa)
    bench.wait_for_signers(new, ed25519)
    bench.witness.assert_all_verify()


def test_a_selector_names_the_key_that_is_lost(bench):
    bench.relay.start()
    old = bench.keys.establish()
    bench.keys.rotate("--wait")
    new = bench.keys.active()
    bench.keys.rotate("--compromised", "--selector", old)
    assert bench.keys.active() == new
    wait_until_revoked(bench, old)
