# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""`waxwing dns`: what a domain needs in the DNS, and whether a real name server has it."""

import json
import subprocess

import pytest

from support.names import NameServer

DOMAIN = "sender.example"
HOST = f"relay.{DOMAIN}"
# An address that no resolver keeps a zone of its own for, as they do for those of documentation.
ADDRESS = "198.18.0.25"
REVERSE_ZONE = "0.18.198.in-addr.arpa"
MX = "@ MX 10 mail\nmail A 198.18.0.30\n"


@pytest.fixture
def relay(bare_relay):
    bare_relay.configure(hostname=HOST, route=[{"name": "mx", "to": ["*"], "mx": True}])
    bare_relay.make_key(DOMAIN, "s1")
    return bare_relay


def printed(relay, form: str) -> str:
    return relay.command("dns", "print", DOMAIN, "--address", ADDRESS, "--format", form)


def split(records: str) -> dict[str, str]:
    """Lines of a zone file, by the zone they belong in."""
    lines = [line for line in records.splitlines() if line and not line.startswith(";")]
    reverse = [line for line in lines if REVERSE_ZONE in line]
    return {DOMAIN: "\n".join(line for line in lines if line not in reverse) + "\n" + MX,
            REVERSE_ZONE: "\n".join(reverse) + "\n"}


def check(relay, server: NameServer, expect: int, *arguments: str) -> dict:
    relay.configure(dns={"servers": [server.server]})
    text = relay.command("dns", "check", DOMAIN, "--address", ADDRESS, "--json", *arguments, expect=expect)
    return json.loads(text)


def findings(document: dict, kind: str, status: str | None = None) -> list[dict]:
    return [item for item in document["findings"]
            if item["kind"] == kind and status in (None, item["status"])]


def test_what_is_printed_needs_no_dns(relay):
    relay.configure(dns={"servers": ["127.53.0.1@1"]})
    plain = printed(relay, "plain").splitlines()
    assert f"{DOMAIN} TXT v=spf1 a:{HOST} ~all" in plain
    assert f"25.{REVERSE_ZONE} PTR {HOST}" in plain
    assert [f"{name} TXT {record}" for name, record in relay.key_records().items()][0] in plain
    text = relay.command("dns", "print", DOMAIN, "--address", ADDRESS)
    assert "MTA-STS (optional)" in text and "pct" not in text
    wanted = json.loads(relay.command("dns", "print", DOMAIN, "--address", ADDRESS, "--json"))
    assert {item["kind"] for item in wanted} == {"host", "ptr", "spf", "dkim", "dmarc", "mta-sts", "tlsrpt"}


@pytest.mark.root
def test_a_name_server_that_has_what_is_printed_passes_the_check(relay):
    with NameServer(split(printed(relay, "bind") + f"mta-sts.{DOMAIN}. A 198.18.0.31\n")) as server:
        document = check(relay, server, 0)
        assert document["outcome"] == "ok", document
        assert {item["status"] for item in document["findings"]} == {"ok"}
        assert findings(document, "dkim")[0]["text"].startswith("rsa-2048, active: published at ")
        text = relay.command("dns", "check", DOMAIN, "--address", ADDRESS)
        assert "0 problems, 0 warnings" in text


@pytest.mark.root
def test_without_any_record_each_problem_comes_with_what_mends_it(relay):
    with NameServer({DOMAIN: "", REVERSE_ZONE: ""}) as server:
        document = check(relay, server, 1)
        problems = [item for item in document["findings"] if item["status"] == "problem"]
        assert [item["kind"] for item in problems] == ["host", "ptr", "spf", "dkim", "dmarc", "mx"]
        wanted = json.loads(relay.command("dns", "print", DOMAIN, "--address", ADDRESS, "--json"))
        assert all(item["wanted"] in wanted for item in problems if item["kind"] != "mx")
        text = relay.command("dns", "check", DOMAIN, "--address", ADDRESS, expect=1)
        assert "6 problems" in text and f"25.{REVERSE_ZONE}. 3600 IN PTR {HOST}." in text


