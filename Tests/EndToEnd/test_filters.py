# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""`waxwing sign`, `verify` and `send`: the same machinery as filters and as a client."""

import base64
import hashlib
import json
import re
import subprocess

from support.next_hops import NextHop
from support.smtp import message
from support.verifiers import assert_verified

PUBLISHED = ("brisbane._domainkey.football.example.com v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n")


def test_sign_signs_a_message_from_standard_input_or_from_a_file(relay):
    content = message()
    from_input = relay.command("sign", input=content).encode()
    assert from_input.endswith(content.split(b"\r\n\r\n", 1)[1])
    assert_verified(from_input, relay.key_records(), ["rsa-sha256", "ed25519-sha256"])
    file = relay.directory / "message.eml"
    file.write_bytes(content)
    assert_verified(relay.command("sign", file).encode(), relay.key_records(), ["rsa-sha256", "ed25519-sha256"])


def test_sign_without_a_key_fails_and_prints_no_message(bare_relay):
    text = bare_relay.command("sign", input=message(), expect=1)
    assert "sender.example" in text and "Subject:" not in text


def test_verify_says_which_part_differs(relay):
    keys = relay.directory / "records"
    signed = relay.command("sign", input=message(body="one\r\ntwo\r\n")).encode()
    keys.write_text("".join(f"{name}\t{record}\n" for name, record in relay.key_records().items()))
    assert "pass" in relay.command("verify", "--keys", keys, input=signed, config=False)
    assert "body" in relay.command("verify", "--keys", keys, input=signed.replace(b"two", b"too"), config=False, expect=1)
    original = relay.directory / "original.eml"
    original.write_bytes(signed)
    for changed, part in ((signed.replace(b"two", b"too"), "body"), (signed.replace(b"A test", b"A jest"), "subject")):
        report = relay.command("verify", "--keys", keys, "--original", original, input=changed, config=False, expect=1)
        assert part in report.lower(), report
    keys.write_text(keys.read_text().replace("\n", "\r\n"))
    assert "pass" in relay.command("verify", "--keys", keys, input=signed, config=False)
    keys.write_text(PUBLISHED)
    assert "pass" not in relay.command("verify", "--keys", keys, input=signed, config=False, expect=1)


def test_verify_prints_json_and_ends_with_what_scripts_need(relay):
    keys = relay.directory / "records"
    keys.write_text("".join(f"{name}\t{record}\n" for name, record in relay.key_records().items()))
    signed = relay.command("sign", input=message(body="one\r\ntwo\r\n")).encode()
    found = json.loads(relay.command("verify", "--json", "--keys", keys, input=signed, config=False))
    assert found["outcome"] == "good" and found["result"] == "pass" and found["author"] == "sender.example"
    for signature in found["signatures"]:
        assert signature["result"] == "pass" and signature["alignment"]["mode"] == "exact"
        assert signature["body"]["computed"] == signature["body"]["expected"]
        assert "from" in signature["header"]["signed"] and "from" in signature["header"]["oversigned"]
    broken = signed.replace(b"one\r\n", b"one\n")
    found = json.loads(relay.command("verify", "--json", "--keys", keys, input=broken, config=False, expect=1))
    assert {signature["body"]["cause"]["kind"] for signature in found["signatures"]} == {"body-line-ends"}
    stranger = signed.replace(b"sender.example", b"stranger.example")
    found = json.loads(relay.command("verify", "--json", "--keys", keys, input=stranger, config=False, expect=1))
    assert found["outcome"] == "bad"
    relay.command("verify", "--keys", keys, relay.directory / "missing.eml", config=False, expect=2)
    relay.command("verify", "--keys", relay.directory / "missing", input=signed, config=False, expect=2)


def test_sign_explains_what_it_hashed_and_signed(relay):
    relay.configure()
    done = subprocess.run([relay.binary, "sign", "--explain", "--config", relay.config], input=message(body="one\r\n\r\n"),
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert_verified(done.stdout, relay.key_records(), ["rsa-sha256", "ed25519-sha256"])
    text = done.stderr.decode()
    digests = re.findall(r"SHA-256 digest is ([0-9a-f]{64})", text)
    assert len(digests) == 2 and len(set(digests)) == 2
    assert r"first line  one\r\n" in text and base64.b64encode(hashlib.sha256(b"one\r\n").digest()).decode() in text
    # The octets that are shown are the octets that were hashed.
    for part, digest in zip(text.split("signature d=")[1:], digests):
        shown = [line[4:] for line in part.splitlines() if re.match(r"    [a-z-]+:", line)]
        octets = "".join(shown).encode().decode("unicode_escape").encode("latin-1")
        assert hashlib.sha256(octets).hexdigest() == digest, part


def test_send_submits_and_prints_the_conversation(relay):
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        text = relay.command("send", "--to", "a@sink.example", "--from", "app@sender.example",
                             "--server", f"127.0.0.1:{relay.port}", config=False)
        assert "C: MAIL FROM:<app@sender.example>" in text and "S: 250 2.0.0 queued as" in text
        assert hop.wait_for_arrivals(1)[0].recipients == ["a@sink.example"]
        refused = relay.command("send", "--to", "a@sink.example", "--from", "app@stranger.example",
                                "--server", f"127.0.0.1:{relay.port}", config=False, expect=1)
        assert "S: 550 5.7.1" in refused
