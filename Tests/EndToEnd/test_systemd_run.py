# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The command of the README that starts Waxwing under systemd; the test stands in for systemd."""

import os
import re
import shlex
import socket
import subprocess

from support.machine import TOP, end, is_listening


def readme_command() -> list[str]:
    """The words of the `systemd-run` example."""
    text = (TOP / "README.md").read_text()
    found = re.search(r"^ {4}(systemd-run (?:.*\\\n)*.*)$", text, re.M)
    assert found, "the README has no systemd-run example"
    return shlex.split(found.group(1).replace("\\\n", " "))


def adapted(relay) -> list[str]:
    """The same words with this test's directory and program in place of the README's."""
    return [word.replace("/usr/local/bin/waxwing", str(relay.binary)).replace("/srv/waxwing/waxwing.toml", str(relay.config))
             .replace("/srv/waxwing", str(relay.directory)) for word in readme_command()]


def test_what_the_example_starts_tells_systemd_that_it_is_ready(relay):
    relay.configure()
    words = adapted(relay)
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
