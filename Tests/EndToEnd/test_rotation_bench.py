# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The name servers that the tests of rotation stand on do what those tests take for granted. No relay runs here."""

import subprocess
import time

import dkim
import dns.exception
import dns.flags
import pytest

from support.clock import Clock
from support.machine import wait_for
from support.names import NSD, UPDATER, WRONG, Bind, Internet, Knot, Scripted, ask, serial, texts
from support.names import questions, scripted
from support.smtp import message
from support.witness import Witness

pytestmark = pytest.mark.root

ZONE = "sender.example"
NAME = f"s1._domainkey.{ZONE}"
LONG = "v=DKIM1; k=rsa; p=" + "A" * 400


@pytest.fixture
def internet():
    with Internet() as internet:
        yield internet


@pytest.mark.parametrize("primary, secondaries", [
    (Bind, (Bind, NSD)), (Knot, (Knot, NSD)), pytest.param(Bind, (Knot,), marks=pytest.mark.long), pytest.param(Knot, (Bind,), marks=pytest.mark.long)])
def test_an_update_reaches_every_secondary_and_the_world(internet, primary, secondaries):
    servers = [primary(internet), *(secondary(internet) for secondary in secondaries)]
    with internet.host(ZONE, *servers) as first:
        assert first.change(ZONE, {NAME: LONG}, key=UPDATER) == "NOERROR"
        for server in servers:
            wait_for(lambda: server.texts(NAME) == [LONG], f"{server.name} to have the record")
            assert server.texts(NAME, over_tcp=True) == [LONG]
        internet.wait_for_texts(NAME, [LONG])
        assert first.change(ZONE, remove=(NAME,), key=UPDATER) == "NOERROR"
        for server in servers:
            wait_for(lambda: server.texts(NAME) == [], f"{server.name} to have lost the record")


@pytest.mark.parametrize("primary", [Bind, Knot])
def test_the_wrong_key_is_refused(internet, primary):
    with internet.host(ZONE, primary(internet)) as first:
        assert first.change(ZONE, {NAME: LONG}, key=WRONG) == "BADSIG"
        assert first.texts(NAME) == []


@pytest.mark.parametrize("primary", [Bind, Knot])
def test_an_updater_that_a_zone_does_not_know_is_refused(internet, primary):
    with internet.host(ZONE, primary(internet), updaters=()) as first:
        assert first.change(ZONE, {NAME: LONG}, key=UPDATER) in ("REFUSED", "BADKEY")
        assert first.texts(NAME) == []


@pytest.mark.parametrize("primary, secondary", [
    (Bind, NSD), (Knot, Bind), (Bind, Knot), *(pytest.param(*pair, marks=pytest.mark.long) for pair in ((Bind, Bind), (Knot, NSD), (Knot, Knot)))])
def test_a_secondary_that_is_held_serves_the_old_zone_until_it_is_released(internet, primary, secondary):
    first, second = primary(internet), secondary(internet)
    with internet.host(ZONE, first, second):
        before = serial(second.address, ZONE)
        first.hold(second)
        first.change(ZONE, {NAME: LONG})
        assert first.texts(NAME) == [LONG]
        time.sleep(0.5)
        assert serial(second.address, ZONE) == before and second.texts(NAME) == []
        first.release(second)
        assert second.texts(NAME) == [LONG]


def test_a_secondary_can_be_silent_and_dead_and_come_back(internet):
    first, second = Bind(internet), NSD(internet)
    with internet.host(ZONE, first, second):
        second.pause()
        with pytest.raises(dns.exception.Timeout):
            texts(second.address, NAME, patience=0.2)
        second.resume()
        wait_for(lambda: second.answers(), "an answer")
        second.stop()
        assert not second.answers()
        assert serial(second.address, ZONE) == -1
        second.start()
        first.wait_for_follower(second, ZONE)


def test_a_journal_survives_the_death_of_the_primary(internet):
    first = Bind(internet)
    with internet.host(ZONE, first):
        first.change(ZONE, {NAME: LONG})
        first.stop()
        first.start()
        assert first.texts(NAME) == [LONG]


def test_a_signed_zone_is_checked_by_whoever_has_its_trust_anchor(internet):
    first, second = Bind(internet), NSD(internet)
    with internet.host(ZONE, first, second, is_signed=True):
        anchor = first.trust_anchor(ZONE)
        first.change(ZONE, {NAME: LONG}, key=UPDATER)
        first.wait_for_follower(second, ZONE)
        assert not ask(internet.address, NAME, recursive=True, dnssec=True).flags & dns.flags.AD
        internet.trust(anchor)
        time.sleep(1.1)
        assert ask(internet.address, NAME, recursive=True, dnssec=True).flags & dns.flags.AD
        assert internet.texts(NAME) == [LONG]


def test_a_signed_zone_with_a_foreign_trust_anchor_is_not_believed(internet):
    with internet.host(ZONE, Bind(internet), is_signed=True) as first:
        anchor = first.trust_anchor(ZONE)
        internet.trust(anchor[:-8] + "00000000")
        assert ask(internet.address, ZONE, "SOA", recursive=True).rcode() == 2


LIES = [
    (scripted.vanished, []), (scripted.servfail, []), (scripted.refused, []), (scripted.lame, []),
    (scripted.says("one", "two"), ["one", "two"]), (scripted.rewritten(scripted.shortened), [LONG[:200]]),
    (scripted.rewritten(scripted.quoted), [f'"{LONG[:200]}" "{LONG[200:400]}" "{LONG[400:]}"']),
    (scripted.rewritten(scripted.escaped), [LONG.replace(";", "\\;")]), (scripted.slow(0.1), [LONG]),
    (scripted.rewritten(scripted.doubled), sorted([LONG, LONG.replace("p=", "p=AAAA")])),
]


