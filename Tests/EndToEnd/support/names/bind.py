# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""BIND: primary with updates and a journal, secondary, signer of zones."""

import re
import subprocess
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype

from ..machine import TOOLS, wait_for
from . import questions
from .questions import OPERATOR, TRANSFER, UPDATER, WRONG
from .server import Server, Zone

OPTIONS = """
options {{
  directory "{directory}"; key-directory "{directory}"; managed-keys-directory "{directory}";
  pid-file none; session-keyfile none; lock-file none; max-cache-size 16m;
  listen-on port 53 {{ {address}; }}; listen-on-v6 {{ none; }};
  query-source address {address}; notify-source {address}; transfer-source {address};
  use-alt-transfer-source no; notify explicit; notify-delay 0; min-refresh-time 1; min-retry-time 1;
  allow-query {{ any; }}; minimal-responses yes; empty-zones-enable no; {more}
}};
controls {{ }};
dnssec-policy "test" {{ keys {{ csk lifetime unlimited algorithm ecdsap256sha256; }}; dnskey-ttl 1; max-zone-ttl 3600; }};
"""


class Bind(Server):
    """BIND listens only on addresses that an interface has: while it runs, the loopback interface has this one."""

    options = "recursion no; dnssec-validation no;"
    # Whole statements beside the zones.
    statements = ""

    def start(self) -> None:
        subprocess.run(["ip", "address", "replace", f"{self.address}/32", "dev", "lo"], check=True)
        super().start()

    def __exit__(self, kind, error, trace) -> None:
        super().__exit__(kind, error, trace)
        subprocess.run(["ip", "address", "delete", f"{self.address}/32", "dev", "lo"], check=True)

    def arguments(self) -> list[str | Path]:
        keys = {key for zone in self.zones for key in zone.updaters if key != WRONG} | {OPERATOR, TRANSFER, UPDATER}
        config = self.directory / "named.conf"
        config.write_text(
            OPTIONS.format(directory=self.directory, address=self.address, more=self.options) + self.statements
            + "".join(f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n' for key in keys)
            + "".join(self.zone_statement(zone) for zone in self.zones))
        return [TOOLS / "usr/sbin/named", "-g", "-n", "1", "-c", config]

    def zone_statement(self, zone: Zone) -> str:
        head = f'zone "{zone.name}" {{ file "{zone.file}"; '
        if zone.primary is not None:
            return (f'{head}type secondary; masterfile-format text; notify no; '
                    f'primaries {{ {zone.primary.address} key "{TRANSFER.name}"; }}; }};\n')
        grants = "".join(f'grant "{key.name}" zonesub TXT; ' for key in zone.updaters)
        held = "".join(f"!{address}; " for address in sorted(self.held))
        told = "".join(f'{follower.address} key "{TRANSFER.name}"; ' for follower in self.followers)
        return (f'{head}type primary; update-policy {{ grant "{OPERATOR.name}" zonesub ANY; {grants}}}; '
                f'allow-transfer {{ {held}key "{TRANSFER.name}"; }}; also-notify {{ {told}}}; '
                + ('dnssec-policy "test"; ' if zone.is_signed else "") + "};\n")

    def reconfigure(self) -> None:
        self.loads = len(re.findall("running$", self.log(), re.M))
        super().reconfigure()

    def wait_until_reconfigured(self) -> None:
        wait_for(lambda: len(re.findall("running$", self.log(), re.M)) > self.loads, "BIND to read its configuration")

    def trust_anchor(self, zone: str) -> str:
        """The DS record of a signed zone's key, as a zone file writes it."""
        def found():
            answer = questions.ask(self.address, zone, "DNSKEY")
            return next((found for found in answer.answer if found.rdtype == dns.rdatatype.DNSKEY), None)
        key = wait_for(found, f"the key of {zone}")[0]
        # A server that has just begun to sign is not done with every record.
        wait_for(lambda: any(found.rdtype == dns.rdatatype.RRSIG
                             for found in questions.ask(self.address, zone, "SOA", dnssec=True).answer), f"{zone} signed")
        return f"{zone}. IN DS {dns.dnssec.make_ds(dns.name.from_text(zone), key, 'SHA256').to_text()}"
