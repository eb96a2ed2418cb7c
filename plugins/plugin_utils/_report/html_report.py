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
from collections.abc import Iterator
from typing import Any

import jinja2

from .._model.fact import Fact
from .._model.finding import VERDICTS, Finding
from .._model.run import HostRecord
from .._model.text import printable
from .report import Chunks, Ranked, Report, bad
from .terminal_report import drift_line

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
        verdict=report.run.verdict,
        reasons=[printable(reason) for reason in report.run.reasons],
        tiles=_tiles(report),
        trend=_trend(report),
        drift=[drift_line(change) for change in report.fleet.drift[:500]],
        drift_total=len(report.fleet.drift),
        baseline=report.fleet.baseline,
        baseline_kind="approved run" if report.fleet.baseline_approved else "run before",
        style=style,
        csp=f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; base-uri 'none'; form-action 'none'",
    )
    template = environment.get_template("host.html")
    for number, ranked in enumerate(report.ranking):
        yield template.render(host=_host(report.read(ranked.host), ranked, number))
    yield environment.get_template("foot.html").render(script=script, tool=report.run.tool)


def _tiles(report: Report) -> list[dict[str, Any]]:
    counts = report.run.counts
    unread = sum(ranked.unread is not None for ranked in report.ranking)
    tiles = [
        {"name": "hosts", "value": len(report.ranking), "tone": ""},
        {"name": "not read", "value": unread, "tone": "unknown" if unread else ""},
    ]
    for verdict in VERDICTS:
        value = counts.get(verdict, 0)
        tiles.append({"name": verdict.replace("_", " "), "value": value, "tone": verdict if value else ""})
    tiles.append({"name": "waived", "value": counts.get("excepted", 0), "tone": ""})
    return tiles


def _trend(report: Report) -> list[dict[str, Any]]:
    """Bars of failing and unknown findings over the past runs, as percentages of the highest."""
    points = [(point.id, point.counts.get("fail", 0), point.counts.get("unknown", 0)) for point in report.trend]
    top = max((fail + unknown for _id, fail, unknown in points), default=0) or 1
    width = 100 / max(len(points), 1)
    return [
        {
            "id": run_id,
            "fail": fail,
            "unknown": unknown,
            "x": f"{index * width:.2f}",
            "width": f"{width * 0.8:.2f}",
            "fail_height": f"{36 * fail / top:.2f}",
            "fail_y": f"{38 - 36 * fail / top:.2f}",
            "unknown_height": f"{36 * unknown / top:.2f}",
            "unknown_y": f"{38 - 36 * (fail + unknown) / top:.2f}",
        }
        for index, (run_id, fail, unknown) in enumerate(points)
    ]


def _host(record: HostRecord, ranked: Ranked, number: int) -> dict[str, Any]:
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
        "state": "unknown" if ranked.unread else "fail" if open_findings else "pass",
        "counts": [(verdict, ranked.counts.get(verdict, 0)) for verdict in VERDICTS if ranked.counts.get(verdict)],
        "implementations": [
            printable(
                f"{item.name} {item.version} {item.role}{'' if item.running is None else ' running' if item.running else ' stopped'}"
            )
            for item in record.implementations
        ],
        "findings": [_finding(finding) for finding in findings],
        "others": [
            {"control": item.control, "title": item.title, "verdict": item.verdict, "why": printable(item.why)}
            for item in others
        ],
        "listeners": [
            _listener(fact) for _key, fact in sorted(record.facts.objects("host.listener").items()) if fact.effective
        ],
        "shares": [_share(name, record) for name in record.facts.objects("samba.share")],
        "sessions": [
            fact.effective
            for fact in record.facts.objects("usage.session").values()
            if isinstance(fact.effective, dict)
        ],
        "mounts": [_mount(point, fact) for point, fact in record.facts.objects("client.mount").items()],
        "errors": [{"section": error.section, "reason": printable(error.reason)} for error in record.errors],
        "words": printable(record.host).lower(),
        "open": number < 3 and open_findings > 0,
    }


def _finding(finding: Finding) -> dict[str, Any]:
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
        "cause": finding.cause or "",
        "remedy": printable(finding.remedy),
        "exception": printable(exception),
        "rules": ", ".join(finding.rules),
    }


def _listener(fact: Fact) -> dict[str, Any]:
    value = dict(fact.effective)
    value["process"] = printable(str(value.get("process") or "not to be seen"))
    return value


def _share(name: str, record: HostRecord) -> dict[str, Any]:
    fact = record.facts.objects("samba.share")[name]

    def setting(parameter: str) -> str:
        found = record.facts.get(f"samba.{parameter}", name) or record.facts.get(f"samba.{parameter}")
        if found is None or found.unreadable is not None:
            return "unknown"
        return {True: "yes", False: "no"}.get(found.configured, printable(str(found.configured)))

    value = fact.configured if isinstance(fact.configured, dict) else {}
    mode = record.facts.get("samba.share_path_mode", name)
    shown = mode.effective.get("mode", "") if mode is not None and isinstance(mode.effective, dict) else "unknown"
    return {
        "name": printable(name),
        "path": printable(str(value.get("path", ""))),
        "kind": value.get("kind", ""),
        "unreadable": printable(fact.unreadable or ""),
        "guest": setting("guest_ok"),
        "read_only": setting("read_only"),
        "encrypt": setting("server_smb_encrypt"),
        "mode": shown,
    }


def _mount(point: str, fact: Fact) -> dict[str, Any]:
    value = fact.effective if isinstance(fact.effective, dict) else {}
    return {
        "point": printable(point),
        **{key: printable(str(value.get(key, ""))) for key in ("source", "vers", "sec", "seal", "sign")},
    }
