# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns of hosts that must not be changed at the same time: a lock on the controller, and who failed in this run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import urllib.parse
from collections.abc import Iterator
from typing import IO

from .._model.errors import StoreError


class Turn:
    """A turn. What is noted is on the disk at once: whoever takes it may be killed."""

    def __init__(self, file: IO[str] | None = None, run: str = "") -> None:
        self._file = file
        self._run = run
        owner, _newline, failed = file.read().partition("\n") if file is not None else ("", "", "")
        self.failed = failed if owner == run else ""

    def note(self, failed: str) -> None:
        """Write down which host's turn of this run has not ended well; "" for none."""
        self.failed = failed
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(f"{self._run}\n{failed}")
            self._file.flush()


@contextlib.contextmanager
def take(results: pathlib.Path, name: str, run: str) -> Iterator[Turn]:
    """Wait for the turn.

    Args:
        results: directory of the runs.
        name: what is taken in turns.
        run: run id; how turns of other runs ended does not matter.

    Raises:
        StoreError: the lock cannot be written.
    """
    path = results / f".turn-{urllib.parse.quote(name, safe='')}"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            "Cannot take turns",
            where=str(path),
            seen=str(error.strerror),
            remedy="make the directory of the runs writable",
        ) from error
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # ends with the process, whatever becomes of it
        yield Turn(file, run)
