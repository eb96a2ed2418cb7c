# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One self-contained HTML page: no network, no script but its own, streamed host by host.

Python prepares plain rows; the templates only place them, and escape everything.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2

from .._model.control import SEVERITIES
from .._model.finding import VERDICTS, Finding
from .._model.run import HostRecord
from .._model.text import printable
from .host_change import host_change, progress, verb
from .host_tables import tables
from .html_figures import tiles, trend
from .report import Chunks, Ranked, Report, Touched, bad, changes_hosts
from .terminal_report import drift_line

_KINDS = {"remediate": "remediation"}
"""What a kind of run is called in the heading, where that is not its own name."""
_TEMPLATES = pathlib.Path(__file__).resolve().parent.parent / "_data" / "templates"


def render(report: Report) -> Iterator[tuple[str, Chunks]]:
    """Yield ``index.html``."""
    yield "index.html", _chunks(report)


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(str(_TEMPLATES))
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _digest(text: str) -> str:
    """Return the CSP source expression that allows exactly this inline text."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _chunks(report: Report) -> Iterator[str]:
    environment = _environment()
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    yield environment.get_template("head.html").render(
        run=report.run,
        kind=_KINDS.get(report.run.kind, report.run.kind),
        changing=changes_hosts(report.run),
        verb=verb(report.run),
        verdict=report.run.verdict,
        reasons=[printable(reason) for reason in report.run.reasons],
        tiles=tiles(report),
        trend=trend(report),
        drift=[drift_line(change) for change in report.fleet.drift[:500]],
        drift_total=len(report.fleet.drift),
        baseline=report.fleet.baseline,
        baseline_kind="approved run" if report.fleet.baseline_approved else "run before",
        style=style,
        csp=f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; base-uri 'none'; form-action 'none'",
    )
    template = environment.get_template("host.html")
    changes: dict[str, list[str]] = {}
    for change in report.fleet.drift:
        changes.setdefault(change.host, []).append(drift_line(change, with_host=False))
    frequent = Frequent()
    for number, ranked in enumerate(report.ranking):
        record = report.read(ranked.host)
        frequent.add(record)
        done = host_change(record, report.run)
        yield template.render(
            host=_host(record, ranked, number, progress(record.remediation, report.run)),
            change=done,
            drift=changes.get(record.host, ()),
            check=report.run.check,
            verb=verb(report.run),
        )
    yield environment.get_template("foot.html").render(script=script, tool=report.run.tool, controls=frequent.rows())


class Frequent:
    """Counts, while the hosts stream by, on how many of them each control is open: one change may mend many hosts."""

    def __init__(self) -> None:
        self._hosts: Counter[str] = Counter()
        self._controls: dict[str, Finding] = {}

    def add(self, record: HostRecord) -> None:
        """Count the controls that are open on a host."""
        found = {finding.control: finding for finding in record.findings if finding.counts_against}
        self._hosts.update(found.keys())
        for control, finding in found.items():
            self._controls.setdefault(control, finding)

    def rows(self) -> list[dict[str, Any]]:
        """Return the controls, worst and most frequent first."""

        def rank(control: str) -> tuple[int, int, str]:
            return SEVERITIES.index(self._controls[control].severity), -self._hosts[control], control

        return [
            {
                "control": control,
                "title": self._controls[control].title,
                "severity": self._controls[control].severity,
                "hosts": self._hosts[control],
            }
            for control in sorted(self._controls, key=rank)
        ]


def _host(record: HostRecord, ranked: Ranked, number: int, said: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    done, touched = record.remediation, ranked.touched
    findings = bad(record.findings)
    others = [finding for finding in record.findings if finding.verdict in ("pass", "not_applicable")]
    open_findings = ranked.counts.get("fail", 0) + ranked.counts.get("unknown", 0)
    return {
        "id": f"h{number}",
        "name": printable(record.host),
        "address": printable(record.address),
        "connection": record.connection,
        "collected": record.collected,
        "labels": record.labels,
        "unread": None if ranked.unread is None else printable(ranked.unread),
        "score": "–" if ranked.score is None else ranked.score,
        "score_before": ranked.score_before,
        "touched": touched,
        "marks": _marks(touched),
        "state": "unknown" if ranked.unread else "fail" if open_findings else "pass",
        "counts": [(verdict, ranked.counts.get(verdict, 0)) for verdict in VERDICTS if ranked.counts.get(verdict)],
        "implementations": [
            printable(
                f"{item.name} {item.version} {item.role}{'' if item.running is None else ' running' if item.running else ' stopped'}"
            )
            for item in record.implementations
        ],
        "findings": [_finding(item, said.get((item.control, item.object), "")) for item in findings],
        "others": [
            {"control": item.control, "title": item.title, "verdict": item.verdict, "why": printable(item.why)}
            for item in others
        ],
        "tables": [table for table in tables(record.facts) if table.rows],
        "errors": [
            {"section": error.section, "reason": printable(error.reason)}
            for error in record.errors
            if done is None or error.reason != done.failed  # the section about the change says it
        ],
        "words": printable(record.host).lower(),
        "open": number < 3 and (open_findings > 0 or (touched is not None and touched.changed > 0)),
    }


def _marks(touched: Touched | None) -> str:
    """Return what a reader can look for, beside the state of a host."""
    if touched is None:
        return ""
    marks = (("changed", touched.changed), ("held", touched.held), ("failed", touched.failed))
    return " ".join(name for name, there in marks if there)


def _finding(finding: Finding, said: str) -> dict[str, Any]:
    mark = finding.exception
    exception = ""
    if mark is not None:
        left = "without expiry" if mark.days_left is None else f"expires in {mark.days_left} days ({mark.expires})"
        exception = f"{mark.kind} of {mark.owner}, {left}: {mark.reason}{f' [{mark.ticket}]' if mark.ticket else ''}"
    return {
        "control": finding.control,
        "title": finding.title,
        "object": printable(finding.object),
        "verdict": "waived" if mark is not None else finding.verdict,
        "severity": finding.severity,
        "area": finding.area,
        "expected": printable(finding.expected),
        "why": printable(finding.why),
        "origin": printable(str(finding.origin)) if finding.origin else "",
        "cause": printable(finding.cause or ""),
        "remedy": said or printable(finding.remedy),
        "exception": printable(exception),
        "rules": ", ".join(finding.rules),
    }
