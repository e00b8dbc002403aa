# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Other ways in: Unix sockets, sockets that a service manager opened, and proxies."""

import os
import socket
import ssl
import stat
import subprocess
import sys

import pytest

from support.machine import free_port, is_listening
from support.next_hops import NextHop
from support.smtp import Conversation, message

# Becomes the daemon with the listening sockets of the command line: NAME:PORT or NAME:PATH.
MANAGER = r"""
import os, socket, sys
separator = sys.argv.index("--")
places, command = sys.argv[1:separator], sys.argv[separator + 1:]
names = []
for place in places:
    name, _, where = place.partition(":")
    if where.isdigit():
        opened = socket.create_server(("127.0.0.1", int(where)))
    else:
        opened = socket.socket(socket.AF_UNIX)
        opened.bind(where)
        opened.listen(16)
    descriptor = opened.detach()
    if descriptor != 3 + len(names):
        os.dup2(descriptor, 3 + len(names))
    os.set_inheritable(3 + len(names), True)
    names.append(name)
os.environ.update(LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names), LISTEN_PID=str(os.getpid()))
os.execv(command[0], command)
"""


class Local(Conversation):
    """A conversation over a Unix socket."""

    def __init__(self, path, greeted: bool = True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.buffer = b""
        if greeted:
            assert self.reply().startswith("220 ")
            assert self.say("EHLO app.example").startswith("250")


def hand_in(client: Conversation, content: bytes) -> None:
    client.begin_data()
    client.write(content + b".\r\n")
    assert client.reply().startswith("250 2.0.0 queued as")


def test_mail_comes_in_over_a_unix_socket(relay):
    path = relay.directory / "run" / "submission.sock"
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.configure(listener=[{"socket": "run/submission.sock", "mode": "0620"}])
        relay.start()
        mode = path.lstat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o620
        with Local(path) as client:
            # Lines of sendmail and its like end with LF: repaired here.
            hand_in(client, message(body="one\ntwo\r\n"))
        content = hop.wait_for_arrivals(1)[0].content
    assert b"one\r\ntwo\r\n" in content
    assert f"(uid {os.getuid()} on this machine)".encode() in content.split(b"\r\n\tby ")[0]
    assert str(path) in relay.command("status")
    assert relay.stop() == 0
    assert not path.exists()


def test_a_socket_left_behind_is_replaced_and_a_live_one_is_not(relay, binary):
    path = relay.directory / "submission.sock"
    relay.configure(listener=[{"socket": "submission.sock"}])
    relay.start()
    relay.kill()
    assert path.exists()
    relay.start()
    with Local(path) as client:
        assert client.say("NOOP").startswith("250")
    # Another relay wants the same place.
    relay.configure(spool={"directory": "spool2", "minimum-free": "0 %"}, control={"socket": "control2.sock"})
    text = relay.command("run", expect=None)
    assert "another program does" in text and str(path) in text, text
    with Local(path) as client:
        assert client.say("NOOP").startswith("250")


def test_what_is_no_socket_is_left_alone(relay):
    path = relay.directory / "submission.sock"
    path.write_text("precious")
    relay.configure(listener=[{"socket": "submission.sock"}])
    assert "is not a socket" in relay.command("run", expect=None)
    assert path.read_text() == "precious"


@pytest.mark.root
def test_the_kernel_says_who_it_is(relay):
    relay.configure(listener=[{"socket": "submission.sock", "mode": "0660", "group": "daemon"}])
    relay.start()
    path = relay.directory / "submission.sock"
    client = f"""
import socket
import ssl
client = socket.socket(socket.AF_UNIX)
client.connect({str(path)!r})
print(client.recv(100).decode())
"""

    def connect(*words: str) -> str:
        done = subprocess.run([*words, "/usr/bin/python3", "-c", client], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    assert "220 " in connect("setpriv", "--reuid=1", "--regid=1", "--clear-groups")
    assert "PermissionError" in connect("setpriv", "--reuid=2", "--regid=2", "--clear-groups")
    # As which every user of another name space is seen who has no number here.
    assert "554 5.7.1" in connect("setpriv", "--reuid=65534", "--regid=1", "--clear-groups")


def test_sockets_of_a_service_manager(relay):
    port, path = free_port(), relay.directory / "passed.sock"
    relay.configure(listener=[{"passed-in": "submission"}, {"passed-in": "local", "bare-lf": "normalise"}])
    assert "no socket" in relay.command("run", expect=None)
    relay.start(wrapper=(sys.executable, "-c", MANAGER, f"submission:{port}", f"local:{path}", "--"))
    with Conversation(port) as client:
        hand_in(client, message())
    with Local(path) as client:
        hand_in(client, message(body="one\n\r\n"))
    assert len(relay.queue()) == 2
    # They are the manager's: the name stays.
    assert relay.stop() == 0
    assert path.exists()
    assert not is_listening(port)


def header(address: str) -> bytes:
    return f"PROXY TCP4 {address} 127.0.0.1 40000 587\r\n".encode()


def binary_header(address: str, command: int = 0x21) -> bytes:
    rest = socket.inet_aton(address) + socket.inet_aton("127.0.0.1") + b"\x9c\x40\x02\x4b" + b"\x04\x00\x01\x00"
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, 0x11, 0, len(rest)]) + rest


