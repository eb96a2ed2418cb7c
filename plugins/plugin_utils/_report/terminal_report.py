# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary that a person reads at the end of a run. Host text is one printable line wherever it appears."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._model.finding import Finding
from .._model.run import Drift, HostRecord
from .._model.text import printable
from .report import Chunks, Ranked, Report, bad, totals

MAX_FINDINGS = 12
MAX_HOSTS = 15
MAX_DRIFT = 15


def render(report: Report) -> Iterator[tuple[str, Chunks]]:
    """Yield ``summary.txt``."""
    yield "summary.txt", (f"{line}\n" for line in lines(report))


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of the summary."""
    run = report.run
    yield f"Breakwater {run.kind} {run.id}   profile {printable(run.profile)}   {len(report.ranking)} hosts"
    shown = 0
    for ranked in report.ranking:
        if ranked.unread is None and not _open(ranked):
            continue
        shown += 1
        if shown <= MAX_HOSTS:
            yield ""
            yield from _host(report.read(ranked.host), ranked)
    if shown > MAX_HOSTS:
        yield ""
        yield f"... and {shown - MAX_HOSTS} more hosts with findings (see the HTML report)"
    clean = [printable(ranked.host) for ranked in report.ranking if ranked.unread is None and not _open(ranked)]
    if clean:
        more = f" and {len(clean) - 10} more" if len(clean) > 10 else ""
        yield ""
        yield f"Nothing to do on: {', '.join(clean[:10])}{more}"
    yield from _drift(report)
    yield ""
    yield from _verdict(report)


def _open(ranked: Ranked) -> int:
    return ranked.counts.get("fail", 0) + ranked.counts.get("unknown", 0)


def _host(record: HostRecord, ranked: Ranked) -> Iterator[str]:
    labels = f" [{', '.join(record.labels)}]" if record.labels else ""
    name = f"{printable(record.host)}{labels}"
    if ranked.unread is not None:
        yield f"{name}: NOT READ: {printable(ranked.unread)}"
        return
    score = "no score" if ranked.score is None else f"score {ranked.score}"
    counts = ", ".join(
        f"{number} {verdict}" for verdict, number in ranked.counts.items() if number and verdict != "not_applicable"
    )
    server = next((item for item in record.implementations if item.role == "server"), None)
    described = f"  {printable(f'{server.name} {server.version}')}" if server else "  no SMB server"
    yield f"{name}: {score}  ({counts}){described}"
    ports = sorted(
        {f"{item.effective['port']}" for item in record.facts.objects("host.listener").values() if item.effective},
        key=int,
    )
    if ports:
        yield f"  listening: {', '.join(ports)}"
    findings = [finding for finding in bad(record.findings) if finding.verdict != "manual"]
    for group in ([f for f in findings if f.exception is None], [f for f in findings if f.exception is not None]):
        for finding in group[:MAX_FINDINGS]:
            yield from _finding(finding)
        if len(group) > MAX_FINDINGS:
            yield f"  ... and {len(group) - MAX_FINDINGS} more (see the HTML report)"


def _finding(finding: Finding) -> Iterator[str]:
    where = f" [{printable(finding.object)}]" if finding.object else ""
    mark = {"fail": finding.severity.upper(), "unknown": f"UNKNOWN {finding.severity}"}[finding.verdict]
    if finding.exception is not None:
        left = finding.exception.days_left
        expiry = f"expires in {left} days" if left is not None else "no expiry"
        yield f"  waived   {finding.control}{where}: {printable(finding.exception.reason)} ({expiry})"
        return
    yield f"  {mark:<8} {finding.control}{where}: {printable(finding.why)}"
    if finding.remedy and finding.verdict == "fail":
        yield f"           -> {printable(finding.remedy)}"


def _drift(report: Report) -> Iterator[str]:
    fleet = report.fleet
    if fleet.baseline is None:
        return
    kind = "approved run" if fleet.baseline_approved else "run before"
    yield ""
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
    yield f"Verdict: {run.verdict.upper()} (exit code {0 if run.verdict == 'compliant' else 2})"
    for reason in run.reasons:
        yield f"  because {printable(reason)}"
