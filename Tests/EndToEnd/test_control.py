# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The relay seen by its operator: status, queue, reload, stop, and a configuration that explains itself."""

import json
import signal
import socket
import subprocess
import time

import pytest

from support.machine import free_port, is_listening, wait_for
from support.next_hops import NextHop
from support.smtp import Conversation, message, queue_id, submit


def test_status_and_queue_with_the_relay_up_and_down(relay):
    relay.start()
    identifier = submit(relay.port, message(), recipients=("a@one.example", "b@two.example"))
    wait_for(lambda: "deferred" in relay.command("queue", "list"), "the first deferral")

    code, status = relay.control("/v1/status")
    assert code == 200 and isinstance(status, dict) and status
    assert "1" in relay.command("status")
    code, queue = relay.control("/v1/queue?limit=10")
    assert code == 200 and identifier in json.dumps(queue)
    code, entry = relay.control(f"/v1/queue/{identifier}")
    assert code == 200 and "a@one.example" in json.dumps(entry) and "b@two.example" in json.dumps(entry)
    assert relay.control("/v1/queue/0000000000001")[0] == 404
    assert relay.control("/v1/nonsense")[0] == 404

    def look() -> None:
        assert identifier in relay.command("queue", "list")
        assert any(identifier in json.dumps(entry) for entry in relay.queue())
        shown = relay.command("queue", "show", identifier)
        assert "a@one.example" in shown and "app@sender.example" in shown
        assert identifier in json.dumps(json.loads(relay.command("queue", "show", identifier, "--json")))

    look()
    assert relay.stop() == 0
    look()
    relay.command("queue", "show", "0000000000001", expect=1)


@pytest.mark.root
def test_only_root_the_owner_and_the_group_may_use_the_control_socket(relay):
    relay.start()
    script = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
              "try:\n s.connect(sys.argv[1]); s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: w\\r\\nConnection: close\\r\\n\\r\\n')\n"
              " print(s.recv(100))\nexcept OSError as e: print('refused', e)\n")
    done = subprocess.run(["/usr/bin/python3", "-c", script, str(relay.directory / "control.sock")],
                          user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True, timeout=30)
    assert " 200 " not in done.stdout, done.stdout
    assert relay.control("/v1/status")[0] == 200


def test_sigterm_refuses_new_sessions_finishes_the_transaction_and_exits_with_0(relay):
    relay.start()
    with Conversation(relay.port) as client:
        client.begin_data()
        content = message()
        client.write(content[:40])
        relay.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(relay.port), "the listener to close")
        assert relay.process.poll() is None
        client.write(content[40:] + b".\r\n")
        identifier = queue_id(client.reply())
        client.write(b"NOOP\r\n")
        assert client.reply()[:3] in ("421", "")
    assert relay.process.wait(30) == 0
    assert identifier in relay.command("queue", "list")


def test_sigterm_ends_an_idle_session_with_421(relay):
    relay.start()
    with Conversation(relay.port) as client:
        relay.process.send_signal(signal.SIGTERM)
        assert client.reply().startswith("421 4.3.2")
    assert relay.process.wait(30) == 0


def test_systemd_is_told_of_readiness_reload_and_stop(relay):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(30)
        manager.bind(str(relay.directory / "notify"))
        relay.start(environment={"NOTIFY_SOCKET": str(relay.directory / "notify")})

        def wait_for_word(word: str) -> None:
            while word not in manager.recv(4096).decode().split("\n"):
                pass
        wait_for_word("READY=1")
        submit(relay.port, message())
        relay.process.send_signal(signal.SIGHUP)
        wait_for_word("RELOADING=1")
        wait_for_word("READY=1")
        relay.process.send_signal(signal.SIGTERM)
        wait_for_word("STOPPING=1")
        assert relay.process.wait(30) == 0


def test_what_was_queued_at_the_stop_leaves_after_the_start(relay):
    port = free_port()
    relay.send_to(port)
    relay.start()
    submit(relay.port, message())
    assert relay.stop() == 0
    with NextHop(port=port) as hop:
        relay.start()
        hop.wait_for_arrivals(1)
        relay.wait_until_empty()


@pytest.mark.parametrize("way", ["signal", "command", "socket"])
def test_a_reload_takes_a_whole_valid_file_and_refuses_a_wrong_one_whole(relay, way):
    def reload(good: bool) -> None:
        if way == "signal":
            before = len(relay.log())
            relay.process.send_signal(signal.SIGHUP)
            wait_for(lambda: len(relay.log()) > before, "a line in the log about the reload")
            time.sleep(0.5)
        elif way == "command":
            relay.command("reload", expect=0 if good else None)
        else:
            assert (relay.control("/v1/reload", "POST")[0] == 200) == good

    with NextHop() as first, NextHop() as second:
        relay.send_to(first.port)
        relay.start()
        submit(relay.port, message(subject="one"))
        first.wait_for_arrivals(1)

        relay.send_to(second.port)
        relay.config.write_text(relay.config.read_text() + "\n[limits]\nnonsense = 1\n")
        reload(good=False)
        submit(relay.port, message(subject="two"))
        first.wait_for_arrivals(2)
        assert "nonsense" in relay.log() or way != "signal"

        relay.send_to(second.port)
        reload(good=True)
        submit(relay.port, message(subject="three"))
        second.wait_for_arrivals(1)
        assert len(first.arrivals) == 2


@pytest.mark.parametrize("text, line, words", [
    ("hostnme = \"x\"\n", 1, ["hostnme"]),
    ("[limits]\nrecipients = \"many\"\n", 2, ["recipients"]),
    ("[limits]\n\nmessage-size = \"50 parsecs\"\n", 3, ["message-size"]),
    ("[[route]]\nname = \"a\"\nto = [\"*\"]\n", 1, ["route"]),
    ("[[listener]]\naddress = \"0.0.0.0\"\nport = 2525\n", 2, ["address", "other machines"]),
    ("hostname = \"unfinished\n", 1, []),
])
def test_config_check_names_file_line_and_key(bare_relay, text, line, words):
    bare_relay.config.write_text(text)
    report = bare_relay.command("config", "check", expect=78)
    assert f"waxwing.toml:{line}" in report, report
    for word in words:
        assert word in report, report


def test_config_check_passes_a_good_file_and_show_prints_what_holds(relay):
    relay.configure()
    relay.command("config", "check")
    shown = relay.command("config", "show")
    assert "relay.waxwing.example" in shown and str(relay.port) in shown


def test_the_example_is_itself_a_valid_file_with_every_table(bare_relay):
    example = bare_relay.command("config", "example", config=False)
    for table in ("[[listener]]", "[limits]", "[intake]", "[keys]", "[spool]", "[control]", "[dns]", "[signing]", "[retry]", "[log]"):
        assert table in example, table
    bare_relay.config.write_text(example)
    bare_relay.command("config", "check")


def test_a_second_relay_on_the_same_spool_is_refused(relay):
    relay.start()
    other = relay.directory / "other.toml"
    other.write_text(relay.config.read_text().replace(f"port = {relay.port}", f"port = {free_port()}")
                     .replace("control.sock", "other.sock"))
    done = subprocess.run([relay.binary, "run", "--config", other], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "spool" in done.stderr + done.stdout


def test_a_port_that_is_taken_is_named(relay):
    with NextHop() as hop:
        relay.configure(listener=[{"address": "127.0.0.1", "port": hop.port}])
        done = subprocess.run([relay.binary, "run", "--config", relay.config], capture_output=True, text=True, timeout=60)
        assert done.returncode != 0 and str(hop.port) in done.stderr + done.stdout
