# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Drives one relay a case: checks some signatures, warms up, measures. Started by Deploy/bench."""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / "Tests/EndToEnd"))

from support.machine import free_port, memory_mib, processor_seconds, smtp_source, wait_for  # noqa: E402
from support.next_hops import SmtpSink  # noqa: E402
from support.relay import Relay  # noqa: E402
from support.smtp import message  # noqa: E402
from support.verifiers import dkimpy_results, tags_of_signatures  # noqa: E402

DOMAIN = "bench.example"
SENDER = f"sender@{DOMAIN}"
SESSIONS = 20
SHAPES = {"4k-many": (4096, 10_000, True), "4k-one": (4096, 10_000, False), "64k-many": (65536, 4_000, True)}
KEYS = {"rsa": ["rsa-2048"], "ed25519": ["ed25519"], "both": ["rsa-2048", "ed25519"]}
SIGNATURES = {"rsa-2048": "rsa-sha256", "ed25519": "ed25519-sha256"}
CHECKED_MESSAGES = 50
# Without another message at the sink for so long, what is missing is lost.
STALL_SECONDS = 60.0
IDLE_SESSIONS = 5000
LEAST_IDLE_RATIO = 0.85
MOST_IDLE_MEMORY = 200  # MiB


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def raw_rsa_rate() -> float:
    """RSA-2048 signatures a second on two cores, by OpenSSL's own measure."""
    output = subprocess.run(["openssl", "speed", "-seconds", "3", "-multi", "2", "rsa2048"],
                            check=True, capture_output=True, text=True).stdout
    return float(re.search(r"^rsa\s+2048 bits\s+\S+\s+\S+\s+([\d.]+)", output, re.M).group(1))


