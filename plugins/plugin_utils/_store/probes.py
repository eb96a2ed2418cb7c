# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What probes heard, in a run directory: ``probe/<vantage>.jsonl``, lines that are only ever added.

A probe begins with a line that says who asks whom for what (``schema``), has a line per target (``target``) and ends with
one that says so (``ended``). A file without the last was broken off, and what it has is valid.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import time
from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, NamedTuple, TextIO

from . import rundir

SCHEMA = "breakwater/probe/1"
_PERIOD = 1.0
"""Seconds after which lines are handed to the operating system, so that a reader sees them and a killed task loses few."""


class Attempt(NamedTuple):
    """An SMB1 NEGOTIATE that we sent.

    Attributes:
        time: when, UTC.
        source, port: our own address and port.
        address, target: whom we asked: the address, and what the user called it.
        vantage: the host that asked.
    """

    time: datetime.datetime
    source: str
    port: int
    address: str
    target: str
    vantage: str


class Log:
    """The lines of one probe, while it goes on."""

    def __init__(self, directory: pathlib.Path, vantage: str, header: Mapping[str, Any]) -> None:
        """Begin; what the same vantage has written into this run before stays.

        Raises:
            StoreError: it cannot be written.
        """
        self.path = self.place(directory, vantage)
        self._written = time.monotonic()
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            self._stream: TextIO = os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise rundir.cannot_write(self.path, error) from error
        self._write({"schema": SCHEMA, "vantage": vantage, **header})

    @staticmethod
    def place(directory: pathlib.Path, vantage: str) -> pathlib.Path:
        """Return the file of a vantage in a run."""
        return directory / "probe" / f"{rundir.file_name(vantage)}.jsonl"

    def answer(self, document: Mapping[str, Any]) -> None:
        """Add what one target answered."""
        self._write(document)
        if time.monotonic() - self._written >= _PERIOD:
            self.flush()

    def flush(self) -> None:
        """Hand over what was added."""
        self._written = time.monotonic()
        try:
            self._stream.flush()
        except OSError as error:
            raise rundir.cannot_write(self.path, error) from error

    def end(self, trailer: Mapping[str, Any]) -> None:
        """Add the last line; ``trailer`` has ``ended``."""
        self._write(trailer)
        self.flush()

    def _write(self, document: Mapping[str, Any]) -> None:
        try:
            self._stream.write(f"{json.dumps(document, ensure_ascii=False, separators=(',', ':'))}\n")
        except OSError as error:
            raise rundir.cannot_write(self.path, error) from error

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stream.close()
        except OSError as problem:
            if error is None:
                raise rundir.cannot_write(self.path, problem) from problem


def lines(directory: pathlib.Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (vantage, line) of every probe in a run; what is cut off or is no object is passed over."""
    for path in sorted((directory / "probe").glob("*.jsonl")):
        vantage = ""
        with path.open(encoding="utf-8", errors="replace") as stream:
            for text in stream:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                if not isinstance(line, dict):
                    continue
                vantage = str(line.get("vantage") or vantage)
                yield vantage, line


def answers(directory: pathlib.Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (vantage, document) of every target that a probe of this run has asked."""
    for vantage, line in lines(directory):
        if "target" in line:
            yield vantage, line


def about(directory: pathlib.Path, vantage: str, names: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield what a vantage heard of one host: documents whose target or address is one of these names.

    Raises:
        OSError: the file is there and cannot be read.
    """
    path = Log.place(directory, vantage)
    needles = [json.dumps(name, ensure_ascii=False) for name in names]
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as stream:
        for text in stream:
            if not any(needle in text for needle in needles):  # most lines are about others
                continue
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if (
                isinstance(line, dict)
                and "target" in line
                and not {line["target"], line.get("address")}.isdisjoint(names)
            ):
                yield line


def ended(directory: pathlib.Path) -> dict[str, dict[str, Any] | None]:
    """Return by vantage the last line of its last probe, None where that was broken off."""
    found: dict[str, dict[str, Any] | None] = {}
    for vantage, line in lines(directory):
        if "schema" in line:
            found[vantage] = None
        elif "ended" in line:
            found[vantage] = line
    return found


def attempts(directory: pathlib.Path) -> Iterator[Attempt]:
    """Yield every SMB1 NEGOTIATE that the probes of a run have sent: hosts may have audited them as use of SMB1."""
    for vantage, document in answers(directory):
        for entry in document.get("smb1_attempts") or ():
            try:
                when = datetime.datetime.fromisoformat(str(entry["time"]).replace("Z", "+00:00"))
                source, port = str(entry["source"]), int(entry["port"])
            except (KeyError, TypeError, ValueError):
                continue
            yield Attempt(when, source, port, str(document.get("address") or ""), str(document["target"]), vantage)


def attempts_since(results: pathlib.Path, oldest: datetime.date) -> list[Attempt]:
    """Return the SMB1 attempts of all runs of a results directory that began on that day or later."""
    found: list[Attempt] = []
    for directory in rundir.newest_first(results):
        if directory.name[:8] < f"{oldest:%Y%m%d}":
            break
        found.extend(attempts(directory))
    return found
