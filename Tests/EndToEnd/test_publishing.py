# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The ways of a record into DNS: by updates, by a program of the operator's, by the operator."""

import json
import sys
import textwrap
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest

from support.machine import wait_for
from support.names import OPERATOR, UPDATER, WRONG, Bind, Key, Knot
from support.names.questions import in_strings
from support.rotation import DOMAIN, Bench

pytestmark = [pytest.mark.root, pytest.mark.witnessed]


@pytest.fixture
def bench(bare_relay):
    with Bench(bare_relay) as bench:
        yield bench


# Updates

@pytest.mark.parametrize("kind", [Bind, Knot])
def test_updates_put_replace_and_remove_exactly_one_record(bench, kind):
    bench.host(kind, records='other TXT "untouched"\n')
    bench.publishes()
    key = bench.keys.establish("rsa-4096")
    name = bench.keys.name(key)
    assert bench.primary.texts(name) == [bench.keys.record(key)]
    bench.keys.establish("ed25519")
    bench.keys.command("publish", "--selector", key)
    assert bench.primary.texts(name) == [bench.keys.record(key)], "twice is the same as once"
    bench.keys.command("retire", "--selector", key)
    bench.keys.insist(key, "revoked", "revoke", "--force")
    assert bench.primary.texts(name)[0].rstrip("; ").endswith("p=")
    bench.keys.insist(key, "removed", "remove", "--yes", "--force")
    assert bench.primary.texts(name) == [] and bench.primary.texts(f"other.{DOMAIN}") == ["untouched"]
    assert not bench.keys.has_private_key(key)


def test_a_stronger_key_and_a_named_zone_work_too(bench):
    strong = Key("waxwing-strong", algorithm="hmac-sha512")
    bench.host(Bind, updaters=(strong,))
    bench.publishes(key=strong, zone=DOMAIN)
    bench.keys.establish()


@pytest.mark.parametrize("kind", [Bind, Knot])
def test_a_wrong_secret_is_named(bench, kind):
    bench.host(kind)
    bench.publishes(key=WRONG)
    key = bench.keys.generate()
    text = bench.keys.command("publish", "--selector", key, expect=None)
    assert "secret" in text and "waxwing" in text and bench.primary.address in text, text
    assert bench.primary.texts(bench.keys.name(key)) == [] and bench.keys.state(key) == "generated"
    bench.publishes()
    bench.keys.command("activate", "--selector", key)
    assert bench.keys.state(key) == "active"


def test_a_refused_update_a_wrong_server_and_a_dead_one_are_told_apart(bench):
    bench.host(Bind, updaters=())
    other = bench.host(Knot, zone="other.example")[0]
    bench.publishes()
    key = bench.keys.generate()
    assert "REFUSED" in bench.keys.command("publish", "--selector", key, expect=None)
    bench.publishes(other)
    assert "not in charge" in bench.keys.command("publish", "--selector", key, expect=None)
    other.stop()
    assert "can't be reached" in bench.keys.command("publish", "--selector", key, expect=None)
    assert bench.keys.state(key) == "generated"
    assert bench.primary.change(DOMAIN, {bench.keys.name(key): bench.keys.record(key)}) == "NOERROR"
    bench.keys.command("activate", "--selector", key, expect=None)
    assert bench.keys.state(key) == "active", "whoever put it there, it is proven"


def test_a_failed_publication_is_a_problem_for_monitoring(bench):
    bench.host(Bind, updaters=())
    bench.publishes()
    key = bench.keys.generate()
    bench.keys.command("publish", "--selector", key, expect=1)


def test_somebody_elses_records_are_left_alone(bench):
    bench.host(Bind)
    bench.publishes()
    key = bench.keys.generate()
    name = bench.keys.name(key)
    bench.primary.change(DOMAIN, {name: "v=DKIM1; k=rsa; p=QUFB"}, key=OPERATOR)
    assert bench.keys.name(key) in bench.keys.command("activate", "--selector", key, expect=1)
    assert bench.primary.texts(name) == ["v=DKIM1; k=rsa; p=QUFB"]
    bench.primary.change(DOMAIN, remove=(name,), key=OPERATOR)
    bench.keys.command("activate", "--selector", key)


