# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""SIGKILL after every single step on the disk of a rotation: whoever comes next takes it to the same end."""

import os
import re
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.clock import Clock
from support.machine import wait_for
from support.names import Bind
from support.relay import Relay
from support.rotation import DOMAIN, Bench

pytestmark = [pytest.mark.root, pytest.mark.witnessed]

# No rotation has more steps; a fault must not spin.
MOST = 150
# What a retiring key waits for, and a revoked one, is over after this.
LONG_AFTER = 40


class Tracer(threading.Thread):
    """Runs a program under strace, which stops it after each of some system calls on keys, and kills it after one.

    strace can send SIGKILL by itself, but counts the calls of each thread apart.
    """

    def __init__(self, relay: Relay, calls: str, last: int):
        super().__init__(daemon=True)
        self.last = last
        self.count = 0
        self.call = ""
        self.has_killed = False
        self.ending = threading.Event()
        self.keys = str(relay.directory / "Keys")
        self.path = relay.directory / "calls"
        os.mkfifo(self.path)
        # -D: the program, and not strace, is the child of the test.
        self.wrapper = ("strace", "-D", "-f", "-qq", "-y", "-s", "200", "-o", str(self.path), "-e", "signal=none",
                        "-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGSTOP")

    def __enter__(self) -> "Tracer":
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.ending.set()
        self.join(30)
        os.close(self.descriptor)
        Path(self.path).unlink()

    def run(self) -> None:
        rest = b""
        while not self.ending.is_set():
            if not select.select([self.descriptor], [], [], 0.1)[0]:
                continue
            try:
                chunk = os.read(self.descriptor, 65536)
            except BlockingIOError:
                continue
            if not chunk:  # Nobody writes: strace has not begun, or has ended.
                time.sleep(0.01)
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.take(line.decode(errors="replace"))

    def take(self, line: str) -> None:
        """One system call has come to its end, and its process stands still."""
        # On Linux the number of a thread stands for its process here.
        thread, _, call = line.partition(" ")
        if self.has_killed or not re.search(r"\) += -?\d", call):
            return
        # Of two calls at one time strace tells the end without the path.
        if self.keys in call or "resumed>" in call:
            self.count += 1
            self.call = call
        self.has_killed = self.count == self.last
        try:
            os.kill(int(thread), signal.SIGKILL if self.has_killed else signal.SIGCONT)
        except ProcessLookupError:
            pass


def rotate_command(bench: Bench) -> list[str]:
    return [str(bench.relay.binary), "keys", "rotate", DOMAIN, "--algorithm", "ed25519", "--now",
            "--config", str(bench.relay.config)]


