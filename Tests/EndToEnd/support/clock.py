# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A clock that a test can put forward, for programs that are started with its environment (libfaketime)."""

import glob
import os
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator
from unittest import mock


class Clock:
    """Wall clocks only: what waits for a second waits for a second."""

    def __init__(self):
        self.offset = 0
        descriptor, path = tempfile.mkstemp(prefix="clock.")
        os.close(descriptor)
        self.file = Path(path)
        self.file.chmod(0o644)
        self.write()

    def __enter__(self) -> "Clock":
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.file.unlink(missing_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        assert libraries, "libfaketime is missing: Deploy/test installs it"
        return {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}

    @contextmanager
    def inside(self, *modules) -> Iterator[None]:
        """Modules of this process that have imported `time` ask this clock for a while."""
        with ExitStack() as stack:
            for module in modules:
                stack.enter_context(mock.patch.object(module, "time", SimpleNamespace(time=self.now)))
            yield

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, days: float = 0, hours: float = 0) -> None:
        self.offset += round(days * 86_400 + hours * 3600)
        self.write()

    def write(self) -> None:
        # Replaced whole: a program that reads half a number would live at another time.
        new = self.file.with_suffix(".new")
        new.write_text(f"{self.offset:+d}\n")
        new.chmod(0o644)
        new.replace(self.file)
