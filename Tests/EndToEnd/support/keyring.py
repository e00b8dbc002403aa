# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A domain's keys as its operator sees them: on disk, and through `waxwing keys`."""

import json
from pathlib import Path

from .machine import wait_for
from .relay import Relay


class Keyring:
    def __init__(self, relay: Relay, domain: str = "sender.example"):
        self.relay = relay
        self.domain = domain
        # Every record that was ever seen under a selector.
        self.seen: dict[str, set[str]] = {}

    # What is on disk

    @property
    def directory(self) -> Path:
        return self.relay.directory / "Keys" / self.domain

    def all(self) -> dict[str, dict]:
        """Selector to description, without what is archived."""
        found = {}
        for file in sorted(self.directory.glob("[!.]*/key.json")):
            description = json.loads(file.read_text())
            found[description["selector"]] = description
            self.seen.setdefault(description["selector"], set()).add(description["record"])
        return found

    def states(self) -> dict[str, str]:
        return {selector: key["state"] for selector, key in self.all().items()}

    def state(self, selector: str) -> str:
        return self.states()[selector]

    def selectors(self, *states: str, kind: str | None = None) -> list[str]:
        """Selectors of the keys in one of these states, of the kind rsa or ed25519."""
        return [selector for selector, key in self.all().items()
                if key["state"] in states and (kind is None or key["algorithm"].startswith(kind))]

    def active(self, kind: str = "rsa") -> str:
        """The one that signs."""
        found = self.selectors("active", kind=kind)
        assert len(found) == 1, f"active {kind} keys: {found}, of {self.states()}"
        return found[0]

    def successor(self, kind: str = "rsa") -> str:
        """The one that is to take the active one's place."""
        found = [selector for selector in self.selectors("generated", "published", kind=kind)
                 if self.all()[selector].get("purpose") == "successor"]
        assert len(found) == 1, f"successors {found}, of {self.states()}"
        return found[0]

    def name(self, selector: str) -> str:
        return f"{selector}._domainkey.{self.domain}"

    def record(self, selector: str) -> str:
        return self.all()[selector]["record"]

    def is_suspended(self, selector: str) -> bool:
        return self.all()[selector].get("suspension") is not None

    def has_private_key(self, selector: str) -> bool:
        return (self.directory / selector / "private.pem").exists()

    def journal(self, selector: str) -> list[str]:
        """The states that a key went through."""
        return [step["to"] for step in self.all()[selector]["history"] if not step.get("isNote")]

    # Waiting

    def wait_for(self, selector: str, *states: str, patience: float = 60) -> None:
        wait_for(lambda: self.state(selector) in states, f"{selector} to be {states}, it is {self.describe(selector)}",
                 patience, pause=0.1)

    def wait_for_active_other_than(self, old: str, kind: str = "rsa", patience: float = 60) -> str:
        wait_for(lambda: self.selectors("active", kind=kind) not in ([], [old]), f"another active key than {old}", patience,
                 pause=0.1)
        wait_for(lambda: len(self.selectors("active", kind=kind)) == 1, f"{old} to retire", pause=0.1)
        return self.active(kind)

    def describe(self, selector: str) -> str:
        return json.dumps(self.all()[selector], indent=1)[-1500:]

    def wait_for_note(self, selector: str, text: str) -> None:
        """Returns when it was written down of a key: it stands there when what it tells has passed, too."""
        wait_for(lambda: any(text in (step.get("evidence") or "") for step in self.log() if step["selector"] == selector),
                 f"a note on {selector}, {text!r}: {self.describe(selector)}", pause=0.2)

    # Commands

    def command(self, verb: str, *arguments, expect: int | None = 0) -> str:
        return self.relay.command("keys", verb, self.domain, *arguments, expect=expect)

    def rotate(self, *arguments, expect: int | None = 0) -> str:
        return self.command("rotate", *arguments, expect=expect)

    def generate(self, algorithm: str = "rsa-2048", *arguments) -> str:
        """The selector of a new key."""
        before = set(self.all())
        self.command("generate", "--algorithm", algorithm, *arguments)
        made = set(self.all()) - before
        assert len(made) == 1, made
        return made.pop()

    def establish(self, algorithm: str = "rsa-2048", *arguments) -> str:
        """Makes a key and waits until it signs; the relay may run or not."""
        selector = self.generate(algorithm, *arguments)
        self.insist(selector, "active", "activate")
        return selector

    def insist(self, selector: str, state: str, verb: str, *arguments) -> None:
        """Gives the same command, which does no harm, until it has led to a state: for tests without a daemon."""
        def is_there() -> bool:
            if self.state(selector) != state:
                self.command(verb, "--selector", selector, *arguments, expect=None)
            return self.state(selector) == state
        wait_for(is_there, f"{selector} to be {state} by {verb}: {self.describe(selector)}", patience=20, pause=0.4)

    def log(self) -> list[dict]:
        return json.loads(self.command("log", "--json"))

    def assert_no_selector_had_two_keys(self) -> None:
        self.all()
        twice = {selector: records for selector, records in self.seen.items() if len(records) > 1}
        assert not twice, f"selectors with more than one key: {twice}"
