# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The root of a DNS, a recursive resolver below it, and the servers of the zones that a test hosts there."""

from contextlib import ExitStack, contextmanager
from typing import Iterator

import dns.query
import dns.update

from ..machine import new_network, wait_for
from . import questions
from .bind import Bind
from .questions import OPERATOR
from .server import Server


class Internet(Bind):
    """The root zone, whatever it does not name does not exist, and a resolver with a cache that everybody may ask."""

    options = "recursion yes; allow-recursion { any; }; allow-query-cache { any; }; dnssec-validation yes; querylog yes;"

    def __init__(self):
        self.network = new_network()
        self.places = 0
        super().__init__(self)
        self.serve(".", f"{self.name}. A {self.address}\n", updaters=())

    def new_place(self) -> tuple[str, str]:
        """An address that no other server has, and its name in the root zone."""
        self.places += 1
        return f"{self.network}.{self.places}", f"ns{self.places}.servers.example"

    @property
    def resolver(self) -> str:
        """As [dns] servers names it."""
        return f"{self.address}@53"

    def delegate(self, zone: str, servers: list[Server]) -> None:
        """Says in the root zone who is in charge of a zone."""
        update = dns.update.UpdateMessage(".", keyring=OPERATOR.for_dnspython(), keyname=OPERATOR.name)
        update.delete(zone + ".", "NS")
        for server in servers:
            update.add(zone + ".", 1, "NS", server.name + ".")
            update.replace(server.name + ".", 1, "A", server.address)
        assert dns.query.tcp(update, self.address, timeout=questions.PATIENCE).rcode() == 0

    @contextmanager
    def host(self, zone: str, primary: Server, *secondaries: Server, records: str = "", others: tuple[Server, ...] = (),
             **settings) -> Iterator[Server]:
        """Starts the servers of a zone, and waits until all of them serve it.

        The servers `others` are named too; they run already, or their test starts them.
        """
        named = [primary, *secondaries, *others]
        primary.serve(zone, records, servers=named, **settings)
        for secondary in secondaries:
            secondary.follow(primary)
        with ExitStack() as stack:
            for server in (primary, *secondaries):
                stack.enter_context(server)
            for secondary in secondaries:
                primary.wait_for_follower(secondary, zone)
            self.delegate(zone, named)
            yield primary

    def trust(self, anchor: str) -> None:
        """Makes the resolver check the signatures of a zone, whose DS record this is."""
        zone, _, _, digest = anchor.split(" ", 3)
        tag, algorithm, kind, octets = digest.split(" ", 3)
        self.statements += f'trust-anchors {{ "{zone}" static-ds {tag} {algorithm} {kind} "{octets.replace(" ", "")}"; }};\n'
        self.reconfigure()

    def questions_for(self, name: str) -> int:
        """How often the resolver was asked for a name."""
        return self.log().count(f"query: {name} IN ")

    def texts(self, name: str, **options) -> list[str]:
        """What somebody far away sees now, caches and all."""
        answer = questions.ask(self.address, name, recursive=True, **options)
        # A name at which an alias ends has its text records under the name that the alias leads to.
        return sorted(text for owner in {found.name.to_text() for found in answer.answer}
                      for text in questions.texts_in(answer, owner))

    def wait_for_texts(self, name: str, wanted: list[str]) -> None:
        wait_for(lambda: self.texts(name) == wanted, f"{name} to be {wanted}, it is {self.texts(name)}", pause=0.1)
