# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Next hops: Postfix's smtp-sink, which is fast, and one on aiosmtpd that can be told to misbehave."""

import asyncio
import os
import re
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from .machine import TOOLS, end, free_port, is_listening, postfix_environment, wait_for

# Every next hop of the current test, so that what it took can be verified when the test ends.
opened: list["SmtpSink | NextHop"] = []


def foreign_records() -> dict[str, str]:
    """The key records of next hops that sign what they take."""
    return {name: record for hop in opened if isinstance(hop, NextHop) for name, record in hop.records().items()}


class SmtpSink:
    """smtp-sink; keeps what arrives as files when told to, and counts in any case."""

    def __init__(self, *options: str, keep: bool = True, port: int | None = None):
        self.port = port or free_port()
        self.options = options
        self.keep = keep
        self.directory = Path(tempfile.mkdtemp(prefix="sink."))
        self.directory.chmod(0o777)
        self.counters = self.directory / "counters"
        self.taken: list[bytes] = []
        # What part of a dumped message tells that it came whole.
        self.mark = b""

    def __enter__(self) -> "SmtpSink":
        opened.append(self)
        command = [str(TOOLS / "usr/sbin/smtp-sink"), "-c", "-h", "sink.example", *self.options]
        if os.getuid() == 0:
            command += ["-u", "nobody"]
        if self.keep:
            command += ["-d", str(self.directory / "message.")]
        with open(self.counters, "wb") as output:
            self.process = subprocess.Popen(command + [f"127.0.0.1:{self.port}", "1024"], stdout=output,
                                            env=postfix_environment(self.directory))
        wait_for(lambda: is_listening(self.port), "smtp-sink")
        return self

    def __exit__(self, kind, error, trace) -> None:
        end(self.process)
        self.taken = [content for content in self.messages() if content and self.mark in content]
        subprocess.run(["rm", "-rf", str(self.directory)], check=True)

    def count(self) -> int:
        """Messages whose data has been answered."""
        with open(self.counters, "rb") as file:
            file.seek(max(0, self.counters.stat().st_size - 200))
            found = re.findall(rb"mesg=(\d+)\r", file.read())
        return int(found[-1]) if found else 0

    def wait_for_count(self, count: int, patience: float = 60) -> None:
        wait_for(lambda: self.count() >= count, f"{count} messages at smtp-sink, {self.count()} came", patience)

    def messages(self) -> list[bytes]:
        """What arrived, with CRLF line ends, without the lines that smtp-sink puts above it."""
        return [without_sink_head(file.read_bytes()) for file in sorted(self.directory.glob("message.*"))]


def without_sink_head(octets: bytes) -> bytes:
    head = re.match(rb"(?:X-(?:Client|Helo|Mail|Rcpt)-[A-Za-z]+: .*\n)*Received: .*\n(?:[ \t].*\n)*", octets)
    if head is None:
        # smtp-sink ended before it had written what stands above the message.
        return b""
    # smtp-sink writes one more empty line after each message.
    return octets[head.end():].removesuffix(b"\n").replace(b"\n", b"\r\n")


@dataclass
class Arrival:
    """One message that arrived, octet for octet as it was sent, dots removed."""

    mail_from: str
    mail_options: list[str]
    recipients: list[str]
    content: bytes
    connection: int
    is_encrypted: bool


@dataclass
class Fault:
    """What to do instead, `times` times: a reply, or close the connection, or wait first."""

    reply: str | None = None
    delay: float = 0
    times: int = 1
    only_for: str | None = None


@dataclass
class NextHop:
    """An SMTP server on a loopback port; `faults` maps a step to what goes wrong there.

    Steps: CONNECT, EHLO, MAIL, RCPT, DATA (the command), MIDDLE (of the data), END (of the data), QUIT.
    A fault without reply and delay closes the connection.
    """

    faults: dict[str, list[Fault]] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 33554432")
    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    arrivals: list[Arrival] = field(default_factory=list)
    # Messages whose data came whole but were answered by a fault.
    unanswered: list[Arrival] = field(default_factory=list)
    commands: list[tuple[int, str]] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self):
        self.lock = threading.Lock()

    @property
    def taken(self) -> list[bytes]:
        return [arrival.content for arrival in self.arrivals]

    def __enter__(self) -> "NextHop":
        opened.append(self)
        self.controller = HopController(self)
        self.controller.start()
        # Without the connection by which the controller tried whether it listens.
        with self.lock:
            self.commands.clear()
            self.connections = 0
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.controller.stop()

    def records(self) -> dict[str, str]:
        """The key records of signatures that this hop adds."""
        return {}

    def receive(self, arrival: Arrival) -> str:
        """Takes a message; the reply."""
        self.arrivals.append(arrival)
        return "250 2.0.0 taken"

    def fail(self, step: str, reply: str | None = None, **details) -> None:
        """Adds a fault to a step."""
        self.faults.setdefault(step, []).append(Fault(reply, **details))

    def take_fault(self, step: str, argument: str = "") -> Fault | None:
        with self.lock:
            for fault in self.faults.get(step, []):
                if fault.times > 0 and (fault.only_for is None or fault.only_for in argument):
                    fault.times -= 1
                    return fault
        return None

    def wait_for_arrivals(self, count: int, patience: float = 60) -> list[Arrival]:
        wait_for(lambda: len(self.arrivals) >= count, f"{count} messages at the next hop", patience)
        return self.arrivals