def run_until(bench: Bench, calls: str, step: int) -> Tracer:
    """One rotation by the command, killed after that step if it has so many."""
    with Tracer(bench.relay, calls, step) as tracer:
        process = subprocess.Popen([*tracer.wrapper, *rotate_command(bench)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=dict(os.environ, **bench.relay.environment))
        try:
            status = process.wait(60)
        finally:
            process.kill()
            process.wait(30)
    assert status == (-signal.SIGKILL if tracer.has_killed else 0), f"step {step} of {calls}: {status}"
    return tracer


def assert_some_good_key_is_active(bench: Bench, moment: str) -> None:
    active = [key for key in bench.keys.all().values() if key["state"] == "active"]
    assert active, f"no key is active {moment}: {bench.keys.states()}"
    assert all(key["proof"]["first"] for key in active), f"an active key is not proven {moment}: {active}"


def unfinished(bench: Bench) -> list:
    """What does not fit together yet: one key signs, the others have gone on, and DNS and directories say the same."""
    found: list = []
    keys = bench.keys.all()
    if len(bench.keys.selectors("active")) != 1:
        found.append(bench.keys.states())
    for selector, key in keys.items():
        texts = bench.primary.texts(bench.keys.name(selector))
        told = (bench.keys.directory / selector / "record.txt").read_text().strip()
        match key["state"]:
            case "active" | "retiring": is_right = texts == [key["record"]]
            case "revoked": is_right = len(texts) == 1 and texts[0].endswith("p=")
            case "removed": is_right = texts == []
            case _: is_right = False
        is_right = is_right and [told] == ([f"{bench.keys.name(selector)} {text}" for text in texts] or [""])
        if not is_right or "purpose" in key or bench.keys.has_private_key(selector) != (key["state"] != "removed"):
            found.append((selector, key["state"], texts, told))
    found += bench.keys.directory.glob("*/*.new")
    return found + list(bench.keys.directory.glob(".new-*"))


def assert_is_finished(bench: Bench, old: str, moment: str) -> None:
    assert not unfinished(bench), (moment, unfinished(bench))
    assert_some_good_key_is_active(bench, moment)
    new = bench.keys.active("ed25519")
    assert new != old, moment
    used = (bench.keys.directory / ".selectors").read_text().split()
    assert len(used) == len(set(used)) and set(used) >= set(bench.keys.all()), (moment, used)
    bench.keys.assert_no_selector_had_two_keys()
    steps = [(step["selector"], step["to"]) for step in bench.keys.log()]
    assert (new, "active") in steps and (old, "retiring") in steps, (moment, steps)


@pytest.mark.parametrize("calls", ["rename", pytest.param("rename,fsync,unlink", marks=pytest.mark.long)])
def test_a_rotation_that_is_killed_after_any_step_is_taken_to_its_end(bare_relay, calls):
    with Clock() as clock, Bench(bare_relay, clock) as bench:
        bench.host(Bind, clock=clock)
        bench.publishes()
        bench.keys.establish("ed25519")
        # From now on each rotation also revokes the key before, and removes the one before that.
        for _ in range(2):
            clock.advance(days=LONG_AFTER)
            bench.keys.rotate("--algorithm", "ed25519", "--now")
        assert sorted(bench.keys.states().values()) == ["active", "retiring", "revoked"]
        told = []
        for step in range(1, MOST):
            clock.advance(days=LONG_AFTER)
            old = bench.keys.active("ed25519")
            tracer = run_until(bench, calls, step)
            moment = f"after step {step}, {tracer.call}"
            assert_some_good_key_is_active(bench, moment)
            if not tracer.has_killed:
                break
            told.append(tracer.call)
            for _ in range(5):
                # Asked once more than needed, it would begin another rotation.
                if not unfinished(bench) and bench.keys.active("ed25519") != old:
                    break
                bench.keys.rotate("--algorithm", "ed25519", "--now")
                assert_some_good_key_is_active(bench, moment)
            assert_is_finished(bench, old, moment)
        else:
            raise AssertionError(f"a rotation still has steps after {MOST} of them")
        assert_is_finished(bench, old, "in the end")
        print(f"\n{calls}: {len(told)} steps, {len(bench.keys.all())} keys")
        print("\n".join(told))
        assert len(told) >= 10, "a key that is made, proven, activated, and others retired, revoked and removed: more steps"


def test_a_daemon_that_is_killed_after_any_step_of_a_rotation_goes_on_by_itself(bare_relay, is_long):
    with Clock() as clock, Bench(bare_relay, clock) as bench:
        bench.host(Bind, clock=clock)
        bench.publishes()
        bench.keys.establish("ed25519")
        told = []
        for step in range(1, MOST, 1 if is_long else 3):
            old = bench.keys.active("ed25519")
            with Tracer(bench.relay, "rename", step) as tracer:
                bench.relay.start(wrapper=tracer.wrapper)
                clock.advance(days=LONG_AFTER)
                # The daemon may be gone before it answers.
                bench.keys.rotate("--algorithm", "ed25519", "--now", expect=None)
                wait_for(lambda: tracer.has_killed or not unfinished(bench), f"the end of step {step}", pause=0.2)
                if tracer.has_killed:
                    bench.relay.process.wait(30)
                else:
                    bench.relay.kill()
            moment = f"after step {step}, {tracer.call}"
            assert_some_good_key_is_active(bench, moment)
            if not tracer.has_killed:
                break
            told.append(tracer.call)
            bench.relay.start()
            if bench.keys.selectors("active") == [old] and not bench.keys.selectors("generated", "published"):
                # Nothing was made yet that it could go on with.
                bench.keys.rotate("--algorithm", "ed25519", "--now")
            wait_for(lambda: not unfinished(bench) and bench.keys.active("ed25519") != old,
                     f"the rotation to be finished {moment}: {unfinished(bench)}", pause=0.2)
            assert_is_finished(bench, old, moment)
            bench.relay.kill()
        else:
            raise AssertionError(f"a rotation still has steps after {MOST} of them")
        assert_is_finished(bench, old, "in the end")
        print(f"\n{len(told)} kills of the daemon, {len(bench.keys.all())} keys")
        print("\n".join(told))
        assert len(told) >= (10 if is_long else 3), "a key is made, proven and activated in more steps"
