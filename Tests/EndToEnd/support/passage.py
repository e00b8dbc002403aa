# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""One message through a relay, octet for octet: smtplib would mend what is to be mended by the relay."""

from .next_hops import NextHop
from .relay import Relay
from .smtp import Conversation, queue_id


def hand_in(relay: Relay, octets: bytes) -> str:
    """Writes a whole content, which has its end already; the reply."""
    with Conversation(relay.port) as client:
        client.begin_data()
        client.write(octets)
        return client.reply()


def arrived(relay: Relay, content: bytes, extensions: tuple[str, ...] = ("8BITMIME",), **route) -> bytes:
    """What a next hop with these extensions gets of a message; the relay is started and stays up."""
    with NextHop(extensions=extensions) as hop:
        relay.send_to(hop.port, ed25519=True, **route)
        relay.start()
        queue_id(hand_in(relay, content + b".\r\n"))
        return hop.wait_for_arrivals(1)[0].content