class HopController(Controller):
    def __init__(self, hop: NextHop):
        super().__init__(HopHandler(hop), hostname=hop.address, port=hop.port)
        self.hop = hop

    def factory(self):
        return HopSession(self.hop, self.handler)


class HopHandler:
    """Called by aiosmtpd."""

    def __init__(self, hop: NextHop):
        self.hop = hop

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        offers = list(self.hop.extensions)
        if self.hop.tls is not None and session.ssl is None:
            offers.append("STARTTLS")
        lines = ["hop.example", *offers]
        return [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]

    async def handle_DATA(self, server, session, envelope):
        arrival = Arrival(envelope.mail_from, list(envelope.mail_options), list(envelope.rcpt_tos), envelope.content,
                          server.number, session.ssl is not None)
        fault = self.hop.take_fault("END")
        if fault is not None and fault.delay == 0:
            self.hop.unanswered.append(arrival)
            if fault.reply is None:
                server.transport.abort()
                raise ConnectionResetError("closed on purpose")
            return fault.reply
        if fault is not None:
            await asyncio.sleep(fault.delay)
        return self.hop.receive(arrival)


class HopSession(SMTP):
    """One connection. Each step first asks for a fault."""

    def __init__(self, hop: NextHop, handler: HopHandler):
        super().__init__(handler, hostname="hop.example", tls_context=hop.tls, data_size_limit=None,
                         enable_SMTPUTF8=False, ident="a test", timeout=600)
        self.hop = hop
        with hop.lock:
            hop.connections += 1
            self.number = hop.connections

    async def fails(self, step: str, argument: str = "") -> bool:
        """True when a fault has dealt with the step."""
        self.hop.commands.append((self.number, f"{step} {argument}".strip()))
        fault = self.hop.take_fault(step, argument)
        if fault is None:
            return False
        if fault.delay:
            await asyncio.sleep(fault.delay)
            return False
        if fault.reply is None:
            self.transport.abort()
            return True
        await self.push(fault.reply)
        if fault.reply.startswith("421"):
            self.transport.close()
        return True

    async def _handle_client(self):
        if await self.fails("CONNECT"):
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_EHLO(self, hostname):
        if not await self.fails("EHLO", hostname or ""):
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname):
        if not await self.fails("HELO", hostname or ""):
            await super().smtp_HELO(hostname)

    async def smtp_MAIL(self, arg):
        if not await self.fails("MAIL", arg or ""):
            await super().smtp_MAIL(self.without_notices(arg))

    async def smtp_RCPT(self, arg):
        if not await self.fails("RCPT", arg or ""):
            await super().smtp_RCPT(self.without_notices(arg))

    def without_notices(self, arg: str) -> str:
        """Takes out what a server with DSN takes (RFC 3461), which aiosmtpd does not know."""
        return re.sub(r" (RET|ENVID|NOTIFY|ORCPT)=\S+", "", arg) if "DSN" in self.hop.extensions else arg

    async def smtp_DATA(self, arg):
        if await self.fails("DATA"):
            return
        fault = self.hop.take_fault("MIDDLE")
        if fault is not None:
            await self.push("354 go on")
            await self._reader.readexactly(64)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg):
        if not await self.fails("QUIT"):
            await super().smtp_QUIT(arg)


def self_made_certificate(directory: Path) -> ssl.SSLContext:
    """A server context with a certificate that nobody has vouched for."""
    key, certificate = directory / "hop.key.pem", directory / "hop.certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=hop.example", "-addext", "subjectAltName=DNS:hop.example"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
