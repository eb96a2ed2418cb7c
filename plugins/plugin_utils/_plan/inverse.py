# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that undo a journal: a plan like any other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from .._model.step import ABSENT, STATELESS, JournalEntry, Step, StepState

_NOT_DONE = frozenset[StepState]({"refused", "skipped", "undone", "already"})
"""States in which a step has certainly changed nothing that still stands. One that failed may have."""


def inverse(entries: Sequence[JournalEntry], journal: str) -> list[Step]:
    """Return the steps that put back what the steps of a journal have changed, the last change first.

    Files come back from the bytes that the host kept when it changed them. What only brings values into force is done
    once more at the end; a reload also where the change never came to it, for a service may have looked at the file by
    itself meanwhile. Irreversible steps have no inverse and are left out.

    Args:
        entries: of the journal, in order; a later line about the same step replaces an earlier one.
        journal: its id, which the host keeps the original bytes under.
    """
    latest = {entry.step.id: entry for entry in entries}
    done = [entry.step for entry in latest.values() if entry.state not in _NOT_DONE and not entry.step.irreversible]
    undone = [_undo(step, journal) for step in reversed(done) if step.kind not in STATELESS]
    forced = [entry.step for entry in latest.values() if entry.state not in _NOT_DONE or _missed(entry)]
    steps = [*undone, *(_once(forced) if undone else ())]
    return [dataclasses.replace(step, id=number) for number, step in enumerate(steps, 1)]


def _missed(entry: JournalEntry) -> bool:
    return entry.step.kind == "reload" and entry.state == "skipped"


def _undo(step: Step, journal: str) -> Step:
    kept = f"{journal}/{step.id}"
    if step.kind == "file":
        original = "" if step.before == ABSENT else kept
    else:  # a place beside a twin says that the twin comes back as well; undone once more, the cmdlet writes it again
        original = kept if step.twin is not None and not step.original else ""
    return dataclasses.replace(step, before=step.after, after=step.before, content=None, original=original)


def _once(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield each step without a state once, in the order in which they were first done."""
    seen: dict[tuple[str, str], Step] = {}
    for step in steps:
        if step.kind in STATELESS:
            seen.setdefault((step.kind, step.target), step)
    yield from seen.values()
