# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verbs *close* and *approve*: how a run ends."""

from __future__ import annotations

import dataclasses
import pathlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .._model.collected import SectionError
from .._model.control import SEVERITIES
from .._model.errors import BreakwaterError
from .._model.finding import Finding
from .._model.run import Drift, Fleet, HostRecord, Run, RunKind, RunVerdict
from .._report.host_change import touched
from .._report.report import Ranked, Report, TrendPoint, exit_code, render
from .._report.terminal_report import lines
from .._store import rundir
from .._store.drift import State, compare, host_state, unread
from .._store.history import History, Past, open_history
from .audit import counts
from .context import Context
from .probing import close_probe

CHANGING: frozenset[RunKind] = frozenset({"remediate", "rollback"})
"""Kinds of runs that change hosts; their plays go by batches and close the run after each."""


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """Which run to close, and what makes it fail. ``final``: no further batch of hosts comes, whatever it looks like."""

    run: str
    history: str | None
    fail_on: str
    max_unreachable: int
    final: bool = False


@dataclass(slots=True)
class Tally:
    """What closing a run adds up while it streams over the hosts."""

    ranking: list[Ranked] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    against: Counter[str] = field(default_factory=Counter)
    hosts_against: set[str] = field(default_factory=set)
    judged: int = 0
    unfinished: list[str] = field(default_factory=list)


def close_own(directory: pathlib.Path, context: Context) -> None:
    """Finish a run of one host: its verdict, without history, reports and summary."""
    run = rundir.read_run(directory)
    _end(directory, run, CloseRequest(run.id, None, "high", 0), context)


def _end(directory: pathlib.Path, run: Run, request: CloseRequest, context: Context) -> tuple[Run, Tally]:
    """Write what a run came to."""
    found = tally(directory, run, request.fail_on)
    verdict, reasons = _verdict(found, request)
    run = dataclasses.replace(
        run, ended=context.timestamp(), verdict=verdict, counts=dict(found.counts), reasons=reasons
    )
    rundir.write_run(directory, run)
    return run, found


def close_run(request: CloseRequest, context: Context) -> dict[str, Any]:
    """Finish a run: verdict, history, reports, summary. The result fails unless the fleet complies."""
    directory = rundir.find(context.results, request.run)
    run = rundir.read_run(directory)
    if run.kind == "probe":
        return close_probe(directory, context)
    if run.kind in CHANGING and not request.final:
        early = _between_batches(directory, run)
        if early is not None:
            return early
    _add_missing(directory, run)
    run, found = _end(directory, run, request, context)
    reasons = run.reasons
    fleet, trend, obstacle = _remember(directory, run, history_url(request.history, context))
    report = Report(
        run, fleet, found.ranking, lambda host: rundir.read_host_or_error(directory, run, host), trend, str(directory)
    )
    paths = write_reports(report, directory)
    for line in lines(report):
        context.show(line)
    context.show(f"Report:  {paths['html']}")
    if obstacle is not None:
        context.warn(f"The run is kept, but not in the history, and its drift is not known: {obstacle}")
        reasons = (*reasons, obstacle)
    failed = exit_code(run) != 0 or obstacle is not None
    message = f"{run.verdict}: {'; '.join(reasons)}" if reasons else run.verdict
    return {
        "changed": False,
        "failed": failed,
        "msg": message,
        "run": run.id,
        "directory": str(directory),
        "verdict": run.verdict,
        "reasons": list(reasons),
        "counts": run.counts,
        "reports": paths,
    }


def _between_batches(directory: pathlib.Path, run: Run) -> dict[str, Any] | None:
    """Return what closing a run of changes says while batches are still to come, or after it was closed already.

    None: it is time to close. Batches come one after the other, and none comes after one in which a host failed.
    """
    told = {"changed": False, "failed": False, "run": run.id, "directory": str(directory)}
    if rundir.closed_and_unchanged(directory, run):
        return {**told, "msg": f"closed before: {run.verdict}", "verdict": run.verdict, "reasons": list(run.reasons)}
    done = len(rundir.host_names(directory, run))
    if done == len(run.scope.hosts) or rundir.failures(directory):
        return None
    return {**told, "msg": f"{done} of {len(run.scope.hosts)} hosts are done"}


def approve_run(run: str, history: str | None, context: Context) -> dict[str, Any]:
    """Make a finished run the baseline of drift."""
    directory = rundir.find(context.results, run)
    with open_history(history_url(history, context)) as database:
        database.approve(directory.name)
    context.show(f"Run {directory.name} is the baseline now.")
    return {"changed": False, "run": directory.name, "directory": str(directory)}


def history_url(history: str | None, context: Context) -> str:
    """Return the URL of the history; a path is SQLite."""
    if history is None:
        return f"sqlite:///{context.results / 'history.db'}"
    return history if "://" in history else f"sqlite:///{history}"


def write_reports(report: Report, directory: pathlib.Path, formats: tuple[str, ...] = ()) -> dict[str, str]:
    """Write the reports below the run, and return their paths by format."""
    folder = directory / "reports"
    folder.mkdir(mode=0o700, exist_ok=True)
    paths = {}
    for name, path, chunks in render(report, formats):
        rundir.write_text(folder / path, chunks)
        paths[name] = str(folder / path)
    return paths


def _add_missing(directory: pathlib.Path, run: Run) -> None:
    """A host in scope that gave no record becomes one that says so."""
    present = set(rundir.host_names(directory, run))
    for host in run.scope.hosts:
        if host not in present:
            record = HostRecord(host=host, address="", connection="", collected=run.started)
            record.errors.append(SectionError("host", _missing(directory, run)))
            rundir.write_host(directory, record)


