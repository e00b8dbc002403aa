# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""SIGKILL at random moments of rotations, while mail comes in: no message leaves that somebody could not verify."""

import os
import random
import subprocess
import time

import pytest

from support.clock import Clock
from support.machine import wait_for
from support.names import NSD, Knot
from support.rotation import DOMAIN, Bench, Sender

pytestmark = [pytest.mark.root, pytest.mark.witnessed]


class Killer:
    """Kills the daemon and commands, at moments that follow from a seed."""

    def __init__(self, bench: Bench, moments: random.Random):
        self.bench, self.moments = bench, moments
        self.commands: list[subprocess.Popen] = []

    def rotate(self) -> subprocess.Popen:
        """Begins a rotation, or takes it further, in a process that may be killed."""
        command = [str(self.bench.relay.binary), "keys", "rotate", DOMAIN, "--config", str(self.bench.relay.config)]
        self.commands.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                              env=dict(os.environ, **self.bench.relay.environment)))
        return self.commands[-1]

    def strike(self) -> None:
        """One kill of the daemon; every other time one more of a command that works without it."""
        self.rotate()
        time.sleep(self.moments.uniform(0, 2.0))
        self.bench.relay.kill()
        if self.moments.random() < 0.5:
            command = self.rotate()
            time.sleep(self.moments.uniform(0, 0.8))
            command.kill()
        self.reap()
        self.bench.relay.start()

    def reap(self) -> None:
        for command in self.commands:
            command.wait(60)
        self.commands.clear()


def test_rotations_survive_kills_and_every_message_verifies_then_and_five_days_later(bare_relay, is_long):
    seed = random.randrange(1 << 32)
    print(f"\nseed {seed}")
    strikes = 200 if is_long else 20
    with Clock() as clock, Bench(bare_relay, clock) as bench:
        bench.host(Knot, NSD, NSD, clock=clock)
        bench.publishes()
        # With 26 letters a day a long test would run out of names.
        bench.rotation(selector="k{algorithm}{date}{letter}")
        bench.relay.start()
        first = {bench.keys.establish(), bench.keys.establish("ed25519")}
        killer = Killer(bench, random.Random(seed))
        with Sender(bench.relay.port) as sender:
            for number in range(strikes):
                killer.strike()
                bench.keys.all()
                if number % 10 == 9:
                    clock.advance(days=1)
            begun = set(bench.keys.all()) - first
            wait_for(lambda: at_rest(bench), f"the rotations to end: {bench.keys.states()}", pause=0.3)
            time.sleep(1)
        bench.relay.wait_until_empty(patience=120)

        print(f"{strikes} kills, {len(begun)} keys begun, {len(sender.accepted)} messages accepted, "
              f"{len(bench.hop.arrivals)} arrived")
        assert not sender.unexpected, sender.unexpected[:5]
        assert len(sender.accepted) > strikes * 3, "the sender made no progress"
        assert len(begun) >= 2, "the rotations made no progress"
        arrived = {line for content in bench.hop.taken for line in content.split(b"\r\n") if line.startswith(b"Subject: ")}
        lost = [subject for subject in sender.accepted if f"Subject: {subject}".encode() not in arrived]
        assert not lost, f"lost: {lost[:10]}"

        for kind in ("rsa", "ed25519"):
            bench.keys.active(kind)
        bench.keys.assert_no_selector_had_two_keys()
        assert_journals_are_whole(bench)
        bench.witness.assert_all_verify()
        clock.advance(days=5)
        time.sleep(4)
        bench.witness.assert_all_verify_now()
        assert not bench.keys.selectors("revoked", "removed") or is_long


def at_rest(bench: Bench) -> bool:
    """Each kind has one active key, and nothing is under way that takes its place."""
    return (not bench.keys.selectors("generated", "published")
            and all(len(bench.keys.selectors("active", kind=kind)) == 1 for kind in ("rsa", "ed25519")))


def assert_journals_are_whole(bench: Bench) -> None:
    """No key signed that was not proven, and none went but by the way that keys go."""
    # A look that contradicts begins the proof anew.
    for selector in bench.keys.all():
        states = bench.keys.journal(selector)
        assert states[0] == "generated"
        for before, after in zip(states, states[1:]):
            assert (before, after) in {("generated", "published"), ("published", "generated"), ("published", "active"),
                                       ("active", "retiring"), ("retiring", "revoked"), ("revoked", "removed")}, (selector, states)
