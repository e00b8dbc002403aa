# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Keys behind aliases: the domain delegates fixed names for good, and keys take turns at them."""

import pytest

from support.clock import Clock
from support.machine import wait_for
from support.names import NSD, Bind, Knot
from support.rotation import DOMAIN, Bench

pytestmark = [pytest.mark.root, pytest.mark.witnessed]

ZONE = "keys.relay.example"
ALIASES = "".join(f"{selector}._domainkey CNAME {selector}.{DOMAIN}.{ZONE}.\n" for selector in ("ww1", "ww2", "wwe1", "wwe2"))


def delegate(bench, clock=None) -> list:
    """The servers of the zone that the aliases lead to."""
    bench.host(Bind, records=ALIASES)
    servers = bench.host(Knot, NSD, zone=ZONE, clock=clock)
    bench.publishes(servers[0], kind="cname", zone=ZONE)
    return servers


def test_keys_take_turns_at_both_names_and_none_is_replaced_under_mail(bare_relay):
    with Clock() as clock, Bench(bare_relay, clock) as bench:
        servers = delegate(bench, clock)
        bench.relay.start()
        assert bench.keys.establish() == "ww1"
        assert bench.keys.establish("ed25519") == "wwe1"
        assert servers[0].texts(f"ww1.{DOMAIN}.{ZONE}") == [bench.keys.record("ww1")]
        first = bench.keys.record("ww1")
        bench.wait_for_signers("ww1", "wwe1")
        bench.keys.rotate("--wait")
        assert bench.keys.selectors("active") == ["ww2", "wwe2"]
        bench.wait_for_signers("ww2", "wwe2")
        # The first names still serve the mail that is under way.
        text = bench.keys.rotate(expect=None)
        assert "in use" in text and bench.keys.selectors("active") == ["ww2", "wwe2"], text
        clock.advance(days=5)
        bench.keys.rotate(expect=None)
        bench.witness.assert_all_verify_now()
        clock.advance(days=10)
        for selector in ("ww1", "wwe1"):
            bench.keys.wait_for(selector, "revoked")
        clock.advance(days=31)
        for selector in ("ww1", "wwe1"):
            bench.keys.wait_for(selector, "removed")
        assert servers[0].texts(f"ww1.{DOMAIN}.{ZONE}") == []
        assert bench.deliver() == {"ww2", "wwe2"}
        bench.keys.rotate("--wait")
        assert bench.keys.active() == "ww1" and bench.keys.active("ed25519") == "wwe1"
        assert bench.keys.record("ww1") != first, "the same name, and another key"
        assert any((bench.keys.directory / ".archive").iterdir()), "what was known of the first key is kept"
        bench.wait_for_signers("ww1", "wwe1")
        bench.witness.assert_all_verify()


def test_a_missing_alias_is_told_and_keeps_the_key_from_signing(bare_relay):
    with Bench(bare_relay) as bench:
        bench.host(Bind)
        servers = bench.host(Knot, zone=ZONE)
        bench.publishes(servers[0], kind="cname", zone=ZONE)
        key = bench.keys.generate()
        refused = bench.keys.command("activate", "--selector", key, expect=1)
        assert bench.keys.name(key) in refused and f"{key}.{DOMAIN}.{ZONE}" in refused, refused
        assert servers[0].texts(f"{key}.{DOMAIN}.{ZONE}") == [bench.keys.record(key)]
