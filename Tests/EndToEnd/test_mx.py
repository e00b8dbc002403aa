# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Delivery to MX hosts, found through a real name server."""

import pytest

from support.machine import free_port, wait_for
from support.names import NameServer
from support.next_hops import NextHop
from support.smtp import message, submit
from support.verifiers import assert_verified

pytestmark = pytest.mark.root

ZONE = """
two.one.example. MX 20 second.one.example.
two.one.example. MX 10 first.one.example.
first.one.example. A 127.0.0.21
second.one.example. A 127.0.0.22
implicit.one.example. A 127.0.0.21
alias.one.example. CNAME two.one.example.
null.one.example. MX 0 .
inside.one.example. MX 10 first.one.example.
dangling.one.example. MX 10 nowhere.one.example.
text.one.example. TXT "no address and no MX"
"""


@pytest.fixture
def names():
    with NameServer({"one.example": ZONE}, failing=("broken.example",)) as server:
        yield server


def use_mx(relay, names, port, private=True):
    relay.configure(dns={"servers": [names.server]},
                    route=[{"name": "internet", "to": ["*"], "mx": True, "port": port, "allow-private-targets": private}])


def test_mail_goes_to_the_most_preferred_host_with_two_signatures(relay, names):
    with NextHop(address="127.0.0.21") as first:
        use_mx(relay, names, first.port)
        relay.start()
        submit(relay.port, message(), recipients=("a@two.one.example",))
        assert_verified(first.wait_for_arrivals(1)[0].content, relay.key_records(), ["rsa-sha256", "ed25519-sha256"])


def test_mail_goes_to_the_next_host_when_the_first_is_down(relay, names):
    with NextHop(address="127.0.0.22") as second:
        use_mx(relay, names, second.port)
        relay.start()
        submit(relay.port, message(), recipients=("a@two.one.example",))
        second.wait_for_arrivals(1)


@pytest.mark.parametrize("domain", ["implicit.one.example", "alias.one.example"])
def test_a_domain_without_mx_and_a_domain_that_is_an_alias(relay, names, domain):
    with NextHop(address="127.0.0.21") as first:
        use_mx(relay, names, first.port)
        relay.start()
        submit(relay.port, message(), recipients=(f"a@{domain}",))
        assert first.wait_for_arrivals(1)[0].recipients == [f"a@{domain}"]


@pytest.mark.parametrize("domain, status", [
    ("null.one.example", "5.1.10"), ("missing.one.example", "5.1.2"), ("nothing.here.example", "5.1.2"),
    ("dangling.one.example", "5.4.4"),
])
def test_a_domain_that_takes_no_mail_bounces_at_once(relay, names, domain, status):
    with NextHop(address="127.0.0.21") as hop:
        use_mx(relay, names, hop.port)
        # The bounce goes to the sender's own domain, which has an address.
        names.replace("one.example", ZONE + "sender.one.example. A 127.0.0.21\n")
        relay.make_key("sender.one.example", "s1", "ed25519")
        relay.make_key("sender.one.example", "s2", "rsa-2048")
        relay.start()
        submit(relay.port, message(sender="app@sender.one.example"), sender="app@sender.one.example", recipients=(f"a@{domain}",))
        bounce = hop.wait_for_arrivals(1)[0]
        assert bounce.recipients == ["app@sender.one.example"]
        assert f"Status: {status}".encode() in bounce.content, bounce.content.decode()


def test_a_name_server_that_fails_defers(relay, names):
    use_mx(relay, names, free_port())
    relay.start()
    identifier = submit(relay.port, message(), recipients=("a@broken.example",))
    wait_for(lambda: "4.4.3" in relay.command("queue", "show", identifier), "a first attempt")
    assert [entry["state"] for entry in relay.queue()] in (["deferred"], ["active"])


def test_a_private_target_is_refused_unless_the_route_allows_it(relay, names):
    with NextHop(address="127.0.0.21") as first:
        use_mx(relay, names, first.port, private=False)
        relay.start()
        submit(relay.port, message(), recipients=("a@inside.one.example",))
        wait_for(lambda: "loopback or private addresses" in relay.log(), "an outcome that says why")
        relay.wait_until_empty()
        assert first.arrivals == [] and first.connections == 0
