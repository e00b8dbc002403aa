# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""No open door: who is not on this machine may not submit."""

import os
import subprocess

import pytest

from support.machine import wait_for
from support.smtp import message

CLIENT = r"""
import socket, sys
port, source, content = int(sys.argv[1]), sys.argv[2], sys.stdin.buffer.read()
with socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0)) as client:
    lines = client.makefile("rb")
    def reply():
        while True:
            line = lines.readline()
            if line[3:4] != b"-":
                return line.decode().strip()
    print(reply())
    for command in ("EHLO app.example", "MAIL FROM:<app@sender.example>", "RCPT TO:<a@sink.example>", "DATA"):
        client.sendall(command.encode() + b"\r\n")
        print(command.split(":")[0], reply())
"""


@pytest.fixture
def namespace():
    """A network name space with a loopback that has one address more."""
    name = f"waxwing-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "-n", name, "address", "add", "192.0.2.7/32", "dev", "lo"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.mark.root
def test_a_peer_that_is_not_loopback_gets_530(relay, namespace):
    inside = ("ip", "netns", "exec", namespace)
    relay.start(wrapper=inside)

    def conversation(source: str) -> list[str]:
        done = subprocess.run([*inside, "/usr/bin/python3", "-c", CLIENT, str(relay.port), source],
                              input=message(), capture_output=True, timeout=60)
        return done.stdout.decode().splitlines()

    stranger = conversation("192.0.2.7")
    mail = next(line for line in stranger if line.startswith("MAIL"))
    assert mail.startswith("MAIL FROM 530 5.7.0"), stranger
    assert not any(line.startswith("DATA 354") for line in stranger), stranger
    friend = conversation("127.0.0.1")
    assert any(line.startswith("DATA 354") for line in friend), friend


def listening(inside: tuple) -> str:
    return subprocess.run([*inside, "cat", "/proc/net/tcp"], capture_output=True, text=True).stdout


def test_a_listener_that_others_could_reach_is_refused(bare_relay):
    bare_relay.configure(listener=[{"address": "0.0.0.0", "port": bare_relay.port}])
    assert "other machines" in bare_relay.command("config", "check", expect=78)


@pytest.mark.root
def test_without_any_configuration_the_defaults_work(binary, namespace, tmp_path):
    inside = ("ip", "netns", "exec", namespace)
    daemon = subprocess.Popen([*inside, binary, "run"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: f"0100007F:{587:04X} " in listening(inside) or daemon.poll() is not None, "port 587 of loopback")
        done = subprocess.run([binary, "status"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / ".waxwing/spool").is_dir()
    finally:
        daemon.terminate()
        errors = daemon.communicate(timeout=60)[1]
    assert daemon.returncode == 0, errors.decode()
