# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Verifies messages with the key records that the name servers show at the moment when a message arrives."""

import time
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

import dkim
import dns.exception
import dns.flags
import dns.message
import dns.rcode

from .names import questions
from .next_hops import NextHop
from .verifiers import dkimpy_results, failures, tags_of_signatures

# Where a CNAME record leads to another, and so on: no more than this many.
MAXIMUM_ALIASES = 4

# In a queue of ours for five days, its signatures good for seven.
LONGEST_LIFE = 12 * 86_400

# What one verifier would find: record names and their texts, without those that are not there.
View = frozenset[tuple[str, str]]


@dataclass
class Sighting:
    content: bytes
    # One for every server that answered; the resolver is one of them.
    views: set[View]
    moment: float


class Witness:
    """`zones` says which servers are in charge of a zone, `resolver` who asks on behalf of the rest of the world."""

    def __init__(self, zones: dict[str, list], resolver=None, clock=None):
        self.zones = zones
        self.resolver = resolver
        self.clock = clock
        self.sightings: list[Sighting] = []

    # Looking

    def see(self, content: bytes) -> None:
        """Looks at the key records of a message that has just arrived."""
        self.sightings.append(Sighting(content, self.views(content), self.now()))

    def now(self) -> float:
        return self.clock.now() if self.clock else time.time()

    def views(self, content: bytes) -> set[View]:
        names = [f"{tags['s']}._domainkey.{tags['d']}" for tags in tags_of_signatures(content)]
        by_server: dict[str, dict[str, str]] = {}
        for name in names:
            for server, found in self.look(name).items():
                by_server.setdefault(server, {}).update({name: found[0]} if len(found) == 1 else {})
        return {frozenset(records.items()) for records in by_server.values()}

    def look(self, name: str) -> dict[str, list[str]]:
        """What each server that answers shows as the text of a record name; an alias is followed to its zone's servers."""
        asked = name
        for _ in range(MAXIMUM_ALIASES):
            servers = self.servers_of(asked)
            answers = {server.address: answer for server in servers if (answer := ask_quietly(server.address, asked))}
            assert answers, f"no server answers about {asked}"
            aliases = {questions.alias(answer, asked) for answer in answers.values()}
            if aliases == {None} or None in aliases or len(aliases) > 1:
                break
            asked = aliases.pop()
        found = {address: questions.texts_in(answer, asked) for address, answer in answers.items()}
        if self.resolver is not None:
            found["the resolver"] = self.resolver.texts(name)
        return found

    def servers_of(self, name: str) -> list:
        zone = max((zone for zone in self.zones if f".{name}".endswith(f".{zone}")), key=len, default=None)
        assert zone is not None, f"nobody is in charge of {name}"
        return self.zones[zone]

    # Judging

    def assert_all_verify(self) -> None:
        """Each message verified, with every server's records at its moment, by all verifiers."""
        assert self.sightings, "no message came"
        by_view: dict[View, list[bytes]] = {}
        for sighting in self.sightings:
            for view in sighting.views:
                by_view.setdefault(view, []).append(sighting.content)
        found = []
        for view, contents in by_view.items():
            if self.clock is None or self.clock.offset == 0:
                found += failures(contents, dict(view))
            else:
                found += self.failures_at_their_time(contents, dict(view))
        assert not found, f"{len(found)} failures among {len(self.sightings)} messages:\n" + "\n".join(found[:3])

    def failures_at_their_time(self, contents: list[bytes], records: dict[str, str]) -> list[str]:
        """As `failures`, by dkimpy alone, which can be told what time it is."""
        moments = {sighting.content: sighting.moment for sighting in self.sightings}
        found = []
        for content in contents:
            with mock.patch.object(dkim, "time", SimpleNamespace(time=lambda: moments[content])):
                results = dkimpy_results(content, records)
            if not results or set(results) != {"pass"}:
                found.append(f"{results} of {content[:3000]!r}")
        return found

    def assert_all_verify_now(self) -> None:
        """Each message whose life is not over, verified again with what the DNS shows now.

        At a later time of the clock this is what a reader finds whose mail was in queues until then.
        """
        now = self.now()
        alive = [sighting for sighting in self.sightings if now - sighting.moment < LONGEST_LIFE]
        looked: dict[str, dict[str, list[str]]] = {}
        found = []
        for sighting in alive:
            for tags in tags_of_signatures(sighting.content):
                name = f"{tags['s']}._domainkey.{tags['d']}"
                looked.setdefault(name, self.look(name) if name not in looked else looked[name])
        servers = {server for answers in looked.values() for server in answers}
        for server in sorted(servers):
            records = {name: answers[server][0] for name, answers in looked.items() if len(answers.get(server, [])) == 1}
            contents = [sighting.content for sighting in alive]
            found += [f"at {server}: {line}" for line in self.failures_at_their_time(contents, records)]
        assert not found, f"{len(found)} failures among {len(alive)} messages:\n" + "\n".join(found[:3])

    def selectors(self) -> list[set[str]]:
        """Of each message its selectors, in the order of arrival."""
        return [{tags["s"] for tags in tags_of_signatures(sighting.content)} for sighting in self.sightings]


def ask_quietly(address: str, name: str) -> dns.message.Message | None:
    """None as well for the answers after which a resolver goes to the next server."""
    try:
        answer = questions.ask(address, name, patience=0.5)
    except (dns.exception.DNSException, OSError):
        return None
    is_fine = answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) and answer.flags & dns.flags.AA
    return answer if is_fine else None


class WitnessedHop(NextHop):
    """A next hop that shows each message to a witness before it takes it."""

    def __init__(self, witness: Witness, **settings):
        super().__init__(**settings)
        self.witness = witness

    def receive(self, arrival) -> str:
        self.witness.see(arrival.content)
        return super().receive(arrival)
