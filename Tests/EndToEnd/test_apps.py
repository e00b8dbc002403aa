# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Who may submit: applications with passwords, from listed networks, and nobody else."""

import base64
import os
import smtplib
import stat
import subprocess

import pytest

from support.machine import wait_for
from support.next_hops import NextHop
from support.smtp import Conversation, check, message, submit_on
from test_access import CLIENT, namespace  # noqa: F401  (a fixture)

NEWS = {"name": "news", "from": ["sender.example"], "password": True}


def password(relay, name: str = "news") -> str:
    return relay.command("apps", "password", name).split("\n")[0]


def login(relay, user: str, secret: str, mechanism: str | None = None) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", relay.port, timeout=60)
    client.ehlo("app.example")
    if mechanism is None:
        client.login(user, secret)
    else:
        client.user, client.password = user, secret
        client.auth(mechanism, getattr(client, "auth_" + mechanism.lower()))
    return client


@pytest.fixture
def closed(relay):
    """A relay where also programs of this machine have to authenticate."""
    relay.configure(app=[NEWS], apps={"passwords": "secrets/passwords", "local": False})
    return relay


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_smtplib_authenticates(closed, mechanism):
    secret = password(closed)
    with NextHop() as hop:
        closed.send_to(hop.port)
        closed.start()
        with login(closed, "news", secret, mechanism) as client:
            submit_on(client, message(), "app@sender.example")
        arrival = hop.wait_for_arrivals(1)[0]
        assert b"with ESMTPA id" in arrival.content.replace(b"\r\n\t", b" ")
    assert closed.control("/v1/status")[1]["counters"]["authentications"] == 1
    assert secret not in closed.log()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_authenticates(closed, mechanism):
    secret = password(closed)
    closed.start()
    words = ["swaks", "--server", f"127.0.0.1:{closed.port}", "--from", "app@sender.example", "--to", "a@one.example",
             "--auth", mechanism, "--auth-user", "news"]
    done = subprocess.run([*words, "--auth-password", secret], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "235 2.7.0" in done.stdout, done.stdout + done.stderr
    done = subprocess.run([*words, "--auth-password", "wrong"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "535 5.7.8" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("mechanism", ["plain", "login", "scram-sha-256"])
def test_msmtp_authenticates(closed, mechanism, tmp_path):
    secret = password(closed)
    closed.start()
    done = subprocess.run(
        ["msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={closed.port}", "--tls=off", f"--auth={mechanism}",
         "--user=news", f"--passwordeval=printf %s {secret}", "--from=app@sender.example", "a@one.example"],
        input=message(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert len(closed.queue()) == 1


def test_curl_authenticates(closed, tmp_path):
    secret = password(closed)
    closed.start()
    content = tmp_path / "message"
    content.write_bytes(message())
    done = subprocess.run(
        ["curl", "-sS", f"smtp://127.0.0.1:{closed.port}/app.example", "--mail-from", "app@sender.example",
         "--mail-rcpt", "a@one.example", "--upload-file", str(content), "--user", f"news:{secret}",
         "--login-options", "AUTH=PLAIN"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(closed.queue()) == 1


def test_wrong_names_and_wrong_passwords_get_one_answer_and_no_mail(closed):
    secret = password(closed)
    closed.start()
    with Conversation(closed.port) as client:
        assert client.say("MAIL FROM:<app@sender.example>") == "530 5.7.0 Authentication required"
        replies = set()
        for name, word in [("news", "wrong"), ("nobody", secret)]:
            octets = base64.b64encode(f"\0{name}\0{word}".encode()).decode()
            replies.add(client.say(f"AUTH PLAIN {octets}"))
        assert replies == {"535 5.7.8 Authentication failed"}
        assert client.say("MAIL FROM:<app@sender.example>").startswith("530 5.7.0")
    assert closed.control("/v1/status")[1]["counters"]["authentication_failures"] == 2
    assert "nobody" not in closed.log() and secret not in closed.log()


def test_the_file_of_passwords_is_private_and_followed(closed):
    closed.start()
    assert "no password yet" in closed.log()
    with Conversation(closed.port) as client:
        assert "AUTH" not in client.say("EHLO app.example")
    secret = password(closed)
    file = closed.directory / "secrets/passwords"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret not in file.read_text() and "news SCRAM-SHA-256$4096:" in file.read_text()
    wait_for(lambda: closed.log().count("read again") == 1, "the password to be taken over")
    login(closed, "news", secret).quit()
    # A chosen one in its place.
    closed.command("apps", "password", "news", "--stdin", input="pass wörd\n".encode())
    assert "news SCRAM-SHA-256$100000:" in file.read_text()
    wait_for(lambda: closed.log().count("read again") == 2, "the other password to be taken over")
    octets = base64.b64encode("\0news\0pass wo\u0308rd".encode()).decode()
    with Conversation(closed.port) as client:
        assert client.say(f"AUTH PLAIN {octets}") == "235 2.7.0 Authenticated"
    with pytest.raises(smtplib.SMTPAuthenticationError):
        login(closed, "news", secret)
    # A file that others can read is not taken over, and keeps the daemon from starting.
    file.chmod(0o644)
    assert "chmod" in closed.command("reload", expect=1)
    closed.stop()
    assert "chmod" in closed.command("run", expect=78)


def test_an_application_sends_as_itself_only(closed):
    secret = password(closed)
    closed.make_key("other.example", "s1")
    closed.start()
    with login(closed, "news", secret) as client:
        for sender, author in [("app@sender.example", "boss@other.example"), ("boss@other.example", "app@sender.example")]:
            with pytest.raises(smtplib.SMTPResponseException) as error:
                submit_on(client, message(sender=author), sender)
            assert error.value.smtp_code == 550
            text = error.value.smtp_error.decode()
            assert text.startswith("5.7.1") and "application news may not use <boss@other.example>" in text
        submit_on(client, message(), "app@sender.example")


def test_limits_and_rates_of_an_application(closed):
    closed.configure(app=[dict(NEWS, rate=["2/day"], recipients=1) | {"message-size": "2 KiB"}])
    secret = password(closed)
    closed.start()
    with login(closed, "news", secret) as client:
        assert client.mail("app@sender.example", ["SIZE=2049"])[0] == 552
        check(client.mail("app@sender.example"))
        check(client.rcpt("a@one.example"))
        assert client.rcpt("b@one.example")[0] == 452
        assert client.data(message(body="x" * 70 + "\r\n" * 2000))[0] == 552
        submit_on(client, message(), "app@sender.example", ["a@one.example"])
        code, text = client.mail("app@sender.example")
        assert code == 450 and text.startswith(b"4.7.1") and b"2 messages" in text and b"try again in" in text


@pytest.mark.root
def test_nobody_else_submits_through_a_listener_that_all_can_reach(relay, namespace):  # noqa: F811
    inside = ("ip", "netns", "exec", namespace)
    subprocess.run(["ip", "-n", namespace, "address", "add", "192.0.2.8/32", "dev", "lo"], check=True)
    relay.configure(listener=[{"address": "0.0.0.0", "port": relay.port, "tls": "none"}],
                    app=[NEWS, {"name": "batch", "networks": ["192.0.2.7"], "from": ["sender.example"]}])
    password(relay)
    relay.start(wrapper=inside)

    def conversation(source: str) -> list[str]:
        program = CLIENT.replace('"EHLO app.example"', '"EHLO app.example", "AUTH PLAIN AG5ld3MAc2VjcmV0"')
        done = subprocess.run([*inside, "/usr/bin/python3", "-c", program, str(relay.port), source],
                              input=message(), capture_output=True, timeout=60)
        return done.stdout.decode().splitlines()

    listed = conversation("192.0.2.7")
    assert any(line.startswith("DATA 354") for line in listed), listed
    stranger = conversation("192.0.2.8")
    # Without TLS no secret is even looked at.
    assert any(line.startswith("AUTH PLAIN AG5ld3MAc2VjcmV0 538 5.7.11") for line in stranger), stranger
    assert any(line.startswith("MAIL FROM 530 5.7.0") for line in stranger), stranger
    assert not any(line.startswith("DATA 354") for line in stranger), stranger
    local = conversation("127.0.0.1")
    assert any(line.startswith("DATA 354") for line in local), local
