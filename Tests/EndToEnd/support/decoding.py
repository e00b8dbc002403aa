# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What a reader's program sees of a message, as Python's email package decodes it."""

import email
import email.header
import email.utils
import re
from email.message import Message

# Fields that a relay adds or takes away, and those that say how the octets are written rather than what they mean.
CHANGED = {"received", "date", "message-id", "dkim-signature", "bcc", "return-path", "mime-version", "content-type",
           "content-transfer-encoding", "content-disposition", "resent-message-id", "resent-date"}
ADDRESSES = {"from", "to", "cc", "reply-to", "sender", "resent-from", "resent-to"}


def decoded(content: bytes) -> dict[str, object]:
    """The fields of the message and its parts, decoded: equal for two messages that say the same."""
    message = email.message_from_bytes(content)
    return {"fields": sorted(decoded_fields(message)), "parts": decoded_parts(message, is_whole=True)}


def decoded_fields(message: Message) -> list[tuple[str, object]]:
    fields = []
    for name, value in message.raw_items():
        name = name.lower()
        if name in ADDRESSES:
            # An address is compared with its name, which may have been encoded.
            pairs = email.utils.getaddresses([raw_text(value)])
            fields.append((name, [(decoded_text(display), address) for display, address in pairs]))
        elif name not in CHANGED:
            fields.append((name, decoded_text(value)))
    return fields


def raw_text(value: str) -> str:
    """Unfolded; octets above 127, which Python keeps as surrogates, are read as UTF-8."""
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", str(value))
    return unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decoded_text(value: str) -> str:
    """Encoded words decoded, runs of white space made one space each."""
    text = raw_text(value)
    if text.isascii():
        text = str(email.header.make_header(email.header.decode_header(text)))
    return re.sub(r"[ \t]+", " ", text).strip(" ")


def decoded_parts(message: Message, is_whole: bool = False) -> list[object]:
    """Type, file name and octets of each leaf, in order; a container is the list of its parts."""
    kind = message.get_content_type()
    if message.is_multipart():
        return [kind, [decoded_parts(part) for part in message.get_payload()]]
    octets = (message.get_payload(decode=True) or b"").replace(b"\r\n", b"\n")
    if is_whole:
        # The end of data comes at the beginning of a line, so a relay may have to end the last one.
        octets = octets.removesuffix(b"\n")
    return [kind, decoded_text(message.get_filename("")), octets]
