# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Three verifiers that are none of ours: dkimpy, OpenDKIM and Mail::DKIM (which knows RSA only).

Each is asked about many messages at a time, so that it costs little to ask it about every one.
"""

import atexit
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import dkim

from .machine import TOOLS, end

# Messages of one run of opendkim: their names are one argument.
BATCH = 500


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


def opendkim_results(messages: list[bytes], records: dict[str, str]) -> list[list[str]]:
    """OpenDKIM's results of each message's signatures, from the Authentication-Results fields that it would add."""
    results: list[list[str]] = []
    for start in range(0, len(messages), BATCH):
        batch = messages[start:start + BATCH]
        with tempfile.TemporaryDirectory() as directory:
            write_keys(Path(directory) / "keys", records)
            config = Path(directory) / "opendkim.conf"
            config.write_text(f"Mode v\nSyslog no\nTestPublicKeys {directory}/keys\nMinimumKeyBits 1024\n"
                              "MaximumSignaturesToVerify 8\n")
            names = [f"{index}.eml" for index in range(len(batch))]
            for name, message in zip(names, batch):
                (Path(directory) / name).write_bytes(message)
            output = subprocess.run([TOOLS / "usr/sbin/opendkim", "-x", config, "-t", ",".join(names), "-vvv"],
                                    capture_output=True, timeout=600, cwd=directory).stdout.decode("latin-1")
        fields = re.findall(r"^### INSHEADER: .*'Authentication-Results'.*\n(?:\t.*\n)*|^opendkim: .*: message not signed$",
                            output, re.M)
        assert len(fields) == len(batch), f"opendkim spoke of {len(fields)} of {len(batch)} messages:\n{output[-3000:]}"
        results += [re.findall(r"^\s*dkim=(\w+)", field, re.M) for field in fields]
    return results


class MailDKIM:
    """One perl that lives as long as the tests and verifies message by message."""

    def __init__(self):
        self.process = subprocess.Popen(["/usr/bin/perl", Path(__file__).with_name("mail-dkim-verify.pl")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.directory = tempfile.TemporaryDirectory()
        atexit.register(self.close)

    def close(self) -> None:
        end(self.process)
        self.directory.cleanup()

    def say(self, command: str, path: Path) -> None:
        self.process.stdin.write(f"{command} {path}\n".encode())
        self.process.stdin.flush()

    def results(self, messages: list[bytes], records: dict[str, str]) -> list[list[str]]:
        """Of each message its RSA signatures' results."""
        keys, file = Path(self.directory.name) / "keys", Path(self.directory.name) / "message.eml"
        write_keys(keys, records)
        self.say("keys", keys)
        return [self.result(file, message) for message in messages]

    def result(self, file: Path, message: bytes) -> list[str]:
        file.write_bytes(message)
        self.say("verify", file)
        answer = self.process.stdout.readline().decode("latin-1")
        assert answer.endswith("\n"), f"Mail::DKIM died of {message[:4000]!r}"
        signatures = [word.split("=", 1) for word in answer.strip("\n").split("\t") if word]
        return [result for algorithm, result in signatures if algorithm.startswith("rsa")]


@cache
def mail_dkim() -> MailDKIM:
    return MailDKIM()


def mail_dkim_results(messages: list[bytes], records: dict[str, str]) -> list[list[str]]:
    """Mail::DKIM's results of each message's RSA signatures."""
    return mail_dkim().results(messages, records)


def write_keys(file: Path, records: dict[str, str]) -> None:
    file.write_text("".join(f"{name} {record}\n" for name, record in records.items()))


def failures(messages: list[bytes], records: dict[str, str]) -> list[str]:
    """A line for every message that has no signature, or one that a verifier does not pass."""
    found = []
    opendkim, mail_dkim = opendkim_results(messages, records), mail_dkim_results(messages, records)
    for message, by_opendkim, by_mail_dkim in zip(messages, opendkim, mail_dkim):
        algorithms = [tags.get("a", "") for tags in tags_of_signatures(message)]
        results = {"dkimpy": dkimpy_results(message, records), "OpenDKIM": by_opendkim, "Mail::DKIM": by_mail_dkim}
        wanted = {"dkimpy": len(algorithms), "OpenDKIM": len(algorithms),
                  "Mail::DKIM": sum(algorithm.startswith("rsa") for algorithm in algorithms)}
        if not algorithms:
            found.append(f"unsigned: {message[:2000]!r}")
        elif any(results[name] != ["pass"] * count for name, count in wanted.items()):
            found.append(f"{results} of {message[:4000]!r}")
    return found


def assert_verified(message: bytes, records: dict[str, str], algorithms: list[str]) -> None:
    """Every signature passes with all three, and the signatures are those of `algorithms`, in any order."""
    found = sorted(tags["a"] for tags in tags_of_signatures(message))
    assert found == sorted(algorithms), f"signatures {found}, wanted {algorithms}:\n{message[:2000]!r}"
    assert_all_verified([message], records)


def assert_all_verified(messages: list[bytes], records: dict[str, str]) -> None:
    """Every message has a signature, and each of its signatures passes with all three."""
    found = failures(messages, records)
    assert not found, f"{len(found)} of {len(messages)} messages:\n" + "\n".join(found[:5])
