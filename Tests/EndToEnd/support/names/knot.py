# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Knot DNS: primary with updates, and secondary."""

from pathlib import Path

from ..machine import TOOLS, wait_for
from .questions import OPERATOR, TRANSFER, WRONG
from .server import Server, Zone

CONFIG = """
server:
  rundir: "{directory}"
  listen: {address}@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{directory}/db"
  journal-db-max-size: 16M
log:
  - target: stderr
    any: info
"""


class Knot(Server):
    def arguments(self) -> list[str | Path]:
        keys = {key for zone in self.zones for key in zone.updaters if key != WRONG} | {OPERATOR, TRANSFER}
        primaries = {zone.primary for zone in self.zones if zone.primary is not None}
        (self.directory / "db").mkdir(exist_ok=True)
        config = self.directory / "knot.conf"
        config.write_text(
            CONFIG.format(directory=self.directory, address=self.address)
            + section("key", [{"id": key.name, "algorithm": key.algorithm, "secret": key.secret} for key in sorted(keys, key=str)])
            + section("remote", [{"id": peer.name, "address": f"{peer.address}@53", "via": self.address, "key": TRANSFER.name}
                                 for peer in [*self.followers, *sorted(primaries, key=lambda peer: peer.name)]])
            + section("acl", self.rules())
            + section("zone", [self.zone_settings(zone) for zone in self.zones]))
        return [TOOLS / "usr/sbin/knotd", "-c", config]

    def rules(self) -> list[dict[str, str]]:
        updaters = sorted({key.name for zone in self.zones for key in zone.updaters if key != WRONG})
        rules = [{"id": "changes", "key": OPERATOR.name, "action": "update"},
                 {"id": "transfers", "key": TRANSFER.name, "action": "[transfer, notify]"}]
        if updaters:
            rules.append({"id": "updates", "key": f"[{', '.join(updaters)}]", "action": "update", "update-type": "[TXT]"})
        if self.held:
            rules.append({"id": "held", "address": f"[{', '.join(sorted(self.held))}]", "key": TRANSFER.name,
                          "action": "transfer", "deny": "on"})
        return rules

    def zone_settings(self, zone: Zone) -> dict[str, str]:
        settings = {"domain": f'"{zone.name}"', "storage": f'"{self.directory}"', "file": f'"{zone.file}"',
                    "zonefile-sync": "-1", "zonefile-load": "difference" if zone.primary is None else "none",
                    "journal-content": "all", "retry-min-interval": "1"}
        if zone.primary is not None:
            return settings | {"master": zone.primary.name, "acl": "[transfers]"}
        settings["acl"] = f"[{'held, ' if self.held else ''}{'updates, ' if zone.updaters else ''}changes, transfers]"
        if self.followers:
            settings["notify"] = f"[{', '.join(follower.name for follower in self.followers)}]"
        return settings

    def reconfigure(self) -> None:
        self.loads = self.log().count("configuration reloaded")
        super().reconfigure()

    def wait_until_reconfigured(self) -> None:
        wait_for(lambda: self.log().count("configuration reloaded") > self.loads, "Knot to read its configuration")


def section(name: str, entries: list[dict[str, str]]) -> str:
    lines = [f"{name}:\n"] if entries else []
    for entry in entries:
        lines += [f"  {'- ' if number == 0 else '  '}{key}: {value}\n" for number, (key, value) in enumerate(entry.items())]
    return "".join(lines)