def _missing(directory: pathlib.Path, run: Run) -> str:
    if run.kind in CHANGING and rundir.failures(directory):
        return "not looked at: the run stopped because another host failed"
    return "no answer was recorded: the run was broken off before this host, or its task failed"


def tally(directory: pathlib.Path, run: Run, fail_on: str) -> Tally:
    """Stream over the hosts and add up; ``fail_on`` "none" holds nothing against the fleet."""
    found = Tally()
    names: list[str] = list(SEVERITIES)
    serious = set(names[: names.index(fail_on) + 1]) if fail_on in names else set()
    for record in rundir.hosts(directory, run):
        own = counts(record.findings)
        found.counts.update(own)
        found.judged += sum(own[verdict] for verdict in ("pass", "fail", "unknown"))
        shown = _open_counts(own, record.findings)
        found.ranking.append(Ranked(record.host, unread(record), record.score, shown, touched(record)))
        if record.remediation is not None and record.remediation.failed:
            found.unfinished.append(record.host)
        for finding in record.findings:
            if finding.counts_against and finding.severity in serious:
                found.against[finding.verdict] += 1
                found.hosts_against.add(record.host)
    found.ranking.sort(key=_badness)
    return found


def _open_counts(own: dict[str, int], findings: list[Finding]) -> dict[str, int]:
    """Counts as the reports show them: what an exception covers is counted as waived, not as failing."""
    waived = [finding for finding in findings if finding.exception is not None]
    result = {verdict: number for verdict, number in own.items() if verdict != "excepted"}
    for finding in waived:
        result[finding.verdict] -= 1
    return {**result, "waived": len(waived)}


def _badness(ranked: Ranked) -> tuple[bool, int, int, str]:
    unknown_score = 101 if ranked.score is None else ranked.score
    return (ranked.unread is None, unknown_score, -ranked.counts.get("fail", 0), ranked.host)


def _verdict(tally: Tally, request: CloseRequest) -> tuple[RunVerdict, tuple[str, ...]]:
    """Incomplete beats noncompliant: what was not read may be worse still."""
    silent = [ranked.host for ranked in tally.ranking if ranked.unread is not None]
    reasons = []
    if tally.against:
        parts = " and ".join(
            f"{number} {'failing' if verdict == 'fail' else verdict}"
            for verdict, number in sorted(tally.against.items())
        )
        reasons.append(f"{parts} findings of severity {request.fail_on} or worse on {len(tally.hosts_against)} hosts")
    broken = [host for host in tally.unfinished if host not in silent]
    if broken:
        reasons.append(f"{len(broken)} hosts were not changed as planned ({_listed(broken)})")
    if len(silent) > request.max_unreachable:
        reasons.append(
            f"{len(silent)} hosts were not read ({_listed(silent)}), and {request.max_unreachable} may go unread"
        )
    if broken or len(silent) > request.max_unreachable:
        return "incomplete", tuple(reasons)
    return ("noncompliant" if tally.against else "compliant"), tuple(reasons)


def _listed(hosts: list[str]) -> str:
    return ", ".join(hosts[:5]) + (", …" if len(hosts) > 5 else "")


def _remember(directory: pathlib.Path, run: Run, url: str) -> tuple[Fleet, list[TrendPoint], str | None]:
    """Record the run in the history, and work out the drift from the baseline, in one pass over the hosts.

    The third part says why the history could not be used: the run's own files and reports are made all the same.
    """
    fleet, trend, obstacle = Fleet(run=run.id), [], None
    try:
        with open_history(url) as database:
            if run.check:  # what would be changed is no state of the fleet: nothing is measured from it
                trend = [_point(past) for past in database.trend()]
                rundir.write_fleet(directory, fleet)
                return fleet, trend, None
            baseline = database.baseline(run)
            if baseline is not None:
                fleet.baseline, fleet.baseline_approved = baseline.id, baseline.approved
                fleet.drift.extend(_come_and_gone(run, database.fleet(baseline)))
            database.record(run, _states(directory, run, database, baseline, fleet.drift))
            trend = [_point(past) for past in database.trend()]
    except BreakwaterError as error:
        fleet, trend, obstacle = Fleet(run=run.id), [], str(error)
    rundir.write_fleet(directory, fleet)
    return fleet, trend, obstacle


def _point(past: Past) -> TrendPoint:
    return TrendPoint(past.id, past.started, past.verdict, past.counts)


def _states(
    directory: pathlib.Path, run: Run, database: History, baseline: Past | None, drift: list[Drift]
) -> Iterator[tuple[str, State]]:
    """Yield every host with its state, and add what changed since the baseline to ``drift``."""
    for record in rundir.hosts(directory, run):
        if not record.collected:  # nothing was asked of it: what was known of it before still holds
            continue
        now = host_state(record)
        known = None if baseline is None else database.state(record.host, baseline)
        if known is not None:
            drift.extend(compare(record.host, known.state, now, verdicts=known.profile == run.profile))
        yield record.host, now


def _come_and_gone(run: Run, before: set[str] | None) -> Iterator[Drift]:
    """Hosts that are new, and, when the whole fleet was in scope, those that are gone; a limit is no drift."""
    if before is None:
        return
    for host in sorted(set(run.scope.hosts) - before):
        yield Drift(host, "host", "new")
    if not run.scope.limit:
        for host in sorted(before - set(run.scope.hosts)):
            yield Drift(host, "host", "gone")
