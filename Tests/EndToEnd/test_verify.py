# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""`waxwing verify` says what happened to a message, `waxwing sign --explain` what was signed: both checked from outside."""

import base64
import hashlib
import json
import re

import pytest

from support.smtp import message
from support.verifiers import assert_verified, tags_of_signatures

BODY = "Hello.\r\n.dot\r\nFrom here\r\n\r\ntwo  spaces \r\n" + "word " * 30 + "end\r\n"


@pytest.fixture
def signed(relay) -> bytes:
    """A message with an RSA and an Ed25519 signature; the file of their records stands beside it."""
    write_records(relay, relay.key_records())
    return relay.command("sign", input=message(body=BODY, fields="Reply-To: r@sender.example\r\n")).encode()


def write_records(relay, records: dict[str, str]) -> None:
    (relay.directory / "records").write_text("".join(f"{name} {record}\n" for name, record in records.items()))


def verify(relay, content: bytes, expect: int) -> dict:
    return json.loads(relay.command("verify", "--json", "--keys", relay.directory / "records", input=content, config=False, expect=expect))


def test_a_whole_message_passes_and_is_aligned(relay, signed):
    document = verify(relay, signed, expect=0)
    assert document["outcome"] == "good" and document["result"] == "pass" and document["author"] == "sender.example"
    for signature, tags in zip(document["signatures"], tags_of_signatures(signed), strict=True):
        assert signature["result"] == "pass" and signature["alignment"]["mode"] == "exact"
        assert (signature["domain"], signature["selector"], signature["algorithm"]) == (tags["d"], tags["s"], tags["a"])
        assert signature["body"]["computed"] == signature["body"]["expected"] == tags["bh"]
        assert {"from", "subject", "reply-to"} <= set(signature["header"]["signed"])
        assert {"from", "cc"} <= set(signature["header"]["oversigned"]) and "cc" in signature["header"]["absent"]
    text = relay.command("verify", "--keys", relay.directory / "records", input=signed, config=False)
    assert text.count("pass") >= 2 and "oversigned" in text


def body_changed(change):
    return lambda content: content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + change(content.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("kind, part, change", [
    ("body-changed", "body", body_changed(lambda body: body.replace(b"Hello", b"Jello"))),
    ("body-text-added", "body", body_changed(lambda body: body + b"-- \r\nA disclaimer.\r\n")),
    ("body-empty", "body", body_changed(lambda body: b"")),
    ("body-from-quoting", "body", body_changed(lambda body: body.replace(b"From here", b">From here"))),
    ("body-dots", "body", body_changed(lambda body: body.replace(b"\r\n.dot", b"\r\n..dot"))),
    ("field-changed", "header", lambda content: content.replace(b"A test", b"A jest")),
    ("field-added", "header", lambda content: b"Subject: another\r\n" + content),
    ("field-removed", "header", lambda content: content.replace(b"Reply-To: r@sender.example\r\n", b"")),
])
def test_the_change_that_broke_a_signature_is_named(relay, signed, kind, part, change):
    altered = change(signed)
    assert altered != signed
    original, records = relay.directory / "original.eml", relay.directory / "records"
    original.write_bytes(signed)
    # Which field was changed or removed can't be told from the altered message alone.
    compared = ["--original", original] if kind in ("field-changed", "field-removed") else []
    document = json.loads(relay.command("verify", "--json", "--keys", records, *compared, input=altered, config=False, expect=1))
    assert document["outcome"] == "bad" and document["result"] == "fail"
    for signature in document["signatures"]:
        assert signature["result"] == "fail" and not signature[part]["isIntact"], signature
        assert signature[part]["cause"]["kind"] == kind, signature[part]["cause"]
        if part == "body":
            assert signature["body"]["computed"] != signature["body"]["expected"]
    # With the message as it was signed, the place is named.
    report = relay.command("verify", "--keys", records, "--original", original, input=altered, config=False, expect=1).lower()
    place = {"body": "line ", "header": "subject" if b"Reply-To" in altered else "reply-to"}[part]
    assert place in report.partition("because")[2].partition("\n")[0], report


def test_a_signature_that_passes_without_alignment_is_not_enough(relay, signed):
    foreign = signed.replace(b"From: An Application <app@sender.example>\r\n", b"")
    assert foreign != signed
    relay.make_key("other.example", "o1")
    other = relay.command("sign", input=message(sender="app@other.example")).encode()
    write_records(relay, relay.key_records())
    assert verify(relay, other, expect=0)["signatures"][0]["alignment"]["mode"] == "exact"
    assert verify(relay, foreign, expect=1)["outcome"] == "bad"


@pytest.mark.parametrize("arguments, status", [
    (["--keys", "/nonexistent/records"], 2), (["/nonexistent/message.eml"], 2), (["--no-such-option"], 64),
])
def test_exit_statuses_tell_a_bad_message_from_one_that_cannot_be_judged(relay, signed, arguments, status):
    relay.command("verify", *arguments, input=signed, config=False, expect=status)


def test_an_unsigned_message_has_no_signature_that_passes(relay, signed):
    assert verify(relay, message(), expect=1)["signatures"] == []


def test_explain_shows_the_octets_whose_digest_was_signed(relay):
    content = message(subject="x\r\n  \tfolded", body=BODY)
    output = relay.command("sign", "--explain", input=content)
    end = output.index("\nsignature d=") + 1 if "\nsignature d=" in output else output.index("signature d=")
    signed, explained = output[:end].encode(), output[end:]
    assert_verified(signed, relay.key_records(), ["rsa-sha256", "ed25519-sha256"])
    blocks = re.split(r"^(?=signature d=)", explained, flags=re.M)[1:]
    tags = {one["s"]: one for one in tags_of_signatures(signed)}
    assert len(blocks) == 2
    for block in blocks:
        selector = re.search(r" s=(\S+)", block).group(1)
        assert re.search(r"bh= +(\S+)", block).group(1) == tags[selector]["bh"]
        header = re.search(r"^header fields.*\n((?: {4}.*\n)+)", block, re.M).group(1)
        field = re.search(r"^the signature field.*\n((?: {4}.*\n)+)", block, re.M).group(1)
        octets = seen(header) + seen(field)
        assert b"subject:x folded\r\n" in octets and octets.endswith(b"b="), octets
        size, digest = re.search(r"signed: (\d+) octets, whose SHA-256 digest is ([0-9a-f]{64})", block).groups()
        assert int(size) == len(octets) and hashlib.sha256(octets).hexdigest() == digest
        canonical = b"".join(re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") + b"\r\n" for line in BODY.encode().split(b"\r\n")[:-1])
        assert base64.b64encode(hashlib.sha256(canonical).digest()).decode() == tags[selector]["bh"]


def seen(lines: str) -> bytes:
    """The octets that the explanation's lines stand for."""
    text = "".join(line[4:] for line in lines.splitlines())
    return text.encode().decode("unicode_escape").encode("latin-1")
