# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's journal of a change: ``journal/<name>.jsonl`` of a run, one line per step.

It is written before anything is sent to the host, with every step planned, and again with what became of them.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterable, Sequence

from .._model.codec import DecodeError, decode, encode
from .._model.errors import StoreError
from .._model.step import Change, JournalEntry, Step, StepResult
from . import rundir


def path_of(directory: pathlib.Path, host: str) -> pathlib.Path:
    """Return where a host's journal is."""
    return directory / "journal" / f"{rundir.file_name(host)}.jsonl"


def exists(directory: pathlib.Path, host: str) -> bool:
    """Return whether a run has a journal of a host."""
    return path_of(directory, host).is_file()


def planned(steps: Iterable[Step], changes: Iterable[Change], time: str) -> list[JournalEntry]:
    """Return the journal of steps that nobody has tried yet; the text of files is left out."""
    asked: dict[int, str] = {}
    for change in changes:
        asked.setdefault(change.step, change.control)
    return [
        JournalEntry(dataclasses.replace(step, content=None), "planned", time, asked.get(step.id, "")) for step in steps
    ]


def settled(entries: Iterable[JournalEntry], results: Iterable[StepResult], time: str) -> list[JournalEntry]:
    """Return the journal with what became of its steps; one that nobody told of stays as it was."""
    told = {result.id: result for result in results}
    return [
        dataclasses.replace(entry, state=told[entry.step.id].state, error=told[entry.step.id].error, time=time)
        if entry.step.id in told
        else entry
        for entry in entries
    ]


def write(directory: pathlib.Path, host: str, entries: Iterable[JournalEntry]) -> pathlib.Path:
    """Write a host's journal, wholly or not at all, readable by its owner only.

    Raises:
        StoreError: it cannot be written: nothing may be changed on the host then.
    """
    path = path_of(directory, host)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise rundir.cannot_write(path, error) from error
    lines = (json.dumps(encode(entry), ensure_ascii=True, separators=(",", ":")) + "\n" for entry in entries)
    rundir.write_text(path, lines)
    return path


def read(directory: pathlib.Path, host: str) -> Sequence[JournalEntry]:
    """Read a host's journal.

    Raises:
        StoreError: it is not there, or damaged.
    """
    path = path_of(directory, host)
    number = 0
    try:
        entries = []
        for line in path.read_text(encoding="ascii").splitlines():
            number += 1
            entries.append(decode(JournalEntry, json.loads(line)))
        return entries
    except (OSError, ValueError, DecodeError) as error:
        raise StoreError(
            "Cannot read the journal",
            where=f"{path}:{number}" if number else str(path),
            seen=getattr(error, "strerror", None) or str(error),
            remedy="restore it from a copy of the results, or see the journal on the host itself",
        ) from error
