# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What proves that a key is published: every server says exactly the record. What does not is named, with its remedy."""

import re

import pytest

from support.keyring import Keyring
from support.names import NSD, Bind, Internet, Scripted, scripted
from support.names.scripted import rewritten
from support.rotation import DOMAIN, QUICK

pytestmark = [pytest.mark.root, pytest.mark.witnessed]

OTHER = ("v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5lsnIPCdi3FlHrizn7OrVIkSha0j2b4lH2qQjc/TteC7KuR60XjB8pHLSE08g"
         "xtObGKsjMn0F7dm8V63NDjw5kzGFH3OEU4n5POY0G+rEE1NjjjDQbs4SdRqY9l/NkGUfJacHqs5A3K5OAj/BUftetz0swFT104y1TFrjdGnJxQIDAQAB")


class Ground:
    """A zone with an honest server and one that lies, for all tests of this file."""

    def __init__(self, internet: Internet, honest: Bind, liar: Scripted):
        self.internet, self.honest, self.liar = internet, honest, liar


@pytest.fixture(scope="module")
def ground():
    with Internet() as internet:
        honest = Bind(internet)
        with Scripted(internet, honest) as liar, internet.host(DOMAIN, honest, others=(liar,)):
            yield Ground(internet, honest, liar)


@pytest.fixture
def keys(bare_relay, ground) -> Keyring:
    """No daemon runs, and the operator publishes."""
    bare_relay.configure(dns={"servers": [ground.internet.resolver]}, rotation=QUICK)
    ground.liar.tell_the_truth()
    return Keyring(bare_relay, DOMAIN)


def published(keys: Keyring, ground: Ground, algorithm: str = "rsa-2048") -> str:
    key = keys.generate(algorithm)
    assert ground.honest.change(DOMAIN, {keys.name(key): keys.record(key)}) == "NOERROR"
    return key


def replaced(pattern: str, text: str):
    return rewritten(lambda record: [re.sub(pattern, text, record)])


def long(*case):
    """A case whose words have tests of their own; behind a real server it takes its time."""
    return pytest.param(*case, marks=pytest.mark.long)


@pytest.mark.parametrize("lie, words", [
    (scripted.vanished, ["does not exist"]),
    (scripted.servfail, ["SERVFAIL"]),
    (scripted.refused, ["REFUSED"]),
    long(scripted.lame, ["does not hold"]),
    (scripted.truncated, ["TCP"]),
    (scripted.silence, ["no answer"]),
    (scripted.says(OTHER), ["another public key"]),
    long(scripted.says("v=spf1 -all"), ["no key record"]),
    (scripted.says("v=DKIM1; k=rsa; p="), ["revoked"]),
    (rewritten(scripted.shortened), ["cut off", "255"]),
    (rewritten(scripted.quoted), ["quotation marks"]),
    long(rewritten(scripted.escaped), ["backslashes"]),
    long(rewritten(scripted.doubled), ["2 TXT records"]),
    long(rewritten(lambda text: [text, "v=spf1 -all"]), ["2 TXT records"]),
    long(replaced("k=rsa", "k=ed25519"), ["k="]),
    long(replaced("k=rsa", "h=sha1; k=rsa"), ["h=sha1"]),
    long(replaced("k=rsa", "s=tlsrpt; k=rsa"), ["s=tlsrpt"]),
    long(replaced(r"\+", " "), ["+"]),
], ids=["missing", "SERVFAIL", "REFUSED", "lame", "no TCP", "silent", "other key", "SPF", "revoked", "cut off", "quoted", "escaped",
        "two keys", "SPF beside it", "wrong k", "wrong h", "wrong s", "spaces"])