@pytest.mark.parametrize("make", [header, binary_header])
def test_a_proxy_says_whom_it_speaks_for(relay, make):
    relay.configure(listener=[{"port": relay.port, "proxy-protocol-from": ["127.0.0.0/8"]}])
    relay.start()
    with Conversation(relay.port, greeted=False) as client:
        client.write(make("127.0.0.9"))
        assert client.reply().startswith("220 ")
        assert client.say("EHLO app.example").startswith("250")
        hand_in(client, message())
    with Conversation(relay.port, greeted=False) as client:
        for octet in make("192.0.2.7"):
            client.write(bytes([octet]))
        assert client.reply().startswith("220 ")
        assert client.say("EHLO app.example").startswith("250")
        # Not a program on this machine.
        assert client.say("MAIL FROM:<app@sender.example>").startswith("530 5.7.0")
    with Conversation(relay.port, greeted=False) as client:
        client.write(b"EHLO app.example\r\n")
        assert client.reply() == ""


def test_only_listed_proxies_may_connect(relay):
    relay.configure(listener=[{"port": relay.port, "proxy-protocol-from": ["192.0.2.4"]}])
    relay.start()
    with Conversation(relay.port, greeted=False) as client:
        assert client.reply() == ""


def test_tls_comes_behind_the_header(relay):
    relay.configure(
        listener=[{"port": relay.port, "proxy-protocol-from": ["127.0.0.1"], "tls": "implicit"}])
    relay.start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", relay.port), timeout=60) as plain:
        plain.sendall(header("192.0.2.7"))
        with context.wrap_socket(plain) as client:
            assert client.recv(100).startswith(b"220 ")


@pytest.mark.parametrize(("listener", "words"), [
    ({"socket": "x" * 120}, "107 octets"),
    ({"socket": "s", "mode": "rw"}, "is not a mode"),
    ({"socket": "s", "owner": "nobody-of-this-name"}, "no user"),
    ({"socket": "s", "group": "nobody-of-this-name"}, "no group"),
    ({"socket": "s", "passed-in": "p"}, "own already"),
    ({"socket": "control.sock"}, "control socket"),
    ({"owner": "root"}, "those of a Unix socket"),
    ({"socket": "s", "proxy-protocol-from": ["192.0.2.4"]}, "from an address"),
    ({"proxy-protocol-from": ["192.0.2.4/24"]}, "is not an address"),
    ({"client-ca": "x.pem"}, "does not do"),
    ({"passed-in": "p", "tls": "starttls"}, "needs a certificate"),
])
def test_settings_that_do_not_fit_together(bare_relay, listener, words):
    bare_relay.configure(listener=[listener])
    text = bare_relay.command("config", "check", expect=78)
    assert words in text and "waxwing.toml:" in text, text
