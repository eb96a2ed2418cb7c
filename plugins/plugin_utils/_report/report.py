# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every report is made from, and the table of formats."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._model.control import SEVERITIES
from .._model.errors import BadInput
from .._model.finding import VERDICTS, Finding
from .._model.run import Fleet, HostRecord, Run

Chunks = Iterable[str]
FORMATS = ("html", "json", "junit", "terminal")
"""Each is a module of this room with a function ``render(report) -> (path, chunks) pairs``."""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A past run, for the picture of how things went."""

    id: str
    started: str
    verdict: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Touched:
    """What a run that changes hosts did to one of them.

    Attributes:
        changed: number of values that were changed, or in check mode would be.
        held: number of values that a rule held back.
        score_before: score of the findings before.
        failed: the change was not completed.
    """

    changed: int = 0
    held: int = 0
    score_before: int | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """A host's place in the list of worst hosts first, without its facts (so that a large fleet fits)."""

    host: str
    unread: str | None
    score: int | None
    counts: dict[str, int]
    touched: Touched | None = None

    @property
    def score_before(self) -> int | None:
        """Return the score before a change, for a host that has another one now."""
        before = None if self.touched is None else self.touched.score_before
        return None if self.score in (None, before) else before


@dataclass(frozen=True, slots=True)
class Report:
    """A run, seen by a renderer.

    Attributes:
        run: ``run.json``.
        fleet: ``fleet.json``.
        ranking: every host in scope, worst first.
        read: reads the record of one host; called once per host, in the order of ``ranking``.
        trend: past runs, oldest first.
        directory: where the run lies, for messages.
    """

    run: Run
    fleet: Fleet
    ranking: Sequence[Ranked]
    read: Callable[[str], HostRecord]
    trend: Sequence[TrendPoint] = ()
    directory: str = ""


def render(report: Report, formats: Sequence[str] = ()) -> Iterator[tuple[str, str, Chunks]]:
    """Yield (format, path in the run's ``reports`` directory, text in chunks).

    Raises:
        BadInput: there is no such format.
    """
    for name in formats or FORMATS:
        if name not in FORMATS:
            raise BadInput("There is no such report format", seen=repr(name), remedy=f"use one of {', '.join(FORMATS)}")
        module = importlib.import_module(f"{__package__}.{name}_report")
        for path, chunks in module.render(report):
            yield name, path, chunks


def changes_hosts(run: Run) -> bool:
    """Return whether a run is about changing hosts, or about what would be changed."""
    return run.kind in ("remediate", "rollback")


def exit_code(run: Run) -> int:
    """Return what the playbook ends with. A rollback leads back to what was, and a plan changes nothing: neither fails
    because of findings, only because a host did not answer or could not be put back."""
    if run.check or run.kind == "rollback":
        return 2 if run.verdict == "incomplete" else 0
    return 0 if run.verdict == "compliant" else 2


def totals(report: Report) -> Counter[str]:
    """Return the findings of the whole fleet per verdict; what an exception covers is counted as "waived" only."""
    total: Counter[str] = Counter()
    for ranked in report.ranking:
        total.update(ranked.counts)
    return total


def bad(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that somebody must look at, worst first; those under an exception last."""
    chosen = [finding for finding in findings if finding.verdict in ("fail", "unknown", "manual")]
    return sorted(
        chosen,
        key=lambda finding: (
            finding.exception is not None,
            VERDICTS.index(finding.verdict) == VERDICTS.index("manual"),
            SEVERITIES.index(finding.severity),
            VERDICTS.index(finding.verdict),
            finding.control,
            finding.object,
        ),
    )