def test_one_server_that_says_something_else_is_named_and_keeps_the_key_from_signing(keys, ground, lie, words):
    key = published(keys, ground)
    while "+" not in keys.record(key):  # A key without any is rare, and one test is about them.
        key = published(keys, ground)
    ground.liar.lie(lie, keys.name(key))
    text = keys.command("activate", "--selector", key, expect=1)
    assert keys.state(key) == "generated"
    assert ground.liar.name in text or ground.liar.address in text, text
    assert all(word in text for word in words), text
    assert "--force" in text, "it says how to sign without proof"
    ground.liar.tell_the_truth()
    keys.command("activate", "--selector", key)
    assert keys.state(key) == "active"
    assert ground.internet.questions_for(keys.name(key)) == 0, "only the servers in charge are asked"


@pytest.mark.parametrize("lie, warning", [(scripted.slow(1.0), None), (replaced("k=rsa", "t=y; k=rsa"), "t=y")],
                         ids=["slow", "testing"])
def test_what_does_no_harm_is_no_reason_to_wait(keys, ground, lie, warning):
    key = published(keys, ground)
    ground.liar.lie(lie, keys.name(key))
    text = keys.command("activate", "--selector", key)
    assert keys.state(key) == "active"
    assert warning is None or warning in text


@pytest.mark.parametrize("algorithm", ["rsa-2048", "rsa-4096", "ed25519"])
def test_keys_of_every_length_are_proven(keys, ground, algorithm):
    key = published(keys, ground, algorithm)
    keys.command("activate", "--selector", key)
    assert keys.state(key) == "active"
    keys.command("check")


def test_check_says_what_is_wrong_and_changes_nothing(keys, ground):
    key = published(keys, ground)
    keys.command("activate", "--selector", key)
    assert "ok" in keys.command("check", "--selector", key)
    before = keys.all()
    ground.liar.lie(scripted.vanished, keys.name(key))
    text = keys.command("check", "--selector", key, expect=1)
    assert ground.liar.address in text and key in text
    assert keys.all() == before


def test_a_key_can_be_forced_and_that_is_remembered(keys, ground):
    key = keys.generate()
    keys.command("activate", "--selector", key, "--force")
    assert keys.state(key) == "active" and "unproven" in keys.command("list", expect=None)
    assert any(step["isForced"] for step in keys.log())


def test_a_wildcard_is_no_proof_and_does_no_harm(bare_relay):
    with Internet() as internet:
        with internet.host(DOMAIN, Bind(internet), records=f'*._domainkey TXT "{OTHER}"\n') as server:
            bare_relay.configure(dns={"servers": [internet.resolver]}, rotation=QUICK)
            keys = Keyring(bare_relay, DOMAIN)
            key = keys.generate()
            assert "wildcard" in keys.command("activate", "--selector", key, expect=1)
            server.change(DOMAIN, {keys.name(key): keys.record(key)})
            keys.command("activate", "--selector", key)
            assert keys.state(key) == "active"


def test_an_alias_is_followed_to_every_server_of_its_zone(bare_relay):
    with Internet() as internet:
        first, second = Bind(internet), NSD(internet)
        with internet.host("keys.relay.example", first, second), \
                internet.host(DOMAIN, Bind(internet), records="s1._domainkey CNAME s1.keys.relay.example.\n"):
            bare_relay.configure(dns={"servers": [internet.resolver]}, rotation=QUICK)
            keys = Keyring(bare_relay, DOMAIN)
            keys.generate("rsa-2048", "--selector", "s1")
            dangling = keys.command("activate", "--selector", "s1", expect=1)
            assert "alias" in dangling and "s1.keys.relay.example" in dangling, dangling
            first.hold(second)
            first.change("keys.relay.example", {"s1.keys.relay.example": keys.record("s1")})
            assert second.address in keys.command("activate", "--selector", "s1", expect=1)
            first.release(second)
            keys.command("activate", "--selector", "s1")
            assert keys.state("s1") == "active"


def test_wrong_usage_has_an_exit_status_of_its_own(keys):
    keys.command("rotate", "--nonsense", expect=2)
    keys.command("activate", "--selector", "no_selector", expect=2)
