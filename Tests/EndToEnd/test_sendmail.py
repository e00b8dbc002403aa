# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Programs that hand in mail by calling sendmail, with the relay up."""

import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from support.next_hops import NextHop
from support.sendmail import AS_NOBODY, Sendmail
from support.smtp import message


@pytest.fixture
def sendmail(relay) -> Sendmail:
    return Sendmail(relay)


@pytest.fixture
def hop(relay, sendmail):
    with NextHop() as hop:
        relay.configure(rewrite=[{"from": "*", "to": "app@sender.example"}])
        relay.send_to(hop.port)
        relay.start()
        yield hop


def run(*words, input: bytes = b"", cwd=None, **environment: str) -> None:
    done = subprocess.run([*map(str, words)], input=input, capture_output=True, timeout=60, cwd=cwd,
                          env=dict(os.environ, LC_ALL="C", **environment))
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")


def test_php_mail(hop, sendmail):
    code = 'exit(mail("a@one.example", "From PHP", "Hello\\n.\\nthere", "From: app@sender.example\\r\\nBcc: b@two.example") ? 0 : 1);'
    run("php", "-d", f"sendmail_path={sendmail.path} -C {sendmail.relay.config} -t -i", "-r", code)
    hop.wait_for_arrivals(1)
    assert sorted(r for arrival in hop.arrivals for r in arrival.recipients) == ["a@one.example", "b@two.example"]
    content = hop.arrivals[0].content
    assert b"Subject: From PHP\r\n" in content and b"\r\nHello\r\n.\r\nthere\r\n" in content and b"two.example" not in content


def test_php_mail_with_an_envelope_sender(hop, sendmail):
    code = 'exit(mail("a@one.example", "s", "b", "From: app@sender.example", "-fbounces@sender.example") ? 0 : 1);'
    run("php", "-d", f"sendmail_path={sendmail.script} -t -i", "-r", code)
    assert hop.wait_for_arrivals(1)[0].mail_from == "bounces@sender.example"


def test_php_hears_of_a_refusal(hop, sendmail):
    code = 'exit(mail("a@one.example", "s", "b", "From: app@stranger.example") ? 1 : 0);'
    run("php", "-d", f"sendmail_path={sendmail.script} -t -i", "-r", code)


def test_git_send_email(hop, sendmail, tmp_path):
    git = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@sender.example")
    run(*git, "init", "-q", cwd=tmp_path)
    (tmp_path / "file").write_text("text\n")
    run(*git, "add", "file", cwd=tmp_path)
    run(*git, "commit", "-qm", "A change of mine", cwd=tmp_path)
    common = (*git, "send-email", "--quiet", "--confirm=never", "--suppress-cc=all", "--envelope-sender=ada@sender.example")
    run(*common, f"--smtp-server={sendmail.script}", "--to=a@one.example", "--cc=b@two.example", "-1", cwd=tmp_path)
    hop.wait_for_arrivals(1)
    run(*common, f"--sendmail-cmd={sendmail.path} -C {sendmail.relay.config}", "--to=a@one.example", "-1", cwd=tmp_path)
    for arrival in hop.wait_for_arrivals(2):
        assert arrival.mail_from == "ada@sender.example" and b"A change of mine" in arrival.content
    assert {r for arrival in hop.arrivals for r in arrival.recipients} == {"a@one.example", "b@two.example"}


def test_mutt(hop, sendmail, tmp_path):
    settings = tmp_path / "muttrc"
    settings.write_text(f'set sendmail="{sendmail.script} -oem -oi"\nset from="app@sender.example"\nset use_envelope_from=yes\n'
                        'set copy=no\nset realname="An Application"\n')
    run("mutt", "-n", "-F", settings, "-s", "From mutt", "a@one.example", input=b"Hello\n.\nthere\n", HOME=str(tmp_path))
    arrival = hop.wait_for_arrivals(1)[0]
    assert arrival.mail_from == "app@sender.example" and b"Subject: From mutt" in arrival.content
    assert b"\r\nHello\r\n.\r\nthere\r\n" in arrival.content


def test_s_nail(hop, sendmail, tmp_path):
    run("s-nail", "-:/", f"-Smta={sendmail.script}", "-Sv15-compat", "-r", "app@sender.example", "-s", "From s-nail", "a@one.example",
        input=b"Hello\n", HOME=str(tmp_path))
    arrival = hop.wait_for_arrivals(1)[0]
    assert arrival.mail_from == "app@sender.example" and b"Subject: From s-nail" in arrival.content


def test_a_call_as_cron_makes_it(hop, sendmail):
    content = b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> job\nContent-Type: text/plain; charset=UTF-8\n\nout\n.\nput\n"
    sendmail.call(content, "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root")
    arrival = hop.wait_for_arrivals(1)[0]
    assert arrival.recipients == ["root@relay.waxwing.example"]
    assert b"From: app@sender.example (Cron Daemon)\r\n" in arrival.content and b"\r\nout\r\n.\r\nput\r\n" in arrival.content


@pytest.mark.root
def test_python_as_another_user(hop, sendmail):
    program = (f"import subprocess\nsubprocess.run(['{sendmail.path}', '-C', '{sendmail.relay.config}', '-t', '-oi'], check=True,"
               "input=b'From: app@sender.example\\nTo: a@one.example\\n\\nHello\\n')\n")
    sendmail.share()
    run(*AS_NOBODY, "/usr/bin/python3", "-c", program, cwd="/")
    assert hop.wait_for_arrivals(1)[0].mail_from == "nobody@relay.waxwing.example"