def content(size: int) -> bytes:
    """A message with a body of `size` octets in lines of 72."""
    line = "0123456789" * 7 + "\r\n"
    return message(SENDER, "recipient@sink.example", "Your monthly statement", (line * (size // len(line) + 1))[:size - 2] + "\r\n")


def check_signatures(relay: Relay, port: int, algorithms: list[str], body: bytes, many: bool) -> None:
    """Sends a few messages to a sink that keeps them; ends the program unless each carries good signatures."""
    with SmtpSink(port=port) as sink:
        source = smtp_source(relay.port, relay.directory, CHECKED_MESSAGES, 5, SENDER, body, many)
        assert source.wait(120) == 0, "smtp-source"
        sink.wait_for_count(CHECKED_MESSAGES, patience=120)
        wait_for(lambda: not connections_to(port), "the relay to close its idle connections", patience=30, pause=0.2)
        arrived = sink.messages()
    records = relay.key_records()
    wanted = sorted(SIGNATURES[algorithm] for algorithm in algorithms)
    for signed in arrived:
        found = sorted(tags["a"] for tags in tags_of_signatures(signed))
        assert found == wanted, f"signatures {found} instead of {wanted}"
        assert set(dkimpy_results(signed, records)) == {"pass"}, "a signature does not verify"
    assert len(arrived) == CHECKED_MESSAGES
    say(f"{len(arrived)} messages carry {', '.join(wanted)}; all verify")


def connections_to(port: int) -> int:
    with open("/proc/net/tcp") as table:
        return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01" for line in list(table)[1:])


def measure(relay: Relay, sink: SmtpSink, count: int, body: bytes, many: bool) -> dict:
    """One run: from the start of smtp-source to the last message at the sink."""
    base, processor = sink.count(), processor_seconds(relay.process.pid)
    began = moved = time.monotonic()
    source = smtp_source(relay.port, relay.directory, count, SESSIONS, SENDER, body, many)
    arrived = 0
    while arrived < count and time.monotonic() - moved < STALL_SECONDS:
        if (now := sink.count() - base) != arrived:
            arrived, moved = now, time.monotonic()
        time.sleep(0.004)
    if source.poll() is None:
        source.kill()
    source.wait()
    processor = processor_seconds(relay.process.pid) - processor
    return {"seconds": moved - began, "processor": processor, "lost": count - arrived}


def run_case(name: str, messages: int | None, scratch: Path, binary: Path) -> None:
    shape, kind = name.rsplit("-", 1)
    size, count, many = SHAPES[shape]
    count = messages or count
    algorithms = KEYS[kind]
    body = content(size)
    port = free_port()
    with Relay(binary, scratch) as relay:
        relay.settings["spool"].pop("minimum-free")
        relay.send_to(port, ed25519="ed25519" in algorithms)
        for algorithm in algorithms:
            relay.make_key(DOMAIN, f"{algorithm.split('-')[0]}1", algorithm)
        relay.start()
        check_signatures(relay, port, algorithms, body, many)
        with SmtpSink(keep=False, port=port) as sink:
            measure(relay, sink, max(200, count // 5), body, many)
            raw = raw_rsa_rate()
            result = measure(relay, sink, count, body, many)
        rate = count / result["seconds"]
        print(json.dumps({
            "case": name,
            "messages_per_second": round(rate, 1),
            "rsa2048_per_second": round(raw, 1),
            "ratio": round(rate / raw, 3),
            "cpu_ms_per_message": round(result["processor"] * 1000 / count, 3),
            "peak_rss_mib": round(memory_mib(relay.process.pid), 1),
            "lost": result["lost"],
        }), flush=True)


@contextmanager
def idle_sessions(port: int, count: int) -> Iterator[None]:
    """Clients that said hello and nothing since."""
    sessions = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(count)]
    try:
        for session in sessions:
            assert session.recv(512).startswith(b"220 "), "no greeting"
            session.sendall(b"EHLO idle.example\r\n")
        for session in sessions:
            assert session.recv(1024).startswith(b"250"), "no reply to EHLO"
        yield
    finally:
        for session in sessions:
            session.close()


def run_idle(messages: int | None, scratch: Path, binary: Path) -> bool:
    """Throughput beside idle sessions against that without them, in turns; True if both promises hold."""
    body, count = content(4096), messages or 10_000
    rates: dict[int, list[float]] = {0: [], IDLE_SESSIONS: []}
    with SmtpSink(keep=False, port=free_port()) as sink, Relay(binary, scratch) as relay:
        relay.settings["spool"].pop("minimum-free")
        relay.settings.setdefault("limits", {})["sessions"] = IDLE_SESSIONS + SESSIONS + 100
        relay.send_to(sink.port)
        relay.make_key(DOMAIN, "rsa1", "rsa-2048")
        relay.start()
        measure(relay, sink, max(200, count // 5), body, True)
        for idle in (0, IDLE_SESSIONS) * 3:
            with idle_sessions(relay.port, idle):
                result = measure(relay, sink, count, body, True)
                assert result["lost"] == 0, f"{result['lost']} messages are lost"
                rates[idle].append(count / result["seconds"])
        memory = memory_mib(relay.process.pid)
    ratio = statistics.median(rates[IDLE_SESSIONS]) / statistics.median(rates[0])
    print(json.dumps({
        "case": f"{IDLE_SESSIONS}-idle", "messages_per_second": [round(rate, 1) for rate in rates[IDLE_SESSIONS]],
        "without_idle": [round(rate, 1) for rate in rates[0]], "ratio": round(ratio, 3), "least_ratio": LEAST_IDLE_RATIO,
        "peak_rss_mib": round(memory, 1), "most_rss_mib": MOST_IDLE_MEMORY,
    }), flush=True)
    return ratio >= LEAST_IDLE_RATIO and memory <= MOST_IDLE_MEMORY


def main() -> None:
    names = [f"{shape}-{kind}" for shape in SHAPES for kind in KEYS]
    parser = argparse.ArgumentParser(prog="Deploy/bench")
    parser.add_argument("--cases", default=" ".join(names))
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--messages", type=int)
    parser.add_argument("--scratch", type=Path, default=TOP / ".build-tests/bench")
    options = parser.parse_args()
    cases = options.cases.replace(",", " ").split()
    if unknown := [case for case in cases if case not in names]:
        parser.error(f"no such case: {' '.join(unknown)}; there are {' '.join(names)}")
    options.scratch = options.scratch.resolve()
    options.scratch.mkdir(parents=True, exist_ok=True)
    kind = subprocess.run(["stat", "-f", "-c", "%T", options.scratch], capture_output=True, text=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        parser.error(f"{options.scratch} is on {kind}, where synchronizing costs nothing: name a directory on a disk with --scratch")
    binary = Path(os.environ["WAXWING_BINARY"]).resolve()
    if options.idle:
        sys.exit(0 if run_idle(options.messages, options.scratch, binary) else 1)
    for case in cases:
        say(case)
        run_case(case, options.messages, options.scratch, binary)


main()