def test_a_server_lies_when_told_to_and_tells_the_truth_again(internet):
    first = Bind(internet)
    with Scripted(internet, first) as liar, internet.host(ZONE, first, others=(liar,)):
        first.change(ZONE, {NAME: LONG})
        for lie, wanted in LIES:
            for over_tcp in (False, True):
                assert liar.texts(NAME, over_tcp=over_tcp) == [LONG]
            liar.lie(lie, NAME)
            for over_tcp in (False, True):
                assert liar.texts(NAME, over_tcp=over_tcp) == wanted
            assert serial(liar.address, ZONE) == serial(first.address, ZONE), "it only lies about that name"
            liar.tell_the_truth()
        assert liar.texts(NAME) == [LONG]
        assert (NAME, "TXT", True) in liar.asked


def test_a_server_can_be_deaf_to_udp_or_tcp(internet):
    first = Bind(internet)
    with Scripted(internet, first) as liar, internet.host(ZONE, first, others=(liar,)):
        liar.lie(scripted.silence)
        with pytest.raises(dns.exception.Timeout):
            liar.texts(NAME, patience=0.2)
        liar.lie(scripted.truncated)
        with pytest.raises((EOFError, OSError)):
            liar.texts(NAME)


def test_the_resolver_says_how_often_it_was_asked_and_keeps_answers(internet):
    with internet.host(ZONE, Bind(internet)) as first:
        assert internet.questions_for(NAME) == 0
        assert internet.texts(NAME) == []
        assert internet.questions_for(NAME) == 1
        first.change(ZONE, {NAME: LONG})
        internet.wait_for_texts(NAME, [LONG])


@pytest.mark.parametrize("kinds", [(Knot, NSD), pytest.param((Bind, Knot), marks=pytest.mark.long), pytest.param((Knot, Bind), marks=pytest.mark.long)])
def test_a_clock_moves_the_servers(internet, kinds):
    with Clock() as clock:
        servers = [kind(internet, clock) for kind in kinds]
        with internet.host(ZONE, *servers) as first:
            clock.advance(days=5)
            assert questions.change(first.address, ZONE, UPDATER, {NAME: LONG}) == "BADTIME", "our time is five days behind"
            assert first.change(ZONE, {NAME: LONG}, key=UPDATER) == "NOERROR"
            for server in servers:
                first.wait_for_follower(server, ZONE)
                assert server.texts(NAME) == [LONG]
            clock.advance(days=40)
            assert first.change(ZONE, remove=(NAME,), key=UPDATER) == "NOERROR"
            for server in servers:
                wait_for(lambda: server.texts(NAME) == [], "the record to vanish")


# The witness


def signed(private: bytes, selector: str = "s1") -> bytes:
    content = message()
    return dkim.sign(content, selector.encode(), ZONE.encode(), private, include_headers=[b"from", b"subject"]) + content


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[bytes, str]:
    """A private key, and its record."""
    file = tmp_path_factory.mktemp("pair") / "private.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", file, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", file, "-pubout"], check=True, capture_output=True, text=True).stdout
    return file.read_bytes(), "v=DKIM1; k=rsa; p=" + "".join(line for line in public.splitlines() if "-----" not in line)


def test_a_witness_remembers_what_the_dns_showed_when_a_message_came(internet, pair):
    private, record = pair
    first, second = Bind(internet), NSD(internet)
    with internet.host(ZONE, first, second):
        witness = Witness({ZONE: [first, second]}, internet)
        first.change(ZONE, {NAME: record})
        first.wait_for_follower(second, ZONE)
        internet.wait_for_texts(NAME, [record])
        witness.see(signed(private))
        first.change(ZONE, remove=(NAME,))
        first.wait_for_follower(second, ZONE)
        internet.wait_for_texts(NAME, [])
        witness.assert_all_verify()
        with pytest.raises(AssertionError, match="3 failures among 1"):
            witness.assert_all_verify_now()
        witness.see(signed(private))
        with pytest.raises(AssertionError, match="1 failures among 2"):
            witness.assert_all_verify()


def test_a_witness_sees_a_secondary_that_lags(internet, pair):
    private, record = pair
    first, second = Bind(internet), NSD(internet)
    with internet.host(ZONE, first, second):
        witness = Witness({ZONE: [first, second]})
        first.hold(second)
        first.change(ZONE, {NAME: record})
        witness.see(signed(private))
        with pytest.raises(AssertionError, match="1 failures among 1"):
            witness.assert_all_verify()
        with pytest.raises(AssertionError, match=f"at {second.address}"):
            witness.assert_all_verify_now()


def test_a_witness_follows_an_alias_to_the_servers_of_its_zone(internet, pair):
    private, record = pair
    first, other = Bind(internet), Knot(internet)
    target = f"s1.{ZONE}.keys.relay.example"
    with internet.host("keys.relay.example", other), internet.host(ZONE, first, records=f"s1._domainkey CNAME {target}.\n"):
        other.change("keys.relay.example", {target: record}, key=UPDATER)
        witness = Witness({ZONE: [first], "keys.relay.example": [other]}, internet)
        witness.see(signed(private))
        witness.assert_all_verify()
        witness.assert_all_verify_now()
        assert witness.selectors() == [{"s1"}]
