# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""NSD: a secondary, or a primary that takes no updates."""

from pathlib import Path

from ..machine import TOOLS
from .questions import TRANSFER
from .server import Server, Zone


class NSD(Server):
    def arguments(self) -> list[str | Path]:
        config = self.directory / "nsd.conf"
        config.write_text(
            f'server:\n  ip-address: {self.address}@53\n  username: nobody\n  zonesdir: "{self.directory}"\n'
            f'  database: ""\n  pidfile: ""\n  xfrdfile: ""\n  xfrdir: "{self.directory}"\n'
            f'  zonelistfile: "{self.directory}/zone.list"\n  server-count: 1\n  do-ip6: no\n  verbosity: 2\n'
            "  xfrd-reload-timeout: 0\nremote-control:\n  control-enable: no\n"
            f'key:\n  name: "{TRANSFER.name}"\n  algorithm: {TRANSFER.algorithm}\n  secret: "{TRANSFER.secret}"\n'
            + "".join(self.zone_section(zone) for zone in self.zones))
        return [TOOLS / "usr/sbin/nsd", "-d", "-c", config]

    def zone_section(self, zone: Zone) -> str:
        head = f'zone:\n  name: "{zone.name}"\n  zonefile: "{zone.file}"\n'
        if zone.primary is None:
            return head
        source = zone.primary.address
        return (f"{head}  max-retry-time: 1\n  min-retry-time: 1\n"
                f"  request-xfr: {source}@53 {TRANSFER.name}\n  allow-notify: {source} {TRANSFER.name}\n"
                f"  outgoing-interface: {self.address}\n")