def test_an_alias_at_the_name_is_left_alone(bench):
    bench.host(Bind, records="s1._domainkey CNAME elsewhere.example.\n")
    bench.publishes()
    bench.keys.generate("rsa-2048", "--selector", "s1")
    text = bench.keys.command("publish", "--selector", "s1", expect=None)
    assert "elsewhere.example" in text, text
    assert bench.primary.texts(bench.keys.name("s1")) == []


def test_a_wildcard_does_not_stand_in_the_way(bench):
    bench.host(Bind, records='*._domainkey TXT "nothing of ours"\n* TXT "neither"\n')
    bench.publishes()
    key = bench.keys.establish()
    assert bench.primary.texts(bench.keys.name(key)) == [bench.keys.record(key)]


# A program of the operator's

HOOK = """\
#!{python}
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
sys.dont_write_bytecode = True
from support.names.questions import OPERATOR, change
directory = Path({directory!r})
order = json.load(sys.stdin)
with open(directory / "orders", "a") as log:
    print(json.dumps(order | {{"environment": dict(os.environ), "user": os.getuid()}}), file=log)
if (directory / "slow").exists():
    time.sleep(60)
if (directory / "broken").exists():
    print("the DNS provider is on holiday", file=sys.stderr)
    sys.exit(75)
text = order["value"]
assert text is None or "".join(order["strings"]) == text
done = change({server!r}, {zone!r}, OPERATOR, {{order["name"]: text}} if text else {{}}, () if text else (order["name"],))
print("the hook says", done)
"""


def write_hook(bench) -> Path:
    hook = bench.relay.directory / "hook"
    hook.write_text(HOOK.format(python=sys.executable, tests=str(Path(__file__).parent), directory=str(bench.relay.directory),
                                server=bench.primary.address, zone=DOMAIN))
    hook.chmod(0o755)
    return hook


def orders(bench) -> list[dict]:
    return [json.loads(line) for line in (bench.relay.directory / "orders").read_text().splitlines()]


def test_a_program_publishes_revokes_and_removes(bench):
    bench.host(Bind)
    bench.publishes(kind="command", command=[str(write_hook(bench)), "an argument with spaces; and $HOME"])
    bench.relay.start()
    old = bench.keys.establish()
    bench.keys.rotate("--wait")
    new = bench.keys.active()
    bench.wait_for_signers(new)
    bench.keys.command("revoke", "--selector", old, "--force", expect=None)
    bench.keys.wait_for(old, "revoked")
    bench.keys.command("remove", "--selector", old, "--yes", "--force", expect=None)
    bench.keys.wait_for(old, "removed")
    assert bench.primary.texts(bench.keys.name(old)) == []
    told = [(order["action"], order["selector"], order["name"], order["type"]) for order in orders(bench)]
    steps = list(dict.fromkeys(told))
    assert steps == [("publish", old, bench.keys.name(old), "TXT"), ("publish", new, bench.keys.name(new), "TXT"),
                     ("revoke", old, bench.keys.name(old), "TXT"), ("remove", old, bench.keys.name(old), "TXT")]
    allowed = {"PATH", "LANG", "LC_CTYPE"}
    assert all(name in allowed or name.startswith("WAXWING_") for order in orders(bench) for name in order["environment"])
    assert "the hook says NOERROR" in json.dumps(bench.keys.log())
    bench.witness.assert_all_verify()


def test_a_program_that_fails_or_takes_too_long_is_run_again(bench):
    bench.host(Bind)
    bench.publishes(kind="command", command=[str(write_hook(bench))], **{"time-limit": "2 s"})
    key = bench.keys.generate()
    (bench.relay.directory / "broken").touch()
    assert "on holiday" in bench.keys.command("activate", "--selector", key, expect=1)
    (bench.relay.directory / "broken").rename(bench.relay.directory / "slow")
    assert "2 s" in bench.keys.command("activate", "--selector", key, expect=1)
    (bench.relay.directory / "slow").unlink()
    bench.keys.command("activate", "--selector", key)
    assert bench.keys.state(key) == "active" and len(orders(bench)) >= 3