def test_smtp_over_a_pipe(hop, sendmail):
    with subprocess.Popen([sendmail.path, "-C", sendmail.relay.config, "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe:
        # The commands up to DATA at once, before the greeting; the content when it is asked for (RFC 2920 section 3.1).
        pipe.stdin.write(b"EHLO here\r\nMAIL FROM:<app@sender.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n")
        pipe.stdin.flush()
        assert pipe.stdout.readline().startswith(b"220 ")
        while not (line := pipe.stdout.readline()).startswith(b"354 "):
            assert line.startswith(b"250"), line
        rest, _ = pipe.communicate(message() + b".\r\nQUIT\r\n", timeout=60)
        assert pipe.returncode == 0 and b"queued as" in rest and rest.splitlines()[-1].startswith(b"221 "), rest
    hop.wait_for_arrivals(1)


def test_a_unix_socket_that_the_configuration_names(hop, sendmail):
    relay = sendmail.relay
    place = relay.directory / "submission.sock"
    with socket.socket(socket.AF_UNIX) as listener, ThreadPoolExecutor() as threads:
        listener.bind(str(place))
        listener.listen()

        def copy(source: socket.socket, target: socket.socket) -> None:
            # The caller does not wait for the reply to QUIT.
            with suppress(OSError):
                while octets := source.recv(65536):
                    target.sendall(octets)
                target.shutdown(socket.SHUT_WR)

        def serve() -> None:
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", relay.port)) as server:
                back = threads.submit(copy, server, client)
                copy(client, server)
                back.result(60)

        served = threads.submit(serve)
        relay.configure(sendmail={"socket": str(place)})
        assert "queued as" in sendmail.call(message(), "-v", "-i", "-f", "app@sender.example", "a@one.example")
        served.result(60)
    hop.wait_for_arrivals(1)
    # Nobody listens there any more.
    assert "left in" in sendmail.call(message(), "-v", "-i", "-f", "app@sender.example", "b@one.example")
    hop.wait_for_arrivals(2)


def test_a_line_with_a_dot_ends_the_message_without_i(hop, sendmail):
    text = sendmail.call(b"From: app@sender.example\n\none\n.\ntwo\n", "-v", "a@one.example")
    assert "queued as" in text
    assert hop.wait_for_arrivals(1)[0].content.endswith(b"\r\n\r\none\r\n")


def test_a_message_without_author_gets_the_user(hop, sendmail):
    sendmail.call(b"Subject: bare\n\nx\n", "-F", "An App", "-f", "app@sender.example", "a@one.example")
    assert b'From: "An App" <app@sender.example>\r\n' in hop.wait_for_arrivals(1)[0].content


def test_statuses_and_words_say_who_must_mend_what(hop, sendmail):
    refused = sendmail.call(b"From: app@stranger.example\n\nx\n", "a@one.example", expect=77)
    assert "waxwing keys generate stranger.example" in refused
    assert "recipient" in sendmail.call(b"x", expect=64)
    assert "--help" in sendmail.call(b"x", "-Z", "a@one.example", expect=64)
    assert "waxwing run" in sendmail.call(b"x", "-bd", expect=64)
    assert "NUL" in sendmail.call(b"a\0b\n", "a@one.example", expect=65)
    twice = b"From: a@sender.example\nFrom: b@sender.example\n\nx\n"
    assert "From" in sendmail.call(twice, "a@one.example", expect=65)
    done = subprocess.run([sendmail.path, "-C", "/nowhere/waxwing.toml", "-t"], input=b"To: a@one.example\n\n", capture_output=True)
    assert done.returncode == 78 and b"/nowhere/waxwing.toml" in done.stderr
    assert not sendmail.dropped() and not hop.arrivals


def test_a_configuration_in_the_working_directory_counts_for_the_command_only(hop, sendmail):
    relay = sendmail.relay
    done = subprocess.run([relay.binary, "sendmail", "-v", "a@one.example"], input=b"From: app@sender.example\n\nx\n",
                          capture_output=True, cwd=relay.directory)
    assert done.returncode == 0 and b"queued as" in done.stdout, done.stderr
    hop.wait_for_arrivals(1)
    if not os.path.exists("/etc/waxwing/waxwing.toml"):
        done = subprocess.run([sendmail.path, "-bp"], capture_output=True, cwd=relay.directory)
        assert relay.config.name.encode() not in done.stderr and done.returncode != 0, "anybody may put a file there"


def test_newaliases_and_queue_runs_have_nothing_to_do(sendmail):
    assert sendmail.call(b"", name="newaliases") == ""
    assert sendmail.call(b"", "-q") == "" and sendmail.call(b"", "-bi") == ""
    assert "usage: sendmail" in sendmail.call(b"", "--help")


def test_mailq_shows_the_queue(relay, sendmail):
    relay.start()
    assert sendmail.call(b"", name="mailq") == "Mail queue is empty\n"
    sendmail.call(message(), "-i", "-f", "app@sender.example", "a@one.example")
    assert "<app@sender.example>" in sendmail.call(b"", name="mailq") and "<app@sender.example>" in sendmail.call(b"", "-bp")
