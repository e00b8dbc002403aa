# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""TLS on the way in: STARTTLS and implicit, as real clients do it."""

import shutil
import signal
import smtplib
import ssl
import subprocess

import pytest

from support.certificates import Authority
from support.machine import free_port, wait_for
from support.next_hops import NextHop
from support.smtp import Conversation, message, submit_on

NAME = "relay.waxwing.example"


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secure(relay, authority):
    """A relay with a certificate, a STARTTLS listener on `port` and an implicit one on `implicit`."""
    certificate, key = authority.issue("server", f"DNS:{NAME},IP:127.0.0.1")
    relay.implicit = free_port()
    relay.configure(
        listener=[{"port": relay.port, "tls": "starttls"}, {"port": relay.implicit, "tls": "implicit"}],
        tls={"certificate": str(certificate), "key": str(key)})
    return relay


def trust(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def contents(hop: NextHop, count: int) -> list[bytes]:
    return [arrival.content for arrival in hop.wait_for_arrivals(count)]


def received(content: bytes) -> str:
    """The first Received field, on one line."""
    return " ".join(content.decode().replace("\r\n\t", " ").replace("\n\t", " ").split("Received:", 1)[1].split("\n", 1)[0].split())


def test_smtplib_submits_by_starttls_and_by_implicit_tls(secure, authority):
    with NextHop() as hop:
        secure.send_to(hop.port)
        secure.start()
        with smtplib.SMTP("127.0.0.1", secure.port, timeout=60) as client:
            client.ehlo("app.example")
            assert client.has_extn("starttls")
            client.starttls(context=trust(authority))
            client.ehlo("app.example")
            assert not client.has_extn("starttls")
            submit_on(client, message(subject="by STARTTLS"), "app@sender.example")
        with smtplib.SMTP_SSL("127.0.0.1", secure.implicit, timeout=60, context=trust(authority)) as client:
            client.ehlo("app.example")
            assert not client.has_extn("starttls")
            submit_on(client, message(subject="by TLS"), "app@sender.example")
        with smtplib.SMTP("127.0.0.1", secure.port, timeout=60) as client:
            client.ehlo("app.example")
            submit_on(client, message(subject="in the clear"), "app@sender.example")
        taken = {subject: content for content in contents(hop, 3)
                 for subject in ("by STARTTLS", "by TLS", "in the clear") if subject.encode() in content}
    assert " with ESMTPS id " in received(taken["by STARTTLS"])
    assert " with ESMTPS id " in received(taken["by TLS"])
    assert " with ESMTP id " in received(taken["in the clear"])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_both_versions_of_tls(secure, authority, version):
    secure.start()
    context = trust(authority)
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    with smtplib.SMTP("127.0.0.1", secure.port, timeout=60) as client:
        client.starttls(context=context)
        assert client.sock.version() == version.replace("_", ".")
        assert client.ehlo("app.example")[0] == 250


def test_nothing_older_than_tls_1_2(secure):
    secure.start()
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{secure.implicit}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        input=b"", capture_output=True, timeout=60)
    assert done.returncode != 0 and b"Cipher is (NONE)" in done.stdout


