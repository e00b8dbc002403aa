# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A name server that hands on a real one's answers, except where it was told to lie.

What it lies about are faults that real servers refuse to serve, so it must be possible to change them while it runs.
"""

import socket
import socketserver
import struct
import threading
import time
from typing import Callable

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from . import questions

# Gets the true answer and whether TCP carried the question; gives back the answer to send, or None to send nothing.
Lie = Callable[[dns.message.Message, bool], dns.message.Message | None]


class Scripted:
    """Listens over UDP and TCP while its `with` block runs."""

    def __init__(self, internet, upstream):
        self.address, self.name = internet.new_place()
        self.upstream = upstream.address
        self.lies: list[tuple[str | None, Lie]] = []
        self.asked: list[tuple[str, str, bool]] = []

    def __enter__(self) -> "Scripted":
        scripted = self

        class Datagrams(socketserver.BaseRequestHandler):
            def handle(self):
                octets, reply_socket = self.request
                if (answer := scripted.answer(octets, False)) is not None:
                    reply_socket.sendto(answer, self.client_address)

        class Connections(socketserver.StreamRequestHandler):
            def handle(self):
                while len(length := self.rfile.read(2)) == 2:
                    answer = scripted.answer(self.rfile.read(struct.unpack(">H", length)[0]), True)
                    if answer is None:
                        return
                    self.wfile.write(struct.pack(">H", len(answer)) + answer)

        place = (self.address, 53)
        self.servers = [Threaded(place, Datagrams), ThreadedOverTCP(place, Connections)]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def lie(self, lie: Lie, name: str | None = None) -> None:
        """From now on answers about `name` (or about any) go through `lie`."""
        self.lies = [(name, lie)]

    def tell_the_truth(self) -> None:
        self.lies = []

    def answer(self, octets: bytes, over_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(octets)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype), over_tcp))
        try:
            answer = dns.query.tcp(query, self.upstream, timeout=questions.PATIENCE)
        except (dns.exception.DNSException, OSError):
            return None
        for about, lie in self.lies:
            if about is None or about == name:
                answer = lie(answer, over_tcp)
                if answer is None:
                    return None
        whole = answer.to_wire()
        if over_tcp or len(whole) <= max(query.payload, 512):
            return whole
        return truncated(answer, over_tcp=False).to_wire()

    # A server's interface, as far as a witness uses it.

    def texts(self, name: str, **options) -> list[str]:
        return questions.texts(self.address, name, **options)


class Threaded(socketserver.ThreadingUDPServer):
    allow_reuse_address = True
    daemon_threads = True
    max_packet_size = 4096


class ThreadedOverTCP(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    address_family = socket.AF_INET


# Lies about the server itself


def silence(answer, over_tcp):
    return None


def servfail(answer, over_tcp):
    return emptied(answer, dns.rcode.SERVFAIL)


def refused(answer, over_tcp):
    return emptied(answer, dns.rcode.REFUSED)


def lame(answer, over_tcp):
    """A server that was never told of the zone: not in charge, and points to the root."""
    answer = emptied(answer, dns.rcode.NOERROR)
    answer.flags &= ~dns.flags.AA
    answer.authority = [dns.rrset.from_text(".", 1, "IN", "NS", "a.root-servers.example.")]
    return answer


def truncated(answer, over_tcp):
    """Asks to come back over TCP, and does not listen there."""
    if over_tcp:
        return None
    answer = emptied(answer, dns.rcode.NOERROR)
    answer.flags |= dns.flags.TC
    return answer


def slow(seconds: float) -> Lie:
    def lie(answer, over_tcp):
        time.sleep(seconds)
        return answer
    return lie


# Lies about text records


def vanished(answer, over_tcp):
    """There is no such name."""
    answer = emptied(answer, dns.rcode.NXDOMAIN)
    zone = answer.question[0].name.parent()
    answer.authority = [dns.rrset.from_text(zone, 1, "IN", "SOA", "ns. hostmaster. 1 1 1 1 1")]
    return answer


def says(*lines: str) -> Lie:
    """Text records, each a line; whatever is asked for."""
    def lie(answer, over_tcp):
        answer = emptied(answer, dns.rcode.NOERROR)
        answer.flags |= dns.flags.AA
        answer.answer = [dns.rrset.from_text(answer.question[0].name, 1, "IN", "TXT", *map(questions.in_strings, lines))]
        return answer
    return lie


def rewritten(change: Callable[[str], list[str]]) -> Lie:
    """Each true text becomes what `change` makes of it; nothing is said where there is none."""
    def lie(answer, over_tcp):
        lines = [b"".join(record.strings).decode() for found in answer.answer if found.rdtype == dns.rdatatype.TXT
                 for record in found]
        return says(*[new for line in lines for new in change(line)])(answer, over_tcp) if lines else answer
    return lie


def shortened(text: str) -> list[str]:
    """A form that takes 255 octets."""
    return [text[:200]]


def quoted(text: str) -> list[str]:
    """A form that takes quotes for text."""
    return ['"' + '" "'.join(text[start:start + 200] for start in range(0, len(text), 200)) + '"']


def escaped(text: str) -> list[str]:
    return [text.replace(";", "\\;")]


def doubled(text: str) -> list[str]:
    """Two records with different keys at one name."""
    return [text, text.replace("p=", "p=AAAA")]


def emptied(answer, rcode):
    answer.set_rcode(rcode)
    answer.answer, answer.authority, answer.additional = [], [], []
    return answer