@pytest.mark.root
def test_each_wrong_record_is_named_with_the_reason(relay):
    zones = split(printed(relay, "bind"))
    key = next(line for line in zones[DOMAIN].splitlines() if "_domainkey" in line)
    spf = next(line for line in zones[DOMAIN].splitlines() if line.startswith(f"{DOMAIN}. ") and "spf1" in line)
    with NameServer(zones) as server:
        def problems(records: str, kind: str) -> str:
            server.replace(DOMAIN, records)
            document = check(relay, server, 1)
            assert {item["kind"] for item in document["findings"] if item["status"] == "problem"} == {kind}
            return " ".join(item["text"] for item in findings(document, kind, "problem"))

        assert "the record is not the key's" in problems(
            zones[DOMAIN].replace(key, f's1._domainkey.{DOMAIN}. TXT "v=DKIM1; k=rsa; p=AAAA"'), "dkim")
        assert "revoked" in problems(zones[DOMAIN].replace(key, f's1._domainkey.{DOMAIN}. TXT "v=DKIM1; p="'), "dkim")
        assert "there is no record" in problems(zones[DOMAIN].replace(key, ""), "dkim")
        assert "2 SPF records" in problems(zones[DOMAIN] + f'{DOMAIN}. TXT "v=spf1 mx -all"\n', "spf")
        assert "gets fail" in problems(zones[DOMAIN].replace(spf, f'{DOMAIN}. TXT "v=spf1 ip4:198.18.0.26 -all"'), "spf")
        assert "11 terms ask the DNS" in problems(
            zones[DOMAIN].replace(spf, f'{DOMAIN}. TXT "v=spf1 {f"a:{HOST} " * 6}" "{f"a:{HOST} " * 5}-all"'), "spf")
        assert "2 DMARC records" in problems(zones[DOMAIN] + f'_dmarc.{DOMAIN}. TXT "v=DMARC1; p=none"\n', "dmarc")


@pytest.mark.root
def test_an_address_whose_name_leads_elsewhere_is_a_problem(relay):
    zones = split(printed(relay, "bind"))
    zones[REVERSE_ZONE] = "25 PTR other.example.\n"
    with NameServer(zones) as server:
        document = check(relay, server, 1)
        assert "does not lead back" in findings(document, "ptr", "problem")[0]["text"]


@pytest.mark.root
def test_a_zone_that_cannot_be_served_is_not_taken_for_an_empty_one(relay):
    with NameServer({REVERSE_ZONE: ""}, failing=(DOMAIN,)) as server:
        document = check(relay, server, 1)
        assert "can't be looked up now" in findings(document, "spf")[0]["text"]
        assert "can't be looked up now" in findings(document, "dmarc")[0]["text"]
        assert "wanted" not in findings(document, "spf")[0]


@pytest.mark.root
def test_what_a_record_holds_cannot_steer_a_terminal(relay):
    zones = split(printed(relay, "bind"))
    hostile = f'_dmarc.{DOMAIN}. TXT "v=DMARC1; p=\\027[2Jnone; rua=mailto:\\226\\128\\174r@{DOMAIN}"\n'
    kept = "\n".join(line for line in zones[DOMAIN].splitlines() if "_dmarc" not in line) + "\n"
    with NameServer({**zones, DOMAIN: kept + hostile}) as server:
        relay.configure(dns={"servers": [server.server]})
        for arguments in ((), ("--json",)):
            text = relay.command("dns", "check", DOMAIN, "--address", ADDRESS, *arguments, expect=None)
            assert "v=DMARC1; p=?[2Jnone" in text
            assert all(letter in "\n§" or " " <= letter <= "~" for letter in text), text


def test_wrong_usage_is_told_apart(relay):
    for words in (["check"], ["check", "not..a.domain"], ["check", "com"], ["check", DOMAIN, "--address", "x"],
                  ["print", DOMAIN, "--format", "xml"], ["print", DOMAIN, "--json", "--format", "bind"]):
        text = relay.command("dns", *words, expect=None)
        assert "Usage: waxwing dns" in text, text


def test_a_key_among_the_credentials_is_taken_from_the_daemon_that_has_it(bare_relay, tmp_path):
    bare_relay.configure(hostname=HOST, route=[{"name": "mx", "to": ["*"], "mx": True}])
    bare_relay.make_key(DOMAIN, "s1", "ed25519")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    pem = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
    name = f"c1._domainkey.{DOMAIN}"
    (credentials / f"{name}.pem").write_bytes(pem)
    (credentials / f"{name}.pem").chmod(0o400)
    assert name not in printed(bare_relay, "plain")
    assert "known to the running daemon only" in bare_relay.command("dns", "print", DOMAIN, "--address", ADDRESS)
    bare_relay.start(environment={"CREDENTIALS_DIRECTORY": str(credentials)})
    assert f"{name} TXT v=DKIM1; k=rsa; p=" in printed(bare_relay, "plain")
    assert "known to the running daemon only" not in bare_relay.command("dns", "print", DOMAIN, "--address", ADDRESS)
    bare_relay.stop()


def test_a_key_whose_kind_does_not_sign_needs_no_record(relay):
    assert f"s1._domainkey.{DOMAIN} TXT" in printed(relay, "plain")
    relay.configure(domain=[{"name": DOMAIN, "algorithms": ["ed25519"]}])
    assert f"s1._domainkey.{DOMAIN} TXT" not in printed(relay, "plain")
