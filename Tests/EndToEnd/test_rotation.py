# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Rotations that go well, or wait for a server that does not: the key that signs is always one that everybody can see."""

import json
import subprocess
import time

import dns.rcode
import pytest

from support.machine import wait_for
from support.names import NSD, Bind, Knot, ask
from support.rotation import DOMAIN, Bench
from support.smtp import message, refusal

pytestmark = [pytest.mark.root, pytest.mark.witnessed]


@pytest.fixture
def bench(bare_relay):
    with Bench(bare_relay) as bench:
        yield bench


@pytest.mark.parametrize("kinds", [(Bind, Bind, NSD), pytest.param((Knot, Knot, NSD), marks=pytest.mark.long)], ids=["BIND", "Knot"])
def test_a_first_key_signs_once_every_secondary_shows_it(bench, kinds):
    slow = bench.host(*kinds)[2]
    bench.publishes()
    bench.relay.start()
    key = bench.keys.generate()
    bench.primary.hold(slow)
    refused = bench.keys.command("activate", "--selector", key, expect=1)
    assert key in refused and slow.address in refused, refused
    assert bench.primary.texts(bench.keys.name(key)) == [bench.keys.record(key)]
    assert refusal(bench.relay.port, message()).startswith("451 4.7.5")
    assert bench.keys.state(key) == "generated"
    assert bench.internet.questions_for(bench.keys.name(key)) == 0, "a resolver would remember that there is no record"
    bench.primary.release(slow)
    bench.keys.wait_for(key, "active")
    bench.wait_for_signers(key)
    assert bench.keys.journal(key) == ["generated", "published", "active"]
    bench.witness.assert_all_verify()


def test_a_rotation_waits_for_a_slow_secondary_while_the_old_keys_sign_on(bench):
    slow = bench.host(Bind, Bind, NSD)[2]
    bench.publishes()
    bench.relay.start()
    old = {kind: bench.keys.establish(algorithm) for kind, algorithm in (("rsa", "rsa-2048"), ("ed25519", "ed25519"))}
    bench.wait_for_signers(*old.values())
    bench.primary.hold(slow)
    text = bench.keys.rotate()
    new = {kind: bench.keys.successor(kind) for kind in old}
    assert all(selector in text for selector in new.values()), text
    for _ in range(3):
        assert bench.deliver() == set(old.values())
        assert {bench.keys.state(selector) for selector in new.values()} == {"generated"}
        time.sleep(1)
    bench.primary.release(slow)
    for kind in old:
        bench.keys.wait_for(new[kind], "active")
        bench.keys.wait_for(old[kind], "retiring")
    bench.wait_for_signers(*new.values())
    assert all(bench.internet.questions_for(bench.keys.name(selector)) > 0 for selector in new.values()), "the witness asked"
    bench.witness.assert_all_verify()
    bench.witness.assert_all_verify_now()


@pytest.mark.parametrize("trouble", ["dead", pytest.param("silent", marks=pytest.mark.long)])
def test_a_server_that_cannot_be_asked_puts_an_activation_off(bench, trouble):
    second = bench.host(Bind, NSD)[1]
    bench.publishes()
    old = bench.keys.establish()
    bench.relay.start()
    second.stop() if trouble == "dead" else second.pause()
    bench.keys.rotate()
    new = bench.keys.successor()
    wait_for(lambda: second.address in json.dumps(bench.keys.all()[new].get("proof", {})), "a look at every server", pause=0.2)
    assert bench.keys.state(new) == "generated" and bench.keys.active() == old
    assert bench.deliver() == {old}
    second.start() if trouble == "dead" else second.resume()
    bench.primary.wait_for_follower(second, DOMAIN)
    bench.keys.wait_for(new, "active")
    bench.witness.assert_all_verify()


def test_rotate_waits_when_it_is_told_to_with_and_without_a_daemon(bench):
    bench.host(Bind, NSD)
    bench.publishes()
    first = bench.keys.establish()
    text = bench.keys.rotate("--wait")
    second = bench.keys.active()
    assert second != first and second in text, text
    bench.relay.start()
    document = json.loads(bench.keys.rotate("--wait", "--json"))
    third = bench.keys.active()
    assert len({first, second, third}) == 3
    assert document["isFinished"] and document["domain"] == DOMAIN
    assert {key["selector"]: key["state"] for key in document["keys"]} == bench.keys.states()
    bench.wait_for_signers(third)
    steps = [(step["selector"], step["to"]) for step in bench.keys.log()]
    for selector in (first, second):
        assert (selector, "active") in steps and (selector, "retiring") in steps
    bench.witness.assert_all_verify()


def test_the_wait_after_the_proof_is_kept_and_can_be_waived(bench):
    bench.host(Bind)
    bench.publishes()
    old = bench.keys.establish()
    bench.rotation(wait="1 h")
    bench.relay.start()
    text = bench.keys.rotate()
    new = bench.keys.successor()
    bench.keys.wait_for(new, "published")
    time.sleep(3)
    assert bench.keys.state(new) == "published" and bench.keys.active() == old, text
    assert "until" in bench.keys.rotate()
    assert bench.keys.successor() == new, "asking again begins no second rotation"
    bench.keys.rotate("--now")
    bench.keys.wait_for(new, "active")
    assert bench.keys.state(old) == "retiring"


