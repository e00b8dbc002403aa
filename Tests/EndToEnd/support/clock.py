# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A clock that a test can put forward, for programs that are started with its environment."""

import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator
from unittest import mock

from .machine import TOP


class Clock:
    """Wall clocks only: what waits for a second waits for a second."""

    def __init__(self):
        self.offset = 0
        descriptor, path = tempfile.mkstemp(prefix="clock.")
        self.file = Path(path)
        self.file.chmod(0o644)
        os.truncate(descriptor, 8)
        self.shared = mmap.mmap(descriptor, 8)
        os.close(descriptor)

    def __enter__(self) -> "Clock":
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.shared.close()
        self.file.unlink(missing_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(library()), "CLOCK_OFFSET_FILE": str(self.file)}

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
        """Every program sees it at once."""
        self.offset += round(days * 86_400 + hours * 3600)
        self.shared[:] = struct.pack("=q", self.offset)


@cache
def library() -> Path:
    """What the programs load first, compiled."""
    compiler = shutil.which("clang") or shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None, "no C compiler on the PATH: Swift brings clang, Debian's package gcc another"
    source, made = Path(__file__).with_suffix(".c"), TOP / ".build-tests" / "clock.so"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        made.parent.mkdir(exist_ok=True)
        new = made.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", new, source], check=True)
        new.replace(made)
    return made
