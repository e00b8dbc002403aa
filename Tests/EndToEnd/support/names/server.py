# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""One name server's process: what it serves is said before it starts, and it can be made late, silent or dead."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ContextManager

import dns.exception
import dns.message

from ..clock import Clock
from ..machine import wait_for
from . import questions
from .questions import OPERATOR, UPDATER, Key

if TYPE_CHECKING:
    from .internet import Internet

# Answers "does not exist" live for a second; secondaries wait to be told of a change, and give up after nine years.
HEAD = "$TTL 1\n@ SOA {server}. hostmaster.example. {serial} 3600 1 300000000 1\n"


@dataclass
class Zone:
    """A zone of a server: with a primary it is fetched from there."""

    name: str
    records: str = ""
    primary: "Server | None" = None
    # Who may change text records in it.
    updaters: tuple[Key, ...] = (UPDATER,)
    is_signed: bool = False

    @property
    def file(self) -> str:
        return "root.zone" if self.name == "." else f"{self.name}.zone"


class Server:
    """A daemon on port 53 of its own loopback address. Ends with its `with` block."""

    def __init__(self, internet: "Internet", clock: Clock | None = None):
        self.address, self.name = internet.new_place()
        self.clock = clock
        self.zones: list[Zone] = []
        # Secondaries, who are told of changes and may fetch zones.
        self.followers: list[Server] = []
        # Those of them that are refused for now.
        self.held: set[str] = set()
        self.process: subprocess.Popen | None = None
        self.directory = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}."))
        self.directory.chmod(0o777)

    # What it serves

    def serve(self, name: str, records: str = "", servers: "list[Server] | None" = None, **settings) -> Zone:
        """Makes this server a zone's primary; the zone names `servers`, or this one alone."""
        zone = Zone(name, records, **settings)
        self.zones.append(zone)
        self.write(zone, servers)
        return zone

    def write(self, zone: Zone, servers: "list[Server] | None" = None, serial: int = 1) -> None:
        head = HEAD.format(server=self.name, serial=serial) + "".join(f"@ NS {server.name}.\n" for server in servers or [self])
        (self.directory / zone.file).write_text(head + zone.records)

    def follow(self, primary: "Server") -> None:
        """Makes this server a secondary of every zone that the primary serves."""
        primary.followers.append(self)
        self.zones += [Zone(zone.name, primary=primary) for zone in primary.zones]

    # Process

    def arguments(self) -> list[str | Path]:
        """Writes the configuration; the command that runs in the foreground with it."""
        raise NotImplementedError

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.stop()
        if kind is not None:
            print(f"--- the log of {type(self).__name__} at {self.address}:\n{self.log()[-3000:]}")
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self) -> None:
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, start_new_session=True,
                env=dict(os.environ, **(self.clock.environment if self.clock else {})))
        wait_for(lambda: self.answers() or self.process.poll() is not None, f"{type(self).__name__} to answer", patience=20)
        assert self.process.poll() is None, self.log()

    def answers(self) -> bool:
        try:
            questions.ask(self.address, self.zones[0].name if self.zones else ".", "SOA", patience=0.2)
        except (dns.exception.DNSException, OSError):
            return False
        return True

    def stop(self) -> None:
        """From now on nobody listens there: the server and its children are killed."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def pause(self) -> None:
        """From now on questions get no answer."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def log(self) -> str:
        file = self.directory / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    # Secondaries that lag behind

    def hold(self, follower: "Server") -> None:
        """The follower goes on serving the zones that it has, and gets no newer ones."""
        self.held.add(follower.address)
        self.reconfigure()

    def release(self, follower: "Server") -> None:
        """Lets the follower fetch again, and tells it."""
        self.held.discard(follower.address)
        self.reconfigure()
        for zone in self.zones:
            self.wait_for_follower(follower, zone.name)

    def reconfigure(self) -> None:
        self.arguments()
        self.process.send_signal(signal.SIGHUP)
        self.wait_until_reconfigured()

    def wait_until_reconfigured(self) -> None:
        """Returns when the signal has taken effect."""
        raise NotImplementedError

    def wait_for_follower(self, follower: "Server", zone: str) -> None:
        """Returns when the follower serves what this server serves now."""
        wanted = questions.serial(self.address, zone)
        attempts = iter(range(10_000))

        def is_there() -> bool:
            if questions.serial(follower.address, zone) == wanted:
                return True
            # Again from time to time: one that comes while the follower still fetches is forgotten.
            if next(attempts) % 25 == 0:
                with self.time():
                    questions.notify(follower.address, zone, source=self.address)
            return False
        wait_for(is_there, f"{follower.name} to serve serial {wanted} of {zone}, log:\n{follower.log()[-2000:]}", patience=30)

    # Questions and changes

    def texts(self, name: str, **options) -> list[str]:
        return questions.texts(self.address, name, **options)

    def change(self, zone: str, put: dict[str, str] | None = None, remove: tuple[str, ...] = (), key: Key = OPERATOR) -> str:
        """An update of the zone, as a person with the keys to it does it; see `questions.change`."""
        with self.time():
            return questions.change(self.address, zone, key, put, remove)

    def time(self) -> ContextManager[None]:
        """What we sign meanwhile is signed at the server's time."""
        return self.clock.inside(dns.message) if self.clock else nullcontext()
