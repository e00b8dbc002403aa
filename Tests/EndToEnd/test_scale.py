# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Gigabytes and millions: minutes of work, so only with --long. Memory is asserted, time is printed."""

import socket
import threading
import time

import pytest

from support.machine import memory_mib, processor_seconds, smtp_source, wait_for
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
def test_a_million_messages_in_the_spool(relay):
    """Start with them, then drain them: the spool's file shrinks again."""
    count = 1_000_000
    # A next hop that takes connections and never says a word keeps every message in the queue.
    silent = socket.create_server(("127.0.0.1", 0), backlog=1024)
    relay.send_to(silent.getsockname()[1])
    relay.start()
    began = time.monotonic()
    source = smtp_source(relay.port, relay.directory, count, 20, "app@sender.example",
                         b"From: app@sender.example\r\nSubject: one of a million\r\n\r\n" + b"x" * 70 + b"\r\n")
    assert source.wait(3600) == 0
    print(f"\n{count} accepted in {time.monotonic() - began:.0f} s")
    assert relay.stop() == 0
    with SmtpSink(keep=False) as sink:
        relay.start()
        seconds, memory = processor_seconds(relay.process.pid), memory_mib(relay.process.pid)
        time.sleep(5)
        memory = max(memory, memory_mib(relay.process.pid))
        print(f"listening after {seconds:.2f} s of processor time; {memory:.1f} MiB after 5 s more")
        assert memory < 150
        relay.stop()
        relay.send_to(sink.port)
        relay.start()
        sink.wait_for_count(count, patience=7200)
        drained = time.monotonic()
        spool = relay.directory / "spool"
        wait_for(lambda: sum(file.stat().st_size for file in spool.rglob("*") if file.is_file()) < 1 << 30,
                 "a spool below 1 GiB", patience=600, pause=5)
        print(f"drained, and below 1 GiB {time.monotonic() - drained:.0f} s later")
