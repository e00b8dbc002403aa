# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The commands on keys as scripts and monitoring see them: exit codes, progress, Ctrl-C, completion, terminals."""

import http.server
import json
import os
import pty
import signal
import socketserver
import subprocess
import threading

import pytest

from support.machine import wait_for


class ScriptedDaemon:
    """Listens at a relay's control socket and answers key commands from a script; the last answer stays."""

    def __init__(self, relay, answers: list[dict]):
        self.requests: list[dict] = []
        daemon = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                daemon.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = answers[min(len(daemon.requests), len(answers)) - 1]
                body = json.dumps({"isError": False, "warnings": [], "hasChanged": False, **answer}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return "local"

            def log_message(self, *_):
                pass

        self.server = socketserver.ThreadingUnixStreamServer(str(relay.directory / "control.sock"), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize("words, status", [
    (["keys", "list"], 0),
    (["keys", "list", "x..y"], 2),
    (["keys", "list", "--josn"], 2),
    (["keys", "nonsense"], 2),
    (["keys", "remove", "sender.example", "--selector", "s1"], 2),
    (["keys", "show", "sender.example"], 1),
    (["keys", "--help"], 0),
    (["status", "--josn"], 64),
    (["status"], 1),
])
def test_exit_codes_are_those_of_monitoring(bare_relay, words, status):
    bare_relay.command(*words, expect=status, config="--help" not in words)


def test_a_faulty_configuration_is_told_from_all_else(bare_relay):
    bare_relay.configure(rotation={"publisher": "nobody"})
    text = bare_relay.command("keys", "list", expect=78)
    assert "rotation.publisher: there is no [[publisher]] \"nobody\"" in text


def test_a_problem_that_the_daemon_sees_is_the_exit_code(bare_relay):
    bare_relay.configure()
    answers = [{"text": "s1 is not in DNS\n", "hasProblem": True, "document": "{\"keys\": []}"}]
    with ScriptedDaemon(bare_relay, answers) as daemon:
        assert "s1 is not in DNS" in bare_relay.command("keys", "check", "sender.example", expect=1)
        assert json.loads(bare_relay.command("keys", "check", "--json", expect=1)) == {"keys": []}
    assert [request["verb"] for request in daemon.requests] == ["check", "check"]


def test_rotate_waits_and_prints_what_changes(bare_relay):
    bare_relay.configure()
    answers = [
        {"text": "made s2\nwaits for the record of s2\n", "isFinished": False},
        {"text": "made s2\nwaits for the record of s2\n", "isFinished": False},
        {"text": "made s2\nwaits until noon\n", "isFinished": False},
        {"text": "s2 signs\n", "isFinished": True},
    ]
    with ScriptedDaemon(bare_relay, answers) as daemon:
        text = bare_relay.command("keys", "rotate", "sender.example", "--wait", "--now", "--compromised")
    assert text == "made s2\nwaits for the record of s2\nwaits until noon\ns2 signs\n"
    first, *later = daemon.requests
    assert first["isCompromised"] and first["skipsWait"] and "onlyContinues" not in first
    assert len(later) == 3 and all(request["onlyContinues"] and "isCompromised" not in request for request in later)


def test_ctrl_c_leaves_the_rotation_running_and_says_so(bare_relay):
    bare_relay.configure()
    with ScriptedDaemon(bare_relay, [{"text": "waits\n", "isFinished": False}]) as daemon:
        process = subprocess.Popen(
            [bare_relay.binary, "keys", "rotate", "sender.example", "--wait", "--config", bare_relay.config],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(lambda: len(daemon.requests) >= 2, "the second question")
            process.send_signal(signal.SIGINT)
            output, problems = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    assert output == "waits\n"
    assert "the rotation goes on" in problems and "waxwing keys rotate sender.example" in problems


def test_a_private_key_is_not_printed_on_a_terminal(bare_relay):
    bare_relay.make_key("sender.example", "s1", activate=False)
    leader, follower = pty.openpty()
    try:
        done = subprocess.run(
            [bare_relay.binary, "keys", "export", "sender.example", "--selector", "s1", "--config", bare_relay.config],
            stdout=follower, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60)
        os.set_blocking(leader, False)
        with pytest.raises(BlockingIOError):
            os.read(leader, 1)
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 1 and "--output" in done.stderr


def test_shells_complete_domains_and_selectors(bare_relay):
    for domain, selector in (("one.example", "a1"), ("one.example", "b1"), ("two.example", "a2")):
        bare_relay.make_key(domain, selector, activate=False)
    script = bare_relay.command("--generate-completion-script", "bash", config=False)
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def offered(line: str) -> set[str]:
        """What bash would offer at the end of `line`."""
        words = line.split(" ")
        program = "\n".join([
            script,
            f"waxwing() {{ {bare_relay.binary} \"$@\"; }}",
            f"COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; COMP_CWORD={len(words) - 1}",
            "COMP_WORDS=(" + " ".join(f"'{word}'" for word in words) + ")",
            f"_waxwing waxwing '{words[-1]}' '{words[-2]}' 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        ])
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=60, cwd=bare_relay.directory)
        return {word.strip() for word in done.stdout.splitlines() if word.strip()}

    assert {"one.example", "two.example"} <= offered("waxwing keys list ")
    assert offered("waxwing keys show one.example --selector ") == {"a1", "b1"}
    assert offered("waxwing keys generate x.example --algorithm rsa-3") == {"rsa-3072"}
    assert {"generated", "retiring"} <= offered("waxwing keys list --state ")


def test_config_check_tells_of_secrets_that_others_may_read(bare_relay):
    secret = bare_relay.directory / "tsig"
    secret.write_text('key "waxwing" { algorithm hmac-sha256; secret "' + "QUFB" * 10 + '"; };\n')
    secret.chmod(0o640)
    publisher = {"name": "primary", "type": "rfc2136", "server": "192.0.2.1", "tsig-secret-file": "tsig"}
    bare_relay.configure(rotation={"publisher": "primary"}, publisher=[publisher])
    assert f"chmod 600 {secret}" in bare_relay.command("config", "check", expect=78)
    secret.chmod(0o600)
    assert ": ok" in bare_relay.command("config", "check")
    assert "QUFB" not in bare_relay.command("config", "show")


def test_a_reload_without_the_secret_is_refused_whole(bare_relay):
    bare_relay.start()
    publisher = {"name": "primary", "type": "rfc2136", "server": "192.0.2.1", "tsig-secret-file": "tsig"}
    bare_relay.configure(rotation={"publisher": "primary", "retention": "1 d"}, publisher=[publisher])
    text = bare_relay.command("reload", expect=1)
    assert "publisher[1].tsig-secret-file: there is no file" in text and "the one before stays in force" in text
    secret = bare_relay.directory / "tsig"
    secret.write_text('key "waxwing" { algorithm hmac-sha256; secret "' + "QUFB" * 10 + '"; };\n')
    secret.chmod(0o600)
    text = bare_relay.command("reload")
    assert "reloaded" in text and "warning: " in text and "rotation.retention" in text
    assert "rotation.retention" in bare_relay.log() and "QUFB" not in bare_relay.log()
