# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *report*: render a recorded run again; a run that was broken off is finished first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._model.errors import BadInput, BreakwaterError
from .._model.run import Fleet, Run
from .._report.report import Report, TrendPoint
from .._store import rundir
from .._store.history import open_history
from .context import Context
from .run import CloseRequest, close_run, history_url, tally, write_reports


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Which run, and which formats (all when empty)."""

    run: str
    history: str | None
    formats: tuple[str, ...]


def report(request: ReportRequest, context: Context) -> dict[str, Any]:
    """Write the reports of a run and return where they are."""
    directory = rundir.find(context.results, request.run)
    run = rundir.read_run(directory)
    if run.kind == "probe":
        raise BadInput(
            "There is nothing to report",
            where=run.id,
            seen="that run is a probe, which judges nothing",
            remedy=f"its answers are in {directory / 'probe'}",
        )
    if run.ended is None:
        closed = close_run(CloseRequest(directory.name, request.history, "high", 0, final=True), context)
        run = rundir.read_run(directory)
        if not request.formats:
            return {"changed": False, "run": run.id, "verdict": run.verdict, "reports": closed["reports"]}
    fleet = rundir.read_fleet(directory) or Fleet(run=run.id)
    trend = _trend(request, context, run)
    ranking = tally(directory, run, "none").ranking
    document = Report(
        run, fleet, ranking, lambda host: rundir.read_host_or_error(directory, run, host), trend, str(directory)
    )
    paths = write_reports(document, directory, request.formats)
    for name, path in paths.items():
        context.show(f"{name}: {path}")
    return {"changed": False, "run": run.id, "verdict": run.verdict, "reports": paths}


def _trend(request: ReportRequest, context: Context, run: Run) -> list[TrendPoint]:
    """Return the runs until this one; without a usable history the reports have no trend, and a warning says why."""
    try:
        with open_history(history_url(request.history, context)) as database:
            past = [known for known in database.trend() if known.id <= run.id]
    except BreakwaterError as error:
        context.warn(str(error))
        return []
    return [TrendPoint(known.id, known.started, known.verdict, known.counts) for known in past]
