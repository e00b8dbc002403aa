# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A relay of the test's own: its configuration, its keys, its process."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .machine import end, free_port, wait_for


def toml(value) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def toml_document(settings: dict) -> str:
    """`settings` as a configuration file: dictionaries become tables, lists of them arrays of tables."""
    lines = [f"{key} = {toml(value)}" for key, value in settings.items() if not is_table(value)]
    for name, value in settings.items():
        if is_table(value):
            head = f"[{name}]" if isinstance(value, dict) else f"[[{name}]]"
            for table in [value] if isinstance(value, dict) else value:
                lines += ["", head] + [f"{key} = {toml(item)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"


def is_table(value) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


class Relay:
    """Scratch directory, configuration and process of one relay. Ends with its `with` block."""

    def __init__(self, binary: Path, parent: Path | None = None):
        self.binary = binary
        # Short, for the path of a Unix socket may have 107 octets.
        self.directory = Path(tempfile.mkdtemp(prefix="ww.", dir=parent))
        self.directory.chmod(0o755)
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.log_file = self.directory / "log"
        # Of the daemon and of commands, beside that of the tests.
        self.environment: dict[str, str] = {}
        self.settings = {
            "hostname": "relay.waxwing.example",
            "keys": {"directory": "Keys"},
            "spool": {"directory": "spool", "minimum-free": "0 %"},
            "control": {"socket": "control.sock"},
            "retry": {"first": "1 s", "maximum": "2 s"},
            "listener": [{"address": "127.0.0.1", "port": self.port}],
            "route": [{"name": "nowhere", "to": ["*"], "smarthost": f"127.0.0.1:{free_port()}", "tls": "off"}],
        }

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            end(self.process)
        if kind is None:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            print(f"--- {self.directory} is kept; its log ends so:\n{self.log()[-6000:]}")

    # Configuration

    @property
    def config(self) -> Path:
        return self.directory / "waxwing.toml"

    def configure(self, **tables) -> None:
        """Replaces top-level settings (`_` stands for `-`) and writes the file."""
        for name, value in tables.items():
            self.settings[name.replace("_", "-")] = value
        self.config.write_text(toml_document(self.settings))

    def send_to(self, port: int, **route) -> None:
        """Makes one smarthost on a loopback port the only route."""
        self.configure(route=[{"name": "next", "to": ["*"], "smarthost": f"127.0.0.1:{port}", "tls": "off", **route}])

    # Commands

    def command(self, *arguments, input: bytes | None = None, expect: int | None = 0, config: bool = True) -> str:
        """Runs `waxwing ARGUMENT…`; gives back what it printed, and checks its exit status."""
        if not self.config.exists():
            self.configure()
        words = [str(self.binary), *map(str, arguments)] + (["--config", str(self.config)] if config else [])
        done = subprocess.run(words, input=input, capture_output=True, timeout=120, cwd=self.directory,
                              env=dict(os.environ, **self.environment))
        text = done.stdout.decode(errors="replace")
        problems = done.stderr.decode(errors="replace")
        if expect is not None:
            assert done.returncode == expect, f"{words} ended with {done.returncode}:\n{text}{problems}"
        return text + problems

    def make_key(self, domain: str, selector: str, algorithm: str = "rsa-2048", activate: bool = True) -> None:
        self.command("keys", "generate", domain, "--selector", selector, "--algorithm", algorithm)
        if activate:
            self.command("keys", "activate", domain, "--selector", selector, "--force")

    def key_records(self) -> dict[str, str]:
        """Name to key record, for every key of the store."""
        lines = [file.read_text() for file in (self.directory / "Keys").glob("*/*/record.txt")]
        return dict(line.strip().split(" ", 1) for line in lines)

    # Process

    def start(self, wrapper: tuple = (), environment: dict | None = None) -> "Relay":
        """Starts the daemon and waits until it says that it runs. A `wrapper` must become the daemon by exec."""
        self.configure()
        before = len(self.log())
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*map(str, wrapper), str(self.binary), "run", "--config", str(self.config)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory,
                env=dict(os.environ, SWIFT_BACKTRACE="enable=no", **self.environment, **(environment or {})))
        wait_for(lambda: "waxwing is running" in self.log()[before:] or self.process.poll() is not None,
                 "the relay to say that it runs")
        assert self.process.poll() is None, f"the relay ended with {self.process.returncode}:\n{self.log()}"
        return self

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        return end(self.process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # Asking it

    def control(self, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, dict]:
        """One request over the control socket: status and JSON body."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.directory / "control.sock"))
            connection.sendall(
                f"{method} {path} HTTP/1.1\r\nHost: waxwing\r\nConnection: close\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        head, _, content = answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            content = b"".join(re.findall(rb"[0-9a-fA-F]+\r\n(.*?)\r\n", content, re.S))
        return int(head.split()[1]), json.loads(content or b"{}")

    def queue(self) -> list[dict]:
        """The queue as `queue list --json` shows it."""
        return json.loads(self.command("queue", "list", "--json"))["messages"]

    def wait_until_empty(self, patience: float = 60) -> None:
        wait_for(lambda: not self.queue(), "an empty queue", patience, pause=0.2)
