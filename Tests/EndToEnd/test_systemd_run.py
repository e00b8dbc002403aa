# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The command of the README that starts Waxwing under systemd, with a real systemd where there is one."""

import os
import re
import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from support.machine import TOP, end, is_listening, wait_for
from support.next_hops import NextHop
from support.smtp import message, submit


def readme_command() -> list[str]:
    """The words of the `systemd-run` example."""
    text = (TOP / "README.md").read_text()
    found = re.search(r"^ {4}(systemd-run (?:.*\\\n)*.*)$", text, re.M)
    assert found, "the README has no systemd-run example"
    return shlex.split(found.group(1).replace("\\\n", " "))


def adapted(relay) -> tuple[list[str], str]:
    """The same words with this test's unit, directory and program in place of the README's; and the unit."""
    unit = f"waxwing-test-{relay.port}"
    words = [word.replace("/usr/local/bin/waxwing", str(relay.binary)).replace("/srv/waxwing/waxwing.toml", str(relay.config))
             .replace("/srv/waxwing", str(relay.directory)).replace("--unit=waxwing", f"--unit={unit}") for word in readme_command()]
    return words, unit


def test_what_the_example_starts_tells_systemd_that_it_is_ready(relay):
    """Wherever the tests run: this test stands in for systemd."""
    relay.configure()
    words, _ = adapted(relay)
    options, program = words[1:words.index(str(relay.binary))], words[words.index(str(relay.binary)):]
    assert "--property=Type=notify" in options
    directory = next(word.partition("WorkingDirectory=")[2] for word in options if "WorkingDirectory=" in word)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(60)
        manager.bind(str(relay.directory / "notify"))
        process = subprocess.Popen(program, cwd=directory, env=dict(os.environ, NOTIFY_SOCKET=str(relay.directory / "notify")))
        try:
            while "READY=1" not in manager.recv(4096).decode().split("\n"):
                pass
            assert is_listening(relay.port)
        finally:
            assert end(process) == 0


@pytest.mark.root
@pytest.mark.skipif(not Path("/run/systemd/system").is_dir(), reason="systemd does not run here, as in most containers")
def test_systemd_starts_it_as_the_readme_says_and_knows_when_it_is_ready(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        words, unit = adapted(relay)
        # Without --no-block systemd-run returns once a unit of Type=notify is ready.
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)
        try:
            assert is_listening(relay.port)
            submit(relay.port, message())
            hop.wait_for_arrivals(1)
        finally:
            subprocess.run(["systemctl", "stop", unit], check=True, timeout=120)
        wait_for(lambda: not is_listening(relay.port), "the unit to stop")
