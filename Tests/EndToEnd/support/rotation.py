# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What a test of rotation stands on: a domain on name servers of its own, a relay, and a next hop that watches the DNS."""

import smtplib
import threading
import time
from contextlib import ExitStack

from .clock import Clock
from .keyring import Keyring
from .machine import wait_for
from .names import UPDATER, Internet, Key
from .relay import Relay
from .smtp import message, submit, submit_on
from .verifiers import tags_of_signatures
from .witness import Witness, WitnessedHop

DOMAIN = "sender.example"
# Everything that can be quick is.
QUICK = {"wait": "0 s", "check-interval": "1 s", "record-ttl": "1 s"}


class Bench:
    """Ends with its `with` block; the relay is ended by its fixture."""

    def __init__(self, relay: Relay, clock: Clock | None = None):
        self.relay = relay
        self.clock = clock
        self.keys = Keyring(relay, DOMAIN)
        self.servers: list = []
        if clock is not None:
            relay.environment = clock.environment

    def __enter__(self) -> "Bench":
        with ExitStack() as stack:
            self.internet = stack.enter_context(Internet())
            self.witness = Witness({}, self.internet, self.clock)
            self.hop = WitnessedHop(self.witness)
            self.is_hop_open = False
            stack.callback(self.close_hop)
            self.open_hop()
            self.relay.send_to(self.hop.port, ed25519=True)
            self.relay.configure(dns={"servers": [self.internet.resolver]}, rotation=dict(QUICK))
            # Whatever failed so far ends what was started before it; from here on the block's end does.
            self.stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, trace) -> None:
        # The relay goes first: what its servers' end looks like to it is no part of the test.
        try:
            if self.relay.process is not None:
                self.relay.kill()
        finally:
            self.stack.__exit__(kind, error, trace)

    # Names

    def host(self, *kinds, zone: str = DOMAIN, clock: Clock | None = None, **settings) -> list:
        """Starts a primary and secondaries of these kinds for a zone; the servers, the primary first."""
        servers = [kind(self.internet, clock) for kind in kinds]
        self.stack.enter_context(self.internet.host(zone, *servers, **settings))
        self.witness.zones[zone] = servers
        if zone == DOMAIN:
            self.servers = servers
        return servers

    @property
    def primary(self):
        return self.servers[0]

    def publishes(self, server=None, key: Key = UPDATER, kind: str = "rfc2136", **settings) -> None:
        """Makes the relay publish by updates at a server, or by what else `settings` say."""
        publisher = {"name": "primary", "type": kind, **settings}
        if "command" not in settings:
            secret = self.relay.directory / "tsig.key"
            secret.write_text(f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n')
            secret.chmod(0o600)
            publisher |= {"server": f"{(server or self.primary).address}@53", "tsig-secret-file": str(secret)}
        self.relay.configure(publisher=[publisher])
        self.rotation(publisher="primary")

    def rotation(self, **settings) -> None:
        """Changes [rotation]; `_` stands for `-`."""
        self.relay.configure(rotation=self.relay.settings["rotation"]
                             | {name.replace("_", "-"): value for name, value in settings.items()})

    # Mail

    def send(self, subject: str = "A test") -> str:
        return submit(self.relay.port, message(subject=subject))

    def deliver(self, subject: str = "A test") -> set[str]:
        """Sends a message; the selectors with which it arrives."""
        before = len(self.hop.arrivals)
        self.send(subject)
        arrival = self.hop.wait_for_arrivals(before + 1)[before]
        return {tags["s"] for tags in tags_of_signatures(arrival.content)}

    def wait_for_signers(self, *selectors: str) -> None:
        """Sends messages until one is signed with these keys: changes of keys take effect within a second."""
        def is_signed() -> bool:
            try:
                return self.deliver() == set(selectors)
            except smtplib.SMTPResponseException as error:
                assert error.smtp_code == 451, error
                return False
        wait_for(is_signed, f"mail signed with {selectors}", patience=10, pause=0.2)

    def close_hop(self) -> None:
        """From now on nobody listens at the next hop."""
        if self.is_hop_open:
            self.hop.__exit__(None, None, None)
        self.is_hop_open = False

    def open_hop(self) -> None:
        self.hop.__enter__()
        self.is_hop_open = True


class Sender(threading.Thread):
    """Hands in one small message after the other, whatever happens to the relay, and remembers what was answered 250."""

    def __init__(self, port: int, pause: float = 0.05):
        super().__init__(daemon=True)
        self.port, self.pause = port, pause
        self.stopping = threading.Event()
        self.accepted: list[str] = []
        self.unexpected: list[str] = []

    def __enter__(self) -> "Sender":
        self.start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.stopping.set()
        self.join(60)

    def run(self) -> None:
        count = 0
        while not self.stopping.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
                    client.ehlo("app.example")
                    while not self.stopping.wait(self.pause):
                        count += 1
                        submit_on(client, message(subject=f"message {count}", body=f"Number {count}.\r\n"), f"app@{DOMAIN}")
                        self.accepted.append(f"message {count}")
            except smtplib.SMTPResponseException as error:
                if not 400 <= error.smtp_code < 500:
                    self.unexpected.append(str(error))
                time.sleep(0.05)
            except (smtplib.SMTPException, OSError):
                time.sleep(0.02)
