# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The whole life of keys, on a clock that the test puts forward: none goes while mail that it signed may be under way."""

import datetime
import time

import pytest

from support.clock import Clock
from support.machine import wait_for
from support.names import NSD, Knot
from support.rotation import Bench

pytestmark = [pytest.mark.root, pytest.mark.witnessed]


@pytest.fixture
def bench(bare_relay):
    with Clock() as clock, Bench(bare_relay, clock) as bench:
        bench.host(Knot, NSD, clock=clock)
        bench.publishes()
        bench.relay.start()
        yield bench


def settle(bench) -> None:
    """Returns when the daemon has looked at every key, and has had time to do what it should not do."""
    now = bench.clock.now()

    def is_looked_at(key: dict) -> bool:
        checked = datetime.datetime.fromisoformat(key["proof"]["checked"]).timestamp()
        return key["state"] in ("revoked", "removed") or checked >= now - 1
    wait_for(lambda: all(map(is_looked_at, bench.keys.all().values())), "a look at every key", pause=0.2)
    time.sleep(1.2)


def test_a_key_is_revoked_after_the_longest_life_of_its_mail_and_removed_later(bench):
    old = {bench.keys.establish(), bench.keys.establish("ed25519")}
    records = {selector: bench.keys.record(selector) for selector in old}
    bench.wait_for_signers(*old)
    bench.keys.rotate("--wait")
    new = set(bench.keys.selectors("active"))
    assert not new & old
    bench.wait_for_signers(*new)

    for days in (5, 8):
        bench.clock.advance(days=days)
        settle(bench)
        assert {bench.keys.state(selector) for selector in old} == {"retiring"}, f"after {days} more days"
        bench.witness.assert_all_verify_now()
        assert bench.deliver() == new

    bench.clock.advance(days=2)
    for selector in old:
        bench.keys.wait_for(selector, "revoked")
        for server in bench.servers:
            found = server.texts(bench.keys.name(selector))
            assert len(found) == 1 and found[0].rstrip("; ").endswith("p="), found
    bench.clock.advance(days=29)
    settle(bench)
    assert {bench.keys.state(selector) for selector in old} == {"revoked"}
    bench.clock.advance(days=2)
    for selector in old:
        bench.keys.wait_for(selector, "removed")
        assert all(server.texts(bench.keys.name(selector)) == [] for server in bench.servers)
        wait_for(lambda: not bench.keys.has_private_key(selector), "the end of the private key", pause=0.2)
        assert bench.keys.record(selector) == records[selector], "what was published is remembered"
        assert bench.keys.journal(selector) == ["generated", "published", "active", "retiring", "revoked", "removed"]
        bench.keys.command("generate", "--selector", selector, expect=1)
    assert bench.deliver() == new
    bench.witness.assert_all_verify()


@pytest.mark.long
def test_a_clock_that_goes_back_changes_nothing(bench):
    old = bench.keys.establish()
    bench.keys.rotate("--wait")
    new = bench.keys.active()
    bench.clock.advance(days=3)
    bench.wait_for_signers(new)
    bench.clock.advance(days=-3)
    settle(bench)
    assert bench.keys.states() == {old: "retiring", new: "active"}
    assert bench.deliver() == {new}
    bench.keys.rotate("--wait")
    assert bench.keys.active() not in (old, new)


@pytest.mark.long
def test_years_of_rotations_by_themselves(bench):
    bench.rotation(interval="180 d")
    bench.relay.command("reload")
    bench.keys.establish()
    used: list[set[str]] = []
    for _ in range(3):
        active = bench.keys.active()
        bench.wait_for_signers(active)
        used.append({active})
        bench.clock.advance(days=181)
        bench.keys.wait_for_active_other_than(active)
    assert len(set(map(frozenset, used))) == 3
    bench.clock.advance(days=15)
    wait_for(lambda: not bench.keys.selectors("retiring"), f"the end of old keys: {bench.keys.states()}", pause=0.2)
    bench.keys.assert_no_selector_had_two_keys()
    bench.witness.assert_all_verify()
