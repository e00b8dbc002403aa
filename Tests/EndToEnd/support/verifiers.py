# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Three verifiers that are none of ours: dkimpy, OpenDKIM and Mail::DKIM (which knows RSA only)."""

import re
import subprocess
import tempfile
from pathlib import Path

import dkim

from .machine import TOOLS


def tags_of_signatures(message: bytes) -> list[dict[str, str]]:
    """The tags of each DKIM-Signature field, top to bottom, white space removed."""
    section = message.split(b"\r\n\r\n", 1)[0].decode("latin-1") + "\r\n"
    fields = re.findall(r"^DKIM-Signature:(.*(?:\r\n[ \t].*)*)\r\n", section, re.M | re.I)
    return [dict(tag.split("=", 1) for tag in re.sub(r"\s", "", field).split(";") if tag) for field in fields]


def dkimpy_results(message: bytes, records: dict[str, str]) -> list[str]:
    """dkimpy's result of each signature: pass, fail, or why it could not tell."""
    def lookup(name, timeout=5):
        return records.get(name.decode().rstrip("."), "").encode()

    def result(index: int) -> str:
        try:
            return "pass" if dkim.DKIM(message).verify(idx=index, dnsfunc=lookup) else "fail"
        except dkim.DKIMException as error:
            return str(error)
    return [result(index) for index in range(len(tags_of_signatures(message)))]


def opendkim_results(message: bytes, records: dict[str, str]) -> list[str]:
    """OpenDKIM's result of each signature, from the Authentication-Results field that it would add."""
    with tempfile.TemporaryDirectory() as directory:
        keys, file, config = (Path(directory) / name for name in ("keys", "message.eml", "opendkim.conf"))
        keys.write_text("".join(f"{name} {record}\n" for name, record in records.items()))
        file.write_bytes(message)
        config.write_text(f"Mode v\nSyslog no\nTestPublicKeys {keys}\nMinimumKeyBits 1024\n")
        output = subprocess.run([TOOLS / "usr/sbin/opendkim", "-x", config, "-t", file, "-vvv"],
                                capture_output=True, timeout=60).stdout.decode("latin-1")
    return re.findall(r"^\s*dkim=(\w+)", output, re.M)


def mail_dkim_results(message: bytes, records: dict[str, str]) -> list[str]:
    """Mail::DKIM's result of each RSA signature."""
    with tempfile.TemporaryDirectory() as directory:
        keys, file = Path(directory) / "keys", Path(directory) / "message.eml"
        keys.write_text("".join(f"{name} {record}\n" for name, record in records.items()))
        file.write_bytes(message)
        output = subprocess.run(["/usr/bin/perl", Path(__file__).with_name("mail-dkim-verify.pl"), keys, file],
                                check=True, capture_output=True, timeout=60).stdout.decode()
    results = [line.split(" ", 1) for line in output.splitlines()]
    return [result for algorithm, result in results if algorithm.startswith("rsa")]


def assert_verified(message: bytes, records: dict[str, str], algorithms: list[str]) -> None:
    """Every signature passes with all three, and the signatures are those of `algorithms`, in any order."""
    found = sorted(tags["a"] for tags in tags_of_signatures(message))
    assert found == sorted(algorithms), f"signatures {found}, wanted {algorithms}:\n{message[:2000]!r}"
    assert dkimpy_results(message, records) == ["pass"] * len(algorithms), message
    assert opendkim_results(message, records) == ["pass"] * len(algorithms), message
    assert mail_dkim_results(message, records) == ["pass"] * found.count("rsa-sha256"), message


def assert_all_verified(messages: list[bytes], records: dict[str, str]) -> None:
    """Every signature of every message passes: with dkimpy each, with the two slower ones a sample."""
    sample = messages[:8]
    for message in messages:
        count = len(tags_of_signatures(message))
        assert count > 0, f"unsigned: {message[:2000]!r}"
        assert dkimpy_results(message, records) == ["pass"] * count, message[:4000]
    for message in sample:
        assert_verified(message, records, [tags["a"] for tags in tags_of_signatures(message)])
