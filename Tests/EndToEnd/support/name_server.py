# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""An authoritative name server (NSD) on a loopback address of its own, port 53: that port wants root."""

import os
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from .machine import TOOLS, end, new_network, wait_for

HEAD = "$TTL 1\n@ SOA ns.example. hostmaster.example. {serial} 1 1 1 1\n@ NS ns.example.\n"


class NameServer:
    """Serves the root zone (whatever it does not name does not exist) and the zones that the test gives."""

    def __init__(self, zones: dict[str, str], failing: tuple[str, ...] = ()):
        self.zones = dict(zones)
        # Zones that NSD cannot load: it answers SERVFAIL there.
        self.failing = failing
        self.serial = 1
        self.directory = Path(tempfile.mkdtemp(prefix="nsd."))
        self.directory.chmod(0o777)
        self.address = f"{new_network()}.1"

    @property
    def server(self) -> str:
        """As [dns] servers names it."""
        return f"{self.address}@53"

    def __enter__(self) -> "NameServer":
        self.write_zones()
        names = [".", *self.zones, *self.failing]
        config = self.directory / "nsd.conf"
        config.write_text(
            f'server:\n  ip-address: {self.address}@53\n  username: nobody\n  zonesdir: "{self.directory}"\n'
            f'  database: ""\n  pidfile: ""\n  xfrdfile: "{self.directory}/xfrd.state"\n  xfrdir: "{self.directory}"\n'
            f'  zonelistfile: "{self.directory}/zone.list"\n  logfile: "{self.directory}/log"\n  server-count: 1\n'
            "  do-ip6: no\nremote-control:\n  control-enable: no\n"
            + "".join(f'zone:\n  name: "{name}"\n  zonefile: "{file_name(name)}"\n' for name in names))
        self.process = subprocess.Popen([TOOLS / "usr/sbin/nsd", "-d", "-c", config], stdin=subprocess.DEVNULL)
        wait_for(lambda: "nsd started" in self.log() or self.process.poll() is not None, "NSD")
        assert self.process.poll() is None, self.log()
        return self

    def __exit__(self, kind, error, trace) -> None:
        end(self.process)
        if kind is not None:
            print(f"--- the name server's log:\n{self.log()[-2000:]}")
        subprocess.run(["rm", "-rf", str(self.directory)], check=True)

    def log(self) -> str:
        file = self.directory / "log"
        return file.read_text() if file.exists() else ""

    def write_zones(self) -> None:
        head = HEAD.format(serial=self.serial)
        delegations = "".join(f"{zone}. NS ns.example.\n" for zone in [*self.zones, *self.failing])
        (self.directory / "root.zone").write_text(f"{head}ns.example. A {self.address}\n{delegations}")
        for name, records in self.zones.items():
            (self.directory / file_name(name)).write_text(head + records)

    def change(self, zone: str, records: str) -> None:
        """Puts other records into a zone and waits until NSD serves them."""
        self.serial += 1
        self.zones[zone] = records
        self.write_zones()
        loads = self.log().count("reloading")
        self.process.send_signal(1)
        wait_for(lambda: self.log().count("reloading") > loads, "NSD to load its zones again")
        wait_for(lambda: soa_serial(self.address, zone) == self.serial, "NSD to serve the new zone")


def file_name(zone: str) -> str:
    return "root.zone" if zone == "." else f"{zone}.zone"


def soa_serial(address: str, zone: str) -> int:
    """Asks for the zone's SOA record; only the serial number of the answer is read."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in zone.split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(struct.pack(">6H", os.getpid() & 0xFFFF, 0, 1, 0, 0, 0) + name + struct.pack(">2H", 6, 1),
                      (address, 53))
        answer = client.recv(1500)
    # The five last numbers of the SOA record; nothing follows it but the name server's address records.
    found = answer.find(struct.pack(">4I", 1, 1, 1, 1))
    return struct.unpack(">I", answer[found - 4:found])[0] if found > 0 else -1
