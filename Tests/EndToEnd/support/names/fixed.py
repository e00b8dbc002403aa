# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""One server with all the zones that a test asks for, the root among them: no resolver, no secondaries."""

import signal

from ..machine import new_network, wait_for
from . import questions
from .nsd import NSD
from .server import Zone


class NameServer(NSD):
    """Serves the root zone (whatever it does not name does not exist) and the zones that the test gives."""

    def __init__(self, zones: dict[str, str], failing: tuple[str, ...] = ()):
        super().__init__(self)
        delegations = "".join(f"{zone}. NS {self.name}.\n" for zone in [*zones, *failing])
        self.serve(".", f"{self.name}. A {self.address}\n{delegations}")
        for name, records in zones.items():
            self.serve(name, records)
        # Without a file NSD answers SERVFAIL.
        self.zones += [Zone(name) for name in failing]

    def new_place(self) -> tuple[str, str]:
        return f"{new_network()}.1", "ns.example"

    @property
    def server(self) -> str:
        """As [dns] servers names it."""
        return f"{self.address}@53"

    def replace(self, name: str, records: str) -> None:
        """Puts other records into a zone and waits until NSD serves them."""
        zone = next(zone for zone in self.zones if zone.name == name)
        zone.records = records
        serial = questions.serial(self.address, name) + 1
        self.write(zone, serial=serial)
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: questions.serial(self.address, name) == serial, f"NSD to serve serial {serial} of {name}")