def test_rotations_that_start_together_make_one_key(bench):
    bench.host(Bind)
    bench.publishes()
    old = bench.keys.establish()
    command = [str(bench.relay.binary), "keys", "rotate", DOMAIN, "--config", str(bench.relay.config)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(6)]
    outputs = [run.communicate(timeout=120)[0] for run in runs]
    assert all(run.returncode == 0 or "being rotated" in output for run, output in zip(runs, outputs)), outputs
    made = set(bench.keys.all()) - {old}
    # One that begins after another's is done may rotate once more; two at one time may not.
    assert len(bench.keys.selectors("active")) == 1
    assert len(bench.keys.selectors("generated", "published")) <= 1, bench.keys.states()
    assert all(bench.keys.journal(key)[:2] == ["generated", "published"] for key in made - set(bench.keys.selectors("generated")))
    bench.keys.assert_no_selector_had_two_keys()


@pytest.mark.long
def test_the_daemon_rotates_by_itself_when_keys_are_old(bench):
    bench.host(Bind, NSD)
    bench.publishes()
    first = bench.keys.establish()
    bench.rotation(interval="4 s")
    bench.relay.start()
    bench.wait_for_signers(first)
    second = bench.keys.wait_for_active_other_than(first)
    bench.deliver()
    third = bench.keys.wait_for_active_other_than(second)
    bench.deliver()
    assert len({first, second, third}) == 3
    bench.witness.assert_all_verify()
    bench.witness.assert_all_verify_now()


def test_rsa_and_ed25519_rotate_independently(bench):
    bench.host(Bind)
    bench.publishes()
    rsa, ed25519 = bench.keys.establish(), bench.keys.establish("ed25519")
    bench.relay.start()
    bench.keys.rotate("--algorithm", "ed25519", "--wait")
    assert bench.keys.active("rsa") == rsa
    new = bench.keys.active("ed25519")
    assert new != ed25519 and bench.keys.state(ed25519) == "retiring"
    bench.wait_for_signers(rsa, new)
    bench.keys.rotate("--algorithm", "rsa-3072", "--wait")
    assert bench.keys.all()[bench.keys.active("rsa")]["algorithm"] == "rsa-3072"
    bench.wait_for_signers(bench.keys.active("rsa"), new)
    bench.witness.assert_all_verify()


def test_a_signed_zone_takes_part_unless_its_signatures_are_worthless(bench):
    bench.host(Bind, NSD, is_signed=True)
    bench.publishes()
    anchor = bench.primary.trust_anchor(DOMAIN)
    bench.internet.trust(anchor)
    bench.relay.start()
    old = bench.keys.establish()
    bench.keys.rotate("--wait")
    new = bench.keys.active()
    assert new != old
    bench.wait_for_signers(new)
    bench.witness.assert_all_verify()
    bench.internet.statements = ""
    bench.internet.trust(anchor[:-8] + "00000000")
    wait_for(lambda: ask(bench.internet.address, DOMAIN, "NS", recursive=True).rcode() == dns.rcode.SERVFAIL,
             "the resolver to believe nothing of the zone")
    time.sleep(1.5)  # What the relay learned before lives for a second.
    bench.keys.rotate()
    time.sleep(3)
    assert bench.keys.active() == new and bench.keys.state(bench.keys.successor()) == "generated"


def test_the_relay_itself_checks_a_signed_zone_whose_trust_anchor_it_has(bench):
    bench.host(Bind, NSD, is_signed=True)
    bench.publishes()
    anchor = bench.primary.trust_anchor(DOMAIN)
    file = bench.relay.directory / "trust-anchors"
    file.write_text(anchor + "\n")
    # The resolver that the relay asks checks nothing and passes everything on.
    bench.relay.configure(dns={**bench.relay.settings["dns"], "trust-anchor": str(file)})
    bench.relay.start()
    old = bench.keys.establish()
    bench.keys.rotate("--wait")
    new = bench.keys.active()
    assert new != old
    bench.wait_for_signers(new)
    bench.witness.assert_all_verify()
    bench.relay.stop()
    file.write_text(anchor[:-8] + "00000000\n")
    bench.relay.start()
    bench.keys.rotate()
    refused = bench.keys.command("activate", "--selector", bench.keys.successor(), expect=1)
    assert "DNSSEC validation failed" in refused, refused
    assert bench.keys.active() == new and bench.keys.state(bench.keys.successor()) == "generated"


def test_a_file_without_trust_anchors_is_refused_at_the_start(bench):
    file = bench.relay.directory / "trust-anchors"
    file.write_text(f"{DOMAIN}. IN A 192.0.2.1\n")
    bench.relay.configure(dns={"trust-anchor": str(file)})
    refused = bench.relay.command("run", expect=1)
    assert str(file) in refused and "DNSKEY" in refused, refused
