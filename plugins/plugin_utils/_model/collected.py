# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a collector brought back, before anyone has read meaning into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .fact import FactSet

Family = Literal["unix", "windows"]
"""Kinds of hosts by the shell that their collector is written for."""


@dataclass(frozen=True, slots=True)
class Record:
    """One command that was run, or one file that was read, on the host.

    Attributes:
        id: which record this is, e.g. ``host.os_release``; repeats for lists of files.
        command: the command line or the file's path.
        out: standard output or content. Bytes that are not UTF-8 are surrogate escapes; NUL is kept.
        err: standard error.
        rc: exit code; 124 means that the time bound ended it; 126 that access was denied; 127 that there is no such
            command.
        truncated: ``out`` was longer than the collector sends.
        data: what a collector that has structured values brought instead of text (Windows); JSON data.
    """

    id: str
    command: str
    out: str = ""
    err: str = ""
    rc: int = 0
    truncated: bool = False
    data: Any = None

    @property
    def unreadable(self) -> str | None:
        """Return why this record cannot be trusted, or None when it is whole."""
        if self.rc == 124:
            return f"{self.command}: no answer in time"
        if self.truncated:
            return f"{self.command}: longer than the collector sends"
        if self.rc == 0:
            return None
        if self.rc == 127:
            return f"{self.command}: not installed"
        if self.rc == 126:
            return f"{self.command}: access denied"
        last = self.err.strip().splitlines()[-1:] or [f"exit code {self.rc}"]
        return last[0] if self.command in last[0] else f"{self.command}: {last[0]}"


@dataclass(slots=True)
class Collected:
    """The whole answer of one host.

    Attributes:
        records: in the order in which they were made.
        uid: user that the collector ran as: a numeric id ("0" is root), or a SID on Windows.
        shell: what the collector could tell of its shell.
        family: which collector answered, the one for POSIX shells or the one for PowerShell.
    """

    records: list[Record] = field(default_factory=list)
    uid: str = ""
    shell: str = ""
    family: Family = "unix"

    def get(self, record_id: str) -> Record | None:
        """Return the first record of that id."""
        return next(self.all(record_id), None)

    def all(self, record_id: str) -> Iterator[Record]:
        """Yield every record of that id, in order."""
        return (record for record in self.records if record.id == record_id)

    def text(self, record_id: str) -> str:
        """Return the output of the first record of that id that is whole, else ``""``."""
        record = self.get(record_id)
        return record.out if record is not None and record.unreadable is None else ""


@dataclass(frozen=True, slots=True)
class Implementation:
    """An SMB implementation that is on the host.

    ``running`` is None when that could not be told.
    ``traits`` are what ``when:`` may ask for beside the version: server roles ("domain-controller",
    "domain-member", "standalone", "cluster"), an edition, …
    ``doubts`` are traits that it may or may not have, because the host did not tell.
    """

    name: str
    version: str
    role: Literal["server", "client"]
    running: bool | None = None
    traits: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionError:
    """A part of the host that could not be read, and why."""

    section: str
    reason: str


@dataclass(slots=True)
class Reading:
    """What a reader made of a collected answer."""

    facts: FactSet = field(default_factory=FactSet)
    implementations: list[Implementation] = field(default_factory=list)
    errors: list[SectionError] = field(default_factory=list)

    def merge(self, other: Reading) -> None:
        """Take over everything that ``other`` found."""
        self.facts.merge(other.facts)
        self.implementations.extend(other.implementations)
        self.errors.extend(other.errors)
