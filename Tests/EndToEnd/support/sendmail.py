# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The program as other programs find it: by the name of sendmail."""

import os
import shutil
import subprocess
from pathlib import Path

from .relay import Relay

AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class Sendmail:
    """Links and scripts in the relay's directory, with which other programs call Waxwing as sendmail."""

    def __init__(self, relay: Relay):
        self.relay = relay
        self.directory = relay.directory / "sbin"
        self.directory.mkdir()
        if not relay.config.exists():
            relay.configure()
        for name in ("sendmail", "mailq", "newaliases"):
            (self.directory / name).symlink_to("program")
        (self.directory / "program").symlink_to(relay.binary)
        # For programs that take a path and no arguments.
        self.script = self.directory / "script"
        self.script.write_text(f'#!/bin/sh\nexec {self.path} -C {relay.config} "$@"\n')
        self.script.chmod(0o755)

    def share(self) -> None:
        """Lets other users call it too: the place of the program under test may be closed to them."""
        (self.directory / "program").unlink()
        shutil.copy(self.relay.binary, self.directory / "program")
        (self.directory / "program").chmod(0o755)

    @property
    def path(self) -> Path:
        return self.directory / "sendmail"

    @property
    def drop(self) -> Path:
        return self.relay.directory / "drop"

    def dropped(self) -> list[str]:
        """Names of whole messages in the drop directory."""
        return sorted(name for name in os.listdir(self.drop) if not name.startswith(".") and name != "refused")

    def refused(self) -> list[Path]:
        return sorted((self.drop / "refused").iterdir())

    def call(self, content: bytes, *arguments: str, name: str = "sendmail", wrapper: tuple = (), expect: int | None = 0) -> str:
        """Calls it by its name; what it printed. Checks its exit status."""
        done = subprocess.run([*wrapper, self.directory / name, "-C", self.relay.config, *arguments], input=content,
                              capture_output=True, timeout=60, cwd="/", env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
        text = (done.stdout + done.stderr).decode(errors="replace")
        if expect is not None:
            assert done.returncode == expect, f"{arguments} ended with {done.returncode}: {text}"
        return text
