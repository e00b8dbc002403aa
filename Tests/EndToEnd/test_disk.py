# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The disk: on it before the 250, and what happens when it is full."""

import os
import re
import smtplib
import subprocess
import threading

import pytest

from support.machine import wait_for
from support.next_hops import NextHop
from support.relay import Relay
from support.smtp import Conversation, message, refusal, submit

BODY = ("0123456789" * 7 + "\r\n") * 100


def test_a_commit_is_synchronized_before_every_250(relay):
    trace = relay.directory / "trace"
    relay.start(wrapper=("strace", "-D", "-f", "-qq", "-s", "24", "-o", trace,
                         "-e", "trace=fdatasync,fsync,write,writev,sendto,sendmsg"))
    count = 20
    for number in range(count):
        submit(relay.port, message(subject=str(number)))
    before = len(re.findall(r"f(?:data)?sync\(.*= 0", trace.read_text()))
    threads = [threading.Thread(target=submit, args=(relay.port, message(subject=f"together {n}"))) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert relay.stop() == 0
    synchronized = False
    answered = 0
    for line in trace.read_text().splitlines():
        if re.search(r"f(?:data)?sync(?:\(| resumed).*= 0$", line):
            synchronized = True
        elif re.search(r'"250 2\.0\.0 queued', line):
            answered += 1
            if answered <= count:
                assert synchronized, f"250 number {answered} without fdatasync before it"
                synchronized = False
    assert answered == 2 * count
    together = len(re.findall(r"f(?:data)?sync(?:\(| resumed).*= 0", trace.read_text())) - before
    print(f"\n{count} messages one by one: {before} synchronizations; {count} at once: {together}")


def test_a_queue_at_its_cap_refuses_at_mail_for_now(relay):
    relay.settings["spool"].update({"maximum-messages": 2, "maximum-size": "1 MiB"})
    relay.start()
    with Conversation(relay.port) as client:
        assert client.say(f"MAIL FROM:<app@sender.example> SIZE={2 << 20}").startswith("452 4.3.1")
        assert client.say("MAIL FROM:<app@sender.example> SIZE=1000").startswith("250")
    submit(relay.port, message())
    submit(relay.port, message())
    with Conversation(relay.port) as client:
        assert client.say("MAIL FROM:<app@sender.example>").startswith("452 4.3.1")


@pytest.fixture
def small_disk(relay: Relay):
    """A spool on a file system of 24 MiB: ext4 in a file where this machine can mount one, else tmpfs."""
    spool = relay.directory / "spool"
    spool.mkdir()
    image = relay.directory / "image"
    with open(image, "wb") as file:
        file.truncate(24 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, spool], capture_output=True).returncode != 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", spool], check=True)
    yield spool
    if relay.process is not None:
        relay.stop()
    subprocess.run(["umount", spool], check=True)


def fill(directory, leave: int) -> None:
    """Fills the file system but for `leave` octets."""
    state = os.statvfs(directory)
    with open(directory / "filler", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, state.f_bavail * state.f_frsize - leave)


@pytest.mark.root
def test_below_the_minimum_of_free_space_mail_is_refused_at_mail(relay, small_disk):
    relay.settings["spool"]["minimum-free"] = "50 %"
    relay.start()
    submit(relay.port, message(body=BODY))
    fill(small_disk, leave=8 << 20)
    reply = wait_for(lambda: try_to_submit(relay), "the relay to notice")
    assert reply.startswith("452 4.3.1"), reply
    (small_disk / "filler").unlink()
    wait_for(lambda: try_to_submit(relay) is None, "the relay to notice that there is space again")


def try_to_submit(relay) -> str | None:
    """The refusal of one message, or None when it was taken."""
    try:
        return refusal(relay.port, message(body=BODY))
    except AssertionError:
        return None


@pytest.mark.root
def test_a_full_disk_refuses_for_now_loses_nothing_and_the_relay_lives_on(relay, small_disk):
    relay.start()
    accepted = [submit(relay.port, message(subject=f"before {number}", body=BODY)) for number in range(20)]
    fill(small_disk, leave=256 << 10)
    refusals = []
    for number in range(60):
        try:
            accepted.append(submit(relay.port, message(subject=f"full {number}", body=BODY * 10)))
        except smtplib.SMTPResponseException as error:
            refusals.append(f"{error.smtp_code} {error.smtp_error.decode()}")
    assert refusals and all(reply.startswith(("452 4.3.1", "451 4.3.0")) for reply in refusals), refusals
    assert relay.process.poll() is None, relay.log()
    (small_disk / "filler").unlink()
    wait_for(lambda: try_to_submit(relay) is None, "the relay to take mail again")
    with NextHop() as hop:
        relay.stop()
        relay.send_to(hop.port)
        relay.start()
        relay.wait_until_empty()
        arrived = b"".join(arrival.content for arrival in hop.arrivals)
        missing = [identifier for identifier in accepted if identifier.encode() not in arrived]
        assert not missing, f"accepted and lost: {missing}"