def test_openssl_and_swaks_and_curl(secure, authority, tmp_path):
    with NextHop() as hop:
        secure.send_to(hop.port)
        secure.start()
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{secure.port}", "-CAfile",
             authority.certificate, "-verify_return_error", "-verify_hostname", NAME, "-crlf", "-quiet"],
            input=b"EHLO app.example\nQUIT\n", capture_output=True, timeout=60)
        assert b"Verify return code" not in done.stdout and b"250 HELP" in done.stdout, done
        for words in (["--tls"], ["--tls-on-connect"]):
            port = secure.implicit if "on-connect" in words[0] else secure.port
            done = subprocess.run(
                ["swaks", "--server", f"127.0.0.1:{port}", *words, "--tls-verify", "--tls-ca-path",
                 authority.certificate, "--from", "app@sender.example", "--to", "someone@sink.example",
                 "--helo", "app.example"], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr
        letter = tmp_path / "letter"
        letter.write_bytes(message(subject="by curl"))
        for url, words in ((f"smtps://127.0.0.1:{secure.implicit}/app.example", []),
                           (f"smtp://127.0.0.1:{secure.port}/app.example", ["--ssl-reqd"])):
            done = subprocess.run(
                ["curl", "-sS", url, *words, "--cacert", authority.certificate, "--mail-from", "app@sender.example",
                 "--mail-rcpt", "someone@sink.example", "--upload-file", letter],
                capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
        assert len(contents(hop, 4)) == 4


@pytest.mark.parametrize("behind", [b"NOOP\r\n", b"R", b"MAIL FROM:<app@sender.example>\r\n"])
def test_commands_behind_starttls_are_not_obeyed(secure, behind):
    secure.start()
    with Conversation(secure.port) as client:
        client.write(b"STARTTLS\r\n" + behind)
        assert client.reply().startswith("554 5.5.0")
        assert client.reply() == ""


def test_a_loopback_listener_makes_a_certificate_for_itself(relay):
    relay.configure(listener=[{"port": relay.port, "tls": "starttls"}])
    relay.start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
        client.starttls(context=context)
        text = ssl.DER_cert_to_PEM_cert(client.sock.getpeercert(binary_form=True))
    shown = subprocess.run(["openssl", "x509", "-noout", "-text"], input=text, capture_output=True, text=True)
    assert f"DNS:{NAME}" in shown.stdout and "prime256v1" in shown.stdout and "IP Address:127.0.0.1" in shown.stdout
    assert not list(relay.directory.glob("**/*.pem")) or all("Keys" in str(p) for p in relay.directory.glob("**/*.pem"))


def serial(port: int) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP_SSL("127.0.0.1", port, timeout=60, context=context) as client:
        text = ssl.DER_cert_to_PEM_cert(client.sock.getpeercert(binary_form=True))
    shown = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=text, capture_output=True, text=True)
    return int(shown.stdout.strip().split("=")[1], 16)


def test_renewed_files_are_taken_over_and_broken_ones_are_not(secure, authority, tmp_path):
    secure.start()
    first = serial(secure.implicit)
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    # A certificate without its key, as halfway through a renewal.
    renewed = authority.issue("renewed", f"DNS:{NAME},IP:127.0.0.1")
    shutil.copy(renewed[0], certificate)
    wait_for(lambda: "certificate files can't be used" in secure.log(), "the error about the pair")
    assert serial(secure.implicit) == first
    # On SIGHUP the whole configuration is refused for it.
    secure.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the configuration was refused" in secure.log(), "the refused reload")
    assert serial(secure.implicit) == first
    shutil.copy(renewed[1], key)
    wait_for(lambda: serial(secure.implicit) != first, "the renewed certificate")
    # And by SIGHUP at once, with other files.
    second = serial(secure.implicit)
    other = authority.issue("other", f"DNS:{NAME}")
    secure.configure(tls={"certificate": str(other[0]), "key": str(other[1])})
    secure.process.send_signal(signal.SIGHUP)
    wait_for(lambda: serial(secure.implicit) != second, "the certificate of the new configuration")


def test_client_certificates_are_optional_but_never_wrong(secure, authority, tmp_path):
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    foreign = Authority(stranger, "foreign")
    secure.configure(listener=[{"port": secure.port, "tls": "starttls"},
                               {"port": secure.implicit, "tls": "implicit", "client-ca": str(authority.certificate)}],
                     log={"level": "debug"})
    secure.start()

    def hello(pair=None) -> bool:
        context = trust(authority)
        if pair:
            context.load_cert_chain(*pair)
        try:
            with smtplib.SMTP_SSL("127.0.0.1", secure.implicit, timeout=60, context=context) as client:
                return client.ehlo("app.example")[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    assert hello()
    assert hello(authority.issue("client", "DNS:shop.example,email:shop@sender.example", "clientAuth"))
    assert "shop.example shop@sender.example" in secure.log()
    assert not hello(foreign.issue("client", "DNS:shop.example", "clientAuth"))
    # A server's certificate is not one of a client.
    assert not hello(authority.issue("server2", "DNS:shop.example", "serverAuth"))
    assert not hello(authority.issue("expired", "DNS:shop.example", "clientAuth", days=-1))


def test_the_check_names_what_is_wrong_with_files(secure, authority, tmp_path):
    other = authority.issue("other", f"DNS:{NAME}")
    secure.configure(tls={"certificate": str(tmp_path / "server.pem"), "key": str(other[1])})
    text = secure.command("config", "check", expect=78)
    assert "tls.key" in text and "not the private key of the certificate" in text
    other[1].chmod(0o644)
    assert "chmod" in secure.command("config", "check", expect=78)
    secure.configure(tls={"certificate": "missing.pem", "key": str(tmp_path / "server.key")})
    assert "there is no file" in secure.command("config", "check", expect=78)