def test_a_program_that_others_can_write_to_is_not_run(bench):
    bench.host(Bind)
    hook = write_hook(bench)
    bench.publishes(kind="command", command=[str(hook)])
    bench.relay.configure()
    key = bench.keys.generate()
    hook.chmod(0o777)
    text = bench.keys.command("publish", "--selector", key, expect=None)
    assert "chmod" in text and not (bench.relay.directory / "orders").exists(), text


# The operator

def zone_of(text: str) -> dns.zone.Zone:
    """The entries of a zone file, with what a zone needs besides."""
    return dns.zone.from_text(f"@ 1 IN SOA a. b. 1 1 1 1 1\n@ 1 IN NS a.\n{textwrap.dedent(text)}\n", origin=DOMAIN, relativize=False,
                              check_origin=False)


def texts_of(zone: dns.zone.Zone) -> dict[str, str]:
    return {name.to_text(omit_final_dot=True): b"".join(record.strings).decode()
            for name, _, record in zone.iterate_rdatas(dns.rdatatype.TXT)}


def test_an_operator_publishes_what_is_printed_and_the_key_signs_by_itself(bench):
    bench.host(Bind)
    bench.relay.start()
    key = bench.keys.generate()
    refused = bench.keys.command("activate", "--selector", key, expect=1)
    assert bench.keys.record(key) in refused, refused
    entries = texts_of(zone_of(bench.keys.command("show", "--selector", key, "--format", "bind")))
    assert entries == {bench.keys.name(key): bench.keys.record(key)}
    bench.primary.change(DOMAIN, entries)
    bench.keys.wait_for(key, "active")
    bench.wait_for_signers(key)

    text = bench.keys.rotate()
    new = bench.keys.successor()
    assert bench.keys.name(new) in text and "waits for you" in text, text
    name, plain = bench.keys.command("show", "--selector", new, "--format", "plain").strip().split(" ", 1)
    assert bench.deliver() == {key}
    bench.primary.change(DOMAIN, {name: plain})
    bench.keys.wait_for(new, "active")
    assert bench.keys.state(key) == "retiring"
    bench.wait_for_signers(new)
    bench.witness.assert_all_verify()
    bench.witness.assert_all_verify_now()

    text = bench.keys.command("revoke", "--selector", key, "--force", expect=None)
    assert bench.keys.name(key) in text and "p=" in text, text
    bench.primary.change(DOMAIN, {bench.keys.name(key): "v=DKIM1; k=rsa; p="})
    bench.keys.wait_for(key, "revoked")
    text = bench.keys.command("remove", "--selector", key, "--yes", "--force", expect=None)
    assert "Delete" in text and bench.keys.name(key) in text, text
    bench.primary.change(DOMAIN, remove=(bench.keys.name(key),))
    bench.keys.wait_for(key, "removed")


@pytest.mark.parametrize("algorithm", ["rsa-4096", "ed25519"])
def test_a_record_goes_through_a_real_server_as_every_format_has_it(bench, algorithm):
    bench.host(Bind)
    key = bench.keys.generate(algorithm)
    record = bench.keys.record(key)
    bind = bench.keys.command("show", "--selector", key, "--format", "bind")
    assert all(len(line) < 600 for line in bind.splitlines())
    assert texts_of(zone_of(bind)) == {bench.keys.name(key): record}
    nsupdate = bench.keys.command("show", "--selector", key, "--format", "nsupdate")
    added = [line.split(None, 6) for line in nsupdate.splitlines() if line.startswith("update add ")]
    assert len(added) == 1 and added[0][2].rstrip(".") == bench.keys.name(key)
    assert in_strings(record) in nsupdate
    bench.primary.change(DOMAIN, {bench.keys.name(key): record}, key=UPDATER)
    bench.keys.command("activate", "--selector", key)
    assert bench.keys.state(key) == "active"
