# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Small help with this machine: free ports, waiting, processes that end with their test."""

import itertools
import os
import random
import re
import socket
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
TOOLS = TOP / ".build-tests" / "tools"

# How long a thing may take before a test says that it will never come. Generous: nothing here measures time.
PATIENCE = 60.0


# What free_port has given out: the one who got it may not listen on it yet.
given_ports: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody listens on just now, outside the range that the kernel gives to clients.

    None is given out twice.
    """
    while True:
        port = random.randint(20_000, 32_000)
        if port in given_ports:
            continue
        given_ports.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


# The numbers of networks, in an order that another run beside this one hardly has.
networks = itertools.cycle(random.sample(range(1, 255), 254))


def new_network() -> str:
    """The first three numbers of loopback addresses for servers with a port of their own, such as 53.

    None is given out again before all others were.
    """
    return f"127.53.{next(networks)}"


def is_listening(port: int, address: str = "127.0.0.1") -> bool:
    """Read from the kernel, so that the listener sees no connection."""
    wanted = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"
    with open("/proc/net/tcp") as table:
        return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in list(table)[1:])


def wait_for(condition, what: str, patience: float = PATIENCE, pause: float = 0.02):
    """The first true value of `condition()`; fails with `what` when it never comes."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}")
        time.sleep(pause)


def memory_mib(pid: int, field: str = "VmHWM") -> float:
    """VmHWM is the peak of the resident memory, VmRSS what it is now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+)", status, re.M).group(1)) / 1024


def processor_seconds(pid: int) -> float:
    """User and system time of a process, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def end(process: subprocess.Popen, patience: float = 30.0) -> int:
    """SIGTERM, and SIGKILL when that does not help; the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def postfix_environment(directory: Path) -> dict[str, str]:
    """smtp-source and smtp-sink want a configuration, an empty one does, and the libraries beside them."""
    (directory / "main.cf").touch()
    return dict(os.environ, LD_LIBRARY_PATH=str(TOOLS / "usr/lib/postfix"), MAIL_CONFIG=str(directory))


def smtp_source(port: int, directory: Path, messages: int, sessions: int, sender: str, message: bytes, many: bool = True):
    """Starts smtp-source, which hands in `messages` copies of `message`, `many` on one connection."""
    file = directory / "smtp-source.eml"
    file.write_bytes(message.replace(b"\r\n", b"\n"))
    command = [TOOLS / "usr/sbin/smtp-source", "-s", str(sessions), "-m", str(messages), "-F", file,
               "-M", "client.example", "-f", sender, "-t", "recipient@sink.example"]
    return subprocess.Popen(command + (["-d"] if many else []) + [f"127.0.0.1:{port}"],
                            env=postfix_environment(directory), stdin=subprocess.DEVNULL)
