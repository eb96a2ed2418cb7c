# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary that a person reads at the end of a run. Host text is one printable line wherever it appears."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._model.finding import Finding
from .._model.run import Drift, HostRecord, Run
from .._model.step import Blocked, Remediation
from .._model.text import printable
from .host_change import held_words, later, made, undo_command, verb, waits
from .report import Chunks, Ranked, Report, bad, changes_hosts, exit_code, totals

MAX_FINDINGS = 12
MAX_HOSTS = 15
MAX_DRIFT = 15


def render(report: Report) -> Iterator[tuple[str, Chunks]]:
    """Yield ``summary.txt``."""
    yield "summary.txt", (f"{line}\n" for line in lines(report))


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of the summary."""
    run = report.run
    planned = " (planned only: nothing was touched)" if run.check else ""
    yield f"Breakwater {run.kind} {run.id}{planned}   profile {printable(run.profile)}   {len(report.ranking)} hosts"
    shown = 0
    for ranked in report.ranking:
        if not _to_show(ranked):
            continue
        shown += 1
        if shown <= MAX_HOSTS:
            yield ""
            yield from _host(report.read(ranked.host), ranked, run)
    if shown > MAX_HOSTS:
        yield ""
        yield f"... and {shown - MAX_HOSTS} more hosts with findings (see the HTML report)"
    clean = [printable(ranked.host) for ranked in report.ranking if not _to_show(ranked)]
    if clean:
        more = f" and {len(clean) - 10} more" if len(clean) > 10 else ""
        yield ""
        yield f"Nothing to {'undo' if run.kind == 'rollback' else 'do'} on: {', '.join(clean[:10])}{more}"
    yield from _drift(report)
    yield ""
    yield from _verdict(report)


def _to_show(ranked: Ranked) -> bool:
    """Whether there is anything to say of a host."""
    touched = ranked.touched
    done = touched is not None and (touched.changed > 0 or touched.failed)
    return ranked.unread is not None or _open(ranked) > 0 or done


def _open(ranked: Ranked) -> int:
    return ranked.counts.get("fail", 0) + ranked.counts.get("unknown", 0)


def _host(record: HostRecord, ranked: Ranked, run: Run) -> Iterator[str]:
    labels = f" [{', '.join(record.labels)}]" if record.labels else ""
    name = f"{printable(record.host)}{labels}"
    done = record.remediation
    if ranked.unread is not None:
        yield f"{name}: NOT READ: {printable(ranked.unread)}"
        return
    counts = ", ".join(
        f"{number} {verdict}" for verdict, number in ranked.counts.items() if number and verdict != "not_applicable"
    )
    server = next((item for item in record.implementations if item.role == "server"), None)
    described = f"  {printable(f'{server.name} {server.version}')}" if server else "  no SMB server"
    yield f"{name}: {_score(ranked)}  ({counts}){described}"
    if done is not None:
        yield from _change(done, run)
    ports = sorted(
        {f"{item.effective['port']}" for item in record.facts.objects("host.listener").values() if item.effective},
        key=int,
    )
    if ports:
        yield f"  listening: {', '.join(ports)}"
    yield from _findings(record, done, run)


def _score(ranked: Ranked) -> str:
    if ranked.score is None:
        return "no score"
    before = ranked.score_before
    return f"score {ranked.score}" if before is None else f"score {before} -> {ranked.score}"


def _change(done: Remediation, run: Run) -> Iterator[str]:
    """Say in one line what was done, and in another what went wrong."""
    parts = [f"{_values(made(done))} {verb(run)}"]
    parts += [f"{len(done.blocked)} held back"] if done.blocked else []
    parts += [f"restarted: {', '.join(map(printable, done.restart_done))}"] if done.restart_done else []
    waiting = waits(done)
    parts += [f"{'would wait' if done.check else 'waits'} for: {', '.join(waiting)}"] if waiting else []
    yield f"  {'plan' if done.check else 'change'}: {'; '.join(parts)}"
    if done.failed:
        yield f"  FAILED   {printable(done.failed)}"


def _values(number: int) -> str:
    return f"{number} {'value' if number == 1 else 'values'}"


def _findings(record: HostRecord, done: Remediation | None, run: Run) -> Iterator[str]:
    """Say what is open, or with the plan done would be; what is waived last."""
    done = done or Remediation()
    changes = {(change.control, change.object): change for change in done.changes}
    late = {key: later(change, done) for key, change in changes.items()} if run.kind == "remediate" else {}
    held = {(item.control, item.object): item for item in done.blocked}
    findings = [
        finding
        for finding in bad(record.findings)
        if finding.verdict != "manual" and not (done.check and (finding.control, finding.object) in changes)
    ]
    for group in ([f for f in findings if f.exception is None], [f for f in findings if f.exception is not None]):
        for finding in group[:MAX_FINDINGS]:
            key = (finding.control, finding.object)
            yield from _finding(finding, held.get(key), late.get(key, ""))
        if len(group) > MAX_FINDINGS:
            yield f"  ... and {len(group) - MAX_FINDINGS} more (see the HTML report)"


def _finding(finding: Finding, held: Blocked | None, waits_for: str) -> Iterator[str]:
    where = f" [{printable(finding.object)}]" if finding.object else ""
    mark = {"fail": finding.severity.upper(), "unknown": f"UNKNOWN {finding.severity}"}[finding.verdict]
    if finding.exception is not None:
        left = finding.exception.days_left
        expiry = f"expires in {left} days" if left is not None else "no expiry"
        yield f"  waived   {finding.control}{where}: {printable(finding.exception.reason)} ({expiry})"
        return
    yield f"  {mark:<8} {finding.control}{where}: {printable(finding.why)}"
    if held is not None:
        yield f"           held back ({held_words(held)}): {printable(held.why)}"
    elif waits_for:
        yield f"           changed, and {waits_for}"
    elif finding.remedy and finding.verdict == "fail":
        yield f"           -> {printable(finding.remedy)}"


def _drift(report: Report) -> Iterator[str]:
    fleet = report.fleet
    if fleet.baseline is None:
        return
    kind = "approved run" if fleet.baseline_approved else "run before"
    yield ""
    if changes_hosts(report.run) and fleet.drift:  # most of it is what this run did, and that is told already
        yield f"Changed since {fleet.baseline} ({kind}), by this run and otherwise: {len(fleet.drift)} (see the HTML report)"
        return
    yield f"Changed since {fleet.baseline} ({kind}): {len(fleet.drift) or 'nothing'}"
    for change in fleet.drift[:MAX_DRIFT]:
        yield f"  {drift_line(change)}"
    if len(fleet.drift) > MAX_DRIFT:
        yield f"  ... and {len(fleet.drift) - MAX_DRIFT} more (see the HTML report)"


def words(value: Any, room: int = 90) -> str:
    """Return a fact's value as a person would write it, shortened to ``room`` characters."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, dict) and "unreadable" in value:
        text = f"unreadable ({words(value['unreadable'])})"
    elif isinstance(value, dict):
        text = ", ".join(f"{key} {words(item, room // 2)}" for key, item in value.items() if item is not None)
    elif isinstance(value, (list, tuple)):
        text = ", ".join(words(item) for item in value) or "empty"
    elif value is None:
        text = "nothing"
    else:
        text = str(value) or "empty"
    return text if len(text) <= room else f"{text[: room - 1]}…"


