# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Mail that sendmail takes while the relay is down: it waits in the drop directory, and nothing that was taken is lost."""

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess

import pytest

from support.machine import wait_for
from support.next_hops import NextHop
from support.sendmail import AS_NOBODY, Sendmail
from support.smtp import message

NOBODY = pwd.getpwnam("nobody").pw_uid


@pytest.fixture
def sendmail(relay) -> Sendmail:
    """A relay that has run and is down."""
    sendmail = Sendmail(relay)
    relay.start()
    assert relay.stop() == 0
    return sendmail


def test_mail_waits_while_the_relay_is_down(relay, sendmail):
    text = sendmail.call(message(), "-v", "-i", "-f", "app@sender.example", "a@one.example", "b@two.example")
    assert str(sendmail.drop) in text
    name, = sendmail.dropped()
    file = (sendmail.drop / name).stat()
    assert stat.S_IMODE(file.st_mode) == 0o640 and stat.S_IMODE(sendmail.drop.stat().st_mode) == 0o3733
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        hop.wait_for_arrivals(1)
        assert sorted(r for arrival in hop.arrivals for r in arrival.recipients) == ["a@one.example", "b@two.example"]
        trace = re.search(rb"Received:.*?;", hop.arrivals[0].content, re.S).group()
        assert b"from uid %d" % os.getuid() in trace and b"with local id" in trace
        assert not sendmail.dropped()

        # Now with the relay up: what is left there by another program is taken within seconds.
        relay.process.send_signal(signal.SIGSTOP)
        relay.process.send_signal(signal.SIGCONT)
        shutil.copy(relay.config, relay.directory / "other.toml")
        other = (relay.directory / "other.toml").read_text().replace(str(relay.port), "1")
        (relay.directory / "other.toml").write_text(other)
        done = subprocess.run([sendmail.path, "-C", relay.directory / "other.toml", "-i", "-f", "app@sender.example", "c@three.example"],
                              input=message(), capture_output=True)
        assert done.returncode == 0, done.stderr
        wait_for(lambda: any("c@three.example" in arrival.recipients for arrival in hop.arrivals), "the second message")


@pytest.mark.root
def test_another_user_leaves_mail_and_can_read_no_others(relay, sendmail):
    sendmail.share()
    sendmail.call(message(), "-i", "-f", "app@sender.example", "a@one.example", wrapper=AS_NOBODY)
    name, = sendmail.dropped()
    assert (sendmail.drop / name).stat().st_uid == NOBODY
    assert subprocess.run([*AS_NOBODY, "ls", sendmail.drop], capture_output=True).returncode != 0
    sendmail.call(message(), "-i", "-f", "app@sender.example", "a@one.example")
    own, = set(sendmail.dropped()) - {name}
    for command in (["cat", sendmail.drop / own], ["rm", "-f", sendmail.drop / own], ["mv", sendmail.drop / own, "/tmp"],
                    ["ls", sendmail.drop / "refused"]):
        assert subprocess.run([*AS_NOBODY, *command], capture_output=True).returncode != 0, command
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        hop.wait_for_arrivals(2)
        assert any(b"from uid %d" % NOBODY in arrival.content for arrival in hop.arrivals)


@pytest.mark.root
def test_what_is_no_message_of_sendmail_is_set_aside_and_told(relay, sendmail):
    secret = relay.directory / "secret"
    secret.write_text("waxwing-drop 1\nmail-from <app@sender.example>\nrcpt-to <a@one.example>\noctets 2\n\n\r\n")
    secret.chmod(0o644)
    (sendmail.drop / "linked").symlink_to(secret)
    os.link(secret, sendmail.drop / "hard")
    os.mkfifo(sendmail.drop / "fifo")
    (sendmail.drop / "text").write_text("From: app@sender.example\n\nx\n")
    sendmail.call(b"From: app@stranger.example\n\nx\n", "-f", "app@sender.example", "a@one.example")
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        wait_for(lambda: len(sendmail.refused()) == 5, "five refusals")
        assert not sendmail.dropped() and not hop.arrivals and secret.exists()
        log = relay.log()
        assert log.count("a dropped message was refused") == 5
        for words in ("symbolic link", "2 names", "it is no file", "does not start with", "waxwing keys generate stranger.example"):
            assert words in log, words

        # The operator mends the reason and moves the message back.
        refused = next(path for path in sendmail.refused() if path.is_file() and "stranger" in path.read_text())
        relay.make_key("stranger.example", "s1")
        refused.rename(sendmail.drop / refused.name)
        assert b"stranger.example" in hop.wait_for_arrivals(1)[0].content


