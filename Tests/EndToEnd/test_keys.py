# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Keys on the command line: made, shown, proven in DNS, active."""

import re
import stat
import subprocess
import time

import pytest

from support.machine import free_port, wait_for
from support.names import NameServer
from support.next_hops import NextHop
from support.smtp import message, refusal, submit
from support.verifiers import assert_verified, tags_of_signatures


def test_generated_keys_are_files_that_only_their_owner_reads(bare_relay):
    text = bare_relay.command("keys", "generate", "sender.example", "--selector", "s1")
    assert "v=DKIM1; k=rsa; p=" in text and "s1._domainkey.sender.example" in text
    directory = bare_relay.directory / "Keys/sender.example/s1"
    assert {file.name for file in directory.iterdir()} == {"private.pem", "record.txt", "key.json"}
    assert stat.S_IMODE((directory / "private.pem").stat().st_mode) == 0o600
    subprocess.run(["openssl", "pkey", "-in", directory / "private.pem", "-noout", "-check"], check=True, capture_output=True)
    bits = subprocess.run(["openssl", "pkey", "-in", directory / "private.pem", "-noout", "-text"], capture_output=True, text=True)
    assert "2048 bit" in bits.stdout


def test_a_selector_is_never_used_twice(bare_relay):
    bare_relay.make_key("sender.example", "s1", activate=False)
    text = bare_relay.command("keys", "generate", "sender.example", "--selector", "s1", expect=1)
    assert "s1" in text


def test_list_names_every_key_and_its_state(bare_relay):
    bare_relay.make_key("sender.example", "s1")
    bare_relay.make_key("sender.example", "s2", "ed25519", activate=False)
    lines = bare_relay.command("keys", "list").splitlines()
    first, second = (next(line for line in lines if name in line) for name in ("s1", "s2"))
    assert "active" in first and "unproven" in first, "that it was forced is shown"
    assert "generated" in second


def test_show_prints_a_record_that_a_zone_file_takes(bare_relay):
    bare_relay.make_key("sender.example", "s1", activate=False)
    name, plain = bare_relay.command(
        "keys", "show", "sender.example", "--selector", "s1", "--format", "plain").strip().split(" ", 1)
    assert name == "s1._domainkey.sender.example"
    bind = bare_relay.command("keys", "show", "sender.example", "--selector", "s1", "--format", "bind")
    strings = re.findall(r'"([^"]*)"', bind)
    assert len(strings) >= 2 and max(map(len, strings)) <= 255 and "".join(strings) == plain
    assert plain == bare_relay.key_records()["s1._domainkey.sender.example"]


def test_pkcs1_and_pkcs8_keys_are_imported(bare_relay):
    for number, flags in enumerate((["-traditional"], [])):
        file = bare_relay.directory / f"key{number}.pem"
        subprocess.run(["openssl", "genrsa", *flags, "-out", file, "2048"], check=True, capture_output=True)
        wanted = "BEGIN RSA PRIVATE KEY" if flags else "BEGIN PRIVATE KEY"
        assert wanted in file.read_text()
        bare_relay.command("keys", "import", "sender.example", "--selector", f"i{number}", file)
        public = subprocess.run(["openssl", "pkey", "-in", file, "-pubout"], check=True, capture_output=True, text=True).stdout
        body = "".join(line for line in public.splitlines() if "-----" not in line)
        assert bare_relay.key_records()[f"i{number}._domainkey.sender.example"].endswith("p=" + body)


def test_a_key_that_others_can_read_is_refused_with_the_command_that_mends_it(bare_relay):
    bare_relay.make_key("sender.example", "s1")
    (bare_relay.directory / "Keys/sender.example/s1/private.pem").chmod(0o644)
    bare_relay.start()
    reply = refusal(bare_relay.port, message())
    assert reply.startswith("451 4.7.5"), reply
    assert "chmod" in bare_relay.log(), bare_relay.log()


@pytest.mark.root
def test_activation_wants_proof_from_dns(bare_relay):
    with NameServer({"sender.example": "other TXT \"x\"\n"}) as names:
        bare_relay.configure(dns={"servers": [names.server]})
        bare_relay.make_key("sender.example", "s1", activate=False)
        refused = bare_relay.command("keys", "activate", "sender.example", "--selector", "s1", expect=1)
        assert "s1._domainkey.sender.example" in refused
        assert "generated" in bare_relay.command("keys", "list")

        def publish(record: str) -> None:
            strings = " ".join(f'"{record[start:start + 255]}"' for start in range(0, len(record), 255))
            names.replace("sender.example", f"s1._domainkey TXT {strings}\n")

        record = bare_relay.key_records()["s1._domainkey.sender.example"]
        publish(record[:-8] + "AAAAAAA=")
        time.sleep(1.1)  # The zone's records live for a second in a resolver.
        bare_relay.command("keys", "activate", "sender.example", "--selector", "s1", expect=1)
        publish(record)
        time.sleep(1.1)
        bare_relay.command("keys", "activate", "sender.example", "--selector", "s1")
        listed = bare_relay.command("keys", "list")
        assert "active" in listed and "unproven" not in listed


def test_an_activation_reaches_a_running_relay_within_a_second(bare_relay):
    with NextHop() as hop:
        bare_relay.make_key("sender.example", "s1", activate=False)
        bare_relay.send_to(hop.port)
        bare_relay.start()
        assert refusal(bare_relay.port, message()).startswith("451 4.7.5")
        bare_relay.command("keys", "activate", "sender.example", "--selector", "s1", "--force")
        time.sleep(1)
        submit(bare_relay.port, message())
        assert_verified(hop.wait_for_arrivals(1)[0].content, bare_relay.key_records(), ["rsa-sha256"])


def test_a_key_made_while_the_relay_runs_is_usable_too(bare_relay):
    with NextHop() as hop:
        bare_relay.send_to(hop.port)
        bare_relay.start()
        assert refusal(bare_relay.port, message()).startswith("550 5.7.1")
        bare_relay.make_key("sender.example", "s1")
        time.sleep(1)
        submit(bare_relay.port, message())
        assert [tags["s"] for tags in tags_of_signatures(hop.wait_for_arrivals(1)[0].content)] == ["s1"]


def test_a_message_in_the_queue_leaves_with_the_key_that_is_active_at_departure(bare_relay):
    port = free_port()
    bare_relay.make_key("sender.example", "s1")
    bare_relay.send_to(port)
    bare_relay.start()
    submit(bare_relay.port, message())
    wait_for(lambda: "deferred" in bare_relay.command("queue", "list"), "the first deferral")
    bare_relay.make_key("sender.example", "s2")
    time.sleep(1)
    with NextHop(port=port) as hop:
        content = hop.wait_for_arrivals(1)[0].content
        assert_verified(content, bare_relay.key_records(), ["rsa-sha256"])
