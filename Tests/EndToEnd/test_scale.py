# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Gigabytes and millions: minutes of work, so only with --long. Memory is asserted, time is printed."""

import contextlib
import os
import socket
import threading
import time

import pytest

from support.machine import end, memory_mib, processor_seconds, smtp_source
from support.next_hops import SmtpSink
from support.smtp import Conversation, message, queue_id


def test_memory_stays_small_when_idle_and_under_load(relay):
    with SmtpSink(keep=False) as sink:
        relay.send_to(sink.port)
        relay.start()
        time.sleep(1)
        idle = memory_mib(relay.process.pid, "VmRSS")
        source = smtp_source(relay.port, relay.directory, 5000, 20, "app@sender.example", message(body=("x" * 70 + "\r\n") * 56))
        assert source.wait(300) == 0
        sink.wait_for_count(5000, patience=300)
        peak = memory_mib(relay.process.pid)
    print(f"\nidle {idle:.1f} MiB, peak under 20 sessions {peak:.1f} MiB")
    assert idle < 40 and peak < 80


def test_large_messages_from_several_sessions_are_streamed(relay):
    large_messages_at_once(relay, sessions=10)


@pytest.mark.long
def test_two_hundred_sessions_with_20_mib_each_are_streamed(relay):
    large_messages_at_once(relay, sessions=200)


def large_messages_at_once(relay, sessions: int) -> None:
    """Every session sends 20 MiB at the same time, to a relay that also passes them on."""
    line = b"0123456789" * 7 + b"\r\n"
    block = line * ((1 << 20) // len(line))
    problems: list[str] = []
    barrier = threading.Barrier(sessions)

    def session() -> None:
        try:
            with Conversation(relay.port) as client:
                client.socket.settimeout(600)
                client.begin_data()
                barrier.wait(120)
                client.write(message(body=""))
                for _ in range(20):
                    client.write(block)
                client.write(b".\r\n")
                queue_id(client.reply())
        except Exception as error:
            problems.append(repr(error))

    with SmtpSink(keep=False) as sink:
        relay.send_to(sink.port)
        relay.start()
        threads = [threading.Thread(target=session) for _ in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(900)
        assert not problems, problems[:3]
        sink.wait_for_count(sessions, patience=900)
        peak = memory_mib(relay.process.pid)
    print(f"\n{sessions} sessions of 20 MiB: peak {peak:.1f} MiB")
    assert peak < 200


@pytest.mark.long
def test_a_million_messages_in_the_spool(relay, capsys):
    """Start with them, then drain them: the spool's file shrinks again. Progress is shown as it comes.

    WAXWING_MESSAGES names another number of messages.
    """
    count = int(os.environ.get("WAXWING_MESSAGES") or 1_000_000)

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    # A next hop that takes connections and never says a word keeps every message in the queue.
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        relay.send_to(silent.getsockname()[1])
        relay.start()
        source = smtp_source(relay.port, relay.directory, count, 20, "app@sender.example",
                             b"From: app@sender.example\r\nSubject: one of a million\r\n\r\n"
                             + (b"x" * 70 + b"\r\n") * 56)
        try:
            accepted = Progress("accepted", lambda: queued(relay), show)
            accepted.wait_until(lambda seen: seen >= count or source.poll() is not None)
            assert source.wait(60) == 0, f"smtp-source gave up after {queued(relay)} messages"
        finally:
            end(source)
        assert queued(relay) == count
        assert relay.stop() == 0
        relay.start()
        seconds, memory = processor_seconds(relay.process.pid), memory_mib(relay.process.pid)
        time.sleep(5)
        memory = max(memory, memory_mib(relay.process.pid))
        show(f"listening after {seconds:.2f} s of processor time; {memory:.1f} MiB after 5 s more")
        assert memory < 150
        assert relay.stop() == 0
    with SmtpSink(keep=False) as sink:
        relay.send_to(sink.port)
        relay.start()
        Progress("drained", sink.count, show).wait_until(lambda seen: seen >= count)
        Progress("octets of the spool", lambda: -spool_octets(relay), show).wait_until(lambda _: spool_octets(relay) < 1 << 30)


class Progress:
    """Waits as long as a number grows, and shows it; gives up when it stands still for two minutes."""

    STANDSTILL = 120.0

    def __init__(self, what: str, number, show):
        self.what, self.number, self.show = what, number, show

    def wait_until(self, is_done) -> None:
        began = shown = grown = time.monotonic()
        best = self.number()
        while not is_done(best):
            now, seen = time.monotonic(), self.number()
            if seen > best:
                best, grown = seen, now
            assert now - grown < self.STANDSTILL, f"{self.what}: {best}, and no more for {self.STANDSTILL:.0f} s"
            if now - shown > 30:
                shown = now
                self.show(f"{self.what}: {abs(best)} after {now - began:.0f} s")
            time.sleep(1)
        self.show(f"{self.what}: {abs(best)} in {time.monotonic() - began:.0f} s")


def queued(relay) -> int:
    """Messages in the spool, as the running relay counts them."""
    return relay.control("/v1/status")[1]["queue"]["messages"]


def spool_octets(relay) -> int:
    """On disk; files may vanish while one looks."""
    total = 0
    for file in (relay.directory / "spool").rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size if file.is_file() else 0
    return total
