# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What `[signing]`, `[[domain]]` and `[[route]]` say about signatures, as the next hop sees it; three verifiers judge each."""

import pytest

from support.next_hops import NextHop
from support.smtp import message, refusal, submit
from support.verifiers import tags_of_signatures

DAY = 86400
FOREIGN = ("DKIM-Signature: v=1; a=rsa-sha256; d=elsewhere.example; s=x; h=from;\r\n"
           " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n")


def names(tags: dict[str, str]) -> list[str]:
    return tags["h"].lower().split(":")


def sent(relay, hop, content: bytes, sender: str = "app@sender.example") -> list[dict[str, str]]:
    """The tags of the signatures that a message leaves with."""
    before = len(hop.arrivals)
    submit(relay.port, content, sender=sender)
    return tags_of_signatures(hop.wait_for_arrivals(before + 1)[before].content)


def test_a_domain_has_its_own_policy_and_a_route_the_last_word(relay):
    policy = {"name": "sender.example", "algorithms": ["rsa"], "canonicalization": "simple/simple", "sign": "minimal",
              "oversign": "from", "auid": "@mail.sender.example", "expiry": "3 d"}
    fields = "List-Id: <l.sender.example>\r\nX-A: 1\r\n"
    with NextHop() as hop:
        relay.configure(domain=[policy])
        relay.send_to(hop.port, ed25519=True)
        relay.start()
        [tags] = sent(relay, hop, message(fields=fields))
        assert (tags["c"], tags["i"], tags["s"]) == ("simple/simple", "@mail.sender.example", "rsa1")
        assert int(tags["x"]) - int(tags["t"]) == 3 * DAY
        assert names(tags).count("from") == 2 and names(tags).count("subject") == 1 and "list-id" not in names(tags)

        relay.send_to(hop.port, ed25519=True, canonicalization="relaxed/simple", sign=["Subject", "X-A"], oversign=["X-A"],
                      expiry="1 d")
        relay.command("reload")
        [tags] = sent(relay, hop, message(fields=fields))
        assert (tags["c"], tags["i"]) == ("relaxed/simple", "@mail.sender.example")
        assert int(tags["x"]) - int(tags["t"]) == DAY
        assert sorted(names(tags)) == ["from", "from", "subject", "x-a", "x-a"]


def test_the_key_of_a_domain_signs_below_it_only_if_the_configuration_says_so(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        below = "app@news.sender.example"
        assert refusal(relay.port, message(sender=below), sender=below).startswith("550 5.7.1 ")
        relay.configure(domain=[{"name": "sender.example", "subdomains": True}])
        relay.command("reload")
        [tags] = sent(relay, hop, message(sender=below), sender=below)
        assert tags["d"] == "sender.example"
        beside = "app@notsender.example"
        assert refusal(relay.port, message(sender=beside), sender=beside).startswith("550 5.7.1 ")


@pytest.mark.parametrize("choice, left", [("keep", 3), ("strip-own", 1), ("strip", 1)])
def test_signatures_that_a_message_came_in_with(relay, choice, left):
    with NextHop() as hop:
        relay.send_to(hop.port, **{"existing-signatures": choice})
        relay.start()
        presigned = relay.command("sign", input=message()).encode()
        assert len(tags_of_signatures(presigned)) == 2
        if choice == "strip":
            presigned = FOREIGN.encode() + presigned
        signatures = sent(relay, hop, presigned)
        assert len(signatures) == left
        assert all(tags["d"] == "sender.example" for tags in signatures)