def test_mail_that_is_refused_for_now_waits_as_well(bare_relay):
    sendmail = Sendmail(bare_relay)
    bare_relay.make_key("sender.example", "s1", activate=False)
    with NextHop() as hop:
        bare_relay.send_to(hop.port)
        bare_relay.start()
        assert "keys activate" in sendmail.call(message(), "-v", "-i", "-f", "app@sender.example", "a@one.example")
        wait_for(lambda: "a dropped message waits" in bare_relay.log(), "the first attempt")
        assert len(sendmail.dropped()) == 1
        bare_relay.command("keys", "activate", "sender.example", "--selector", "s1", "--force")
        hop.wait_for_arrivals(1)
        wait_for(lambda: not sendmail.dropped(), "an empty drop directory")


def test_a_place_that_cannot_be_written_to_is_said(relay):
    sendmail = Sendmail(relay)
    text = sendmail.call(message(), "-i", "-f", "app@sender.example", "a@one.example", expect=75)
    assert "systemctl start waxwing" in text and str(sendmail.drop) in text
    assert sendmail.call(b"EHLO x\r\n", "-bs", expect=75).startswith("sendmail: can't speak with the relay")


STEPS = ["openat", "fchmod", "write", "fsync", "syncfs", "rename", "close", "unlink", "exit_group"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("user", [(), pytest.param(AS_NOBODY, marks=pytest.mark.root)], ids=["self", "nobody"])
def test_sendmail_killed_at_any_step_loses_nothing_that_it_exited_0_for(relay, sendmail, step, user):
    accepted, killed = [], 0
    sendmail.share()
    for number in range(1, 200):
        name = f"{step}-{number}"
        done = subprocess.run(
            [*user, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={step}", "-e",
             f"inject={step}:signal=KILL:when={number}", sendmail.path, "-C", relay.config, "-i", "-f", "app@sender.example",
             f"{name}@one.example"], input=message(subject=name), capture_output=True, timeout=60, cwd="/")
        if done.returncode == 0:
            accepted.append(name)
            break
        assert done.returncode in (-9, 137), done.stderr
        killed += 1
    assert accepted and (killed or step in ("syncfs", "unlink")), "no step of that name was seen"
    with NextHop() as hop:
        relay.send_to(hop.port)
        relay.start()
        wait_for(lambda: not sendmail.dropped(), "an empty drop directory")
        relay.wait_until_empty()
        arrived = {recipient.split("@")[0] for arrival in hop.arrivals for recipient in arrival.recipients}
        assert set(accepted) <= arrived
        assert not sendmail.refused(), "a message that is not whole had a final name"


def test_a_daemon_killed_between_commit_and_removal_takes_it_in_twice(relay, sendmail):
    sendmail.call(message(), "-i", "-f", "app@sender.example", "a@one.example")
    name, = sendmail.dropped()
    with NextHop() as hop:
        relay.send_to(hop.port)
        process = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-P", sendmail.drop / name, "-e", "trace=unlink", "-e",
             "inject=unlink:signal=KILL:when=1", relay.binary, "run", "--config", relay.config],
            cwd=relay.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert process.wait(60) in (-9, 137)
        assert sendmail.dropped() == [name]
        relay.start()
        wait_for(lambda: not sendmail.dropped(), "an empty drop directory")
        relay.wait_until_empty()
        assert len(hop.arrivals) == 2
