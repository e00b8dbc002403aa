# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The daemon as a service user, its operator as root: neither leaves files that the other cannot use."""

import os
import pwd
import shutil
import stat
import subprocess
import time

import pytest

from support.next_hops import NextHop
from support.smtp import message, refusal, submit
from support.verifiers import assert_verified

pytestmark = pytest.mark.root

USER = "nobody"
AS_USER = ("setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups")


@pytest.fixture
def service(bare_relay):
    """A relay whose directory and program belong to the service user."""
    program = bare_relay.directory / "waxwing"
    shutil.copy(bare_relay.binary, program)
    program.chmod(0o755)
    bare_relay.binary = program
    bare_relay.log_file.touch()
    subprocess.run(["chown", "-R", f"{USER}:nogroup", bare_relay.directory], check=True)
    return bare_relay


def owners(directory) -> set[int]:
    return {os.lstat(os.path.join(root, name)).st_uid for root, folders, files in os.walk(directory) for name in [*folders, *files]}


def test_keys_that_root_makes_serve_a_daemon_that_runs_as_another_user(service):
    user = pwd.getpwnam(USER).pw_uid
    with NextHop() as hop:
        service.send_to(hop.port)
        service.start(wrapper=AS_USER)
        assert os.stat(f"/proc/{service.process.pid}").st_uid == user
        assert refusal(service.port, message()).startswith("550 5.7.1")
        service.make_key("sender.example", "s1")
        time.sleep(1)
        submit(service.port, message())
        assert_verified(hop.wait_for_arrivals(1)[0].content, service.key_records(), ["rsa-sha256"])
        service.wait_until_empty()
        assert service.stop() == 0

        # Now with the daemon down, then up again.
        service.make_key("sender.example", "s2", "ed25519")
        service.command("queue", "list")
        assert owners(service.directory / "Keys") == {user} and owners(service.directory / "spool") == {user}
        private = service.directory / "Keys/sender.example/s2/private.pem"
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        service.start(wrapper=AS_USER)
        submit(service.port, message(subject="again"))
        hop.wait_for_arrivals(2)


def test_the_service_user_manages_its_own_keys(service):
    service.configure()
    for arguments in (["generate", "sender.example", "--selector", "s1"], ["activate", "sender.example", "--force"], ["list"]):
        subprocess.run([*AS_USER, service.binary, "keys", *arguments, "--config", service.config], check=True, capture_output=True,
                       cwd=service.directory)
    with NextHop() as hop:
        service.send_to(hop.port)
        service.start(wrapper=AS_USER)
        submit(service.port, message())
        hop.wait_for_arrivals(1)