def drift_line(change: Drift, *, with_host: bool = True) -> str:
    """Return one change in words."""
    where = f"{change.subject}{f' [{change.object}]' if change.object else ''}"
    before, after = words(change.before), words(change.after)
    text = {
        "gone": "is gone",
        "new": "is new",
        "added": f"{where} added: {after}",
        "removed": f"{where} removed: {before}",
        "changed": f"{where}: {before} -> {after}",
        "newly_failing": f"{where} newly failing ({before} -> {after})",
        "newly_passing": f"{where} newly passing ({before} -> {after})",
    }[change.change]
    return printable(f"{change.host}: {text}" if with_host else text)[:300]


def _verdict(report: Report) -> Iterator[str]:
    run, counts = report.run, totals(report)
    parts = [
        f"{counts[name]} {name.replace('_', ' ')}" for name in ("fail", "unknown", "manual", "pass", "not_applicable")
    ]
    waived = f", {counts['waived']} waived" if counts["waived"] else ""
    yield f"Findings: {', '.join(parts)}{waived}"
    yield f"Verdict: {run.verdict.upper()} (exit code {exit_code(run)})"
    for reason in run.reasons:
        yield f"  because {printable(reason)}"
    yield from _changes(report)


def _changes(report: Report) -> Iterator[str]:
    """Say of a run that changes hosts how much it did, and what undoes it or does it."""
    run = report.run
    touched = [ranked.touched for ranked in report.ranking if ranked.touched is not None]
    if not touched:
        return
    changed, held = sum(one.changed for one in touched), sum(one.held for one in touched)
    hosts = sum(one.changed > 0 for one in touched)
    kept = f", {held} held back" if held else ""
    if run.check:
        yield f"Plan: {_values(changed)} {verb(run)} on {hosts} hosts{kept}; nothing was touched. --diff shows each value."
        return
    yield f"Done: {_values(changed)} {verb(run)} on {hosts} hosts{kept}"
    if changed or any(one.failed for one in touched):
        yield f"  the way back: {undo_command(run.id)}"
