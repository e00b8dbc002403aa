# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Questions to one name server, updates of its zones, and the keys (TSIG) that both sides know."""

import base64
import hashlib
import re
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

# How long a server may take; one on loopback answers in a millisecond.
PATIENCE = 5.0

PEER_ERRORS = {dns.tsig.PeerBadSignature: "BADSIG", dns.tsig.PeerBadKey: "BADKEY", dns.tsig.PeerBadTime: "BADTIME"}


@dataclass(frozen=True)
class Key:
    """A shared secret (RFC 8945), made from its name so that every program of a test knows it."""

    name: str
    seed: str = ""
    algorithm: str = "hmac-sha256"

    @property
    def secret(self) -> str:
        return base64.b64encode(hashlib.sha256(f"{self.name}{self.seed}".encode()).digest()).decode()

    def for_dnspython(self) -> dns.tsig.Key:
        return dns.tsig.Key(self.name, self.secret, self.algorithm)


# Who may change records of keys; who may change anything; who may fetch zones.
UPDATER = Key("waxwing")
OPERATOR = Key("operator")
TRANSFER = Key("transfer")
# The updater's name with another secret.
WRONG = Key("waxwing", seed="wrong")


def ask(address: str, name: str, kind: str = "TXT", over_tcp: bool = False, dnssec: bool = False, recursive: bool = False,
        patience: float = PATIENCE) -> dns.message.Message:
    """The server's answer; a truncated one is asked for again over TCP."""
    query = dns.message.make_query(name, kind, use_edns=0, payload=1232, want_dnssec=dnssec)
    if not recursive:
        query.flags &= ~dns.flags.RD
    if over_tcp:
        return dns.query.tcp(query, address, timeout=patience)
    return dns.query.udp_with_fallback(query, address, timeout=patience)[0]


def texts(address: str, name: str, **options) -> list[str]:
    """The text records of exactly this name, each in one piece, sorted."""
    return texts_in(ask(address, name, "TXT", **options), name)


def texts_in(answer: dns.message.Message, name: str) -> list[str]:
    """As `texts`, of an answer that has come."""
    wanted = dns.name.from_text(name)
    return sorted(b"".join(record.strings).decode("latin-1") for found in answer.answer
                  if found.rdtype == dns.rdatatype.TXT and found.name == wanted for record in found)


def alias(answer: dns.message.Message, name: str) -> str | None:
    """Where a CNAME record of the answer leads from `name`."""
    wanted = dns.name.from_text(name)
    targets = [str(record.target) for found in answer.answer
               if found.rdtype == dns.rdatatype.CNAME and found.name == wanted for record in found]
    return targets[0].rstrip(".") if targets else None


def serial(address: str, zone: str) -> int:
    """The zone's serial number at this server; -1 when it does not serve the zone or does not answer."""
    try:
        answer = ask(address, zone, "SOA", patience=1)
    except (dns.exception.DNSException, OSError):
        return -1
    return next((found[0].serial for found in answer.answer if found.rdtype == dns.rdatatype.SOA), -1)


def in_strings(text: str) -> str:
    """A text record's data, in strings of at most 255 octets."""
    return " ".join('"%s"' % re.sub(r'(["\\])', r"\\\1", text[start:start + 255]) for start in range(0, len(text), 255))


def change(address: str, zone: str, key: Key, put: dict[str, str] | None = None, remove: tuple[str, ...] = ()) -> str:
    """Updates a zone (RFC 2136): the text records of these names are replaced, those of the others removed.

    Gives back the server's answer as a word, such as NOERROR, or BADSIG, BADKEY or BADTIME.
    """
    update = dns.update.UpdateMessage(zone, keyring=key.for_dnspython(), keyname=key.name)
    for name in remove:
        update.delete(dns.name.from_text(name), "TXT")
    for name, text in (put or {}).items():
        update.replace(dns.name.from_text(name), 1, "TXT", in_strings(text))
    try:
        return dns.rcode.to_text(dns.query.tcp(update, address, timeout=PATIENCE).rcode())
    except dns.tsig.PeerError as error:
        return PEER_ERRORS[type(error)]


def notify(address: str, zone: str, source: str) -> None:
    """Tells a secondary that its primary, whose address is `source`, has a new zone."""
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.flags = dns.opcode.to_flags(dns.opcode.NOTIFY) | dns.flags.AA
    message.use_tsig(TRANSFER.for_dnspython(), TRANSFER.name)
    dns.query.udp(message, address, timeout=PATIENCE, source=source)
