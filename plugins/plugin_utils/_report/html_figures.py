# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers on top of the HTML page, and the bars of past runs."""

from __future__ import annotations

from typing import Any

from .._model.finding import VERDICTS
from .host_change import verb
from .report import Report, totals


def tiles(report: Report) -> list[dict[str, Any]]:
    """Return the numbers on top; what an exception covers is counted as waived only."""
    counts = totals(report)
    unread = sum(ranked.unread is not None for ranked in report.ranking)
    found = [
        *_before(report),
        _tile("mean score", _mean([ranked.score for ranked in report.ranking if ranked.score is not None]), "mean"),
        _tile("hosts", len(report.ranking)),
        _tile("not read", unread, "unknown" if unread else ""),
        *_changes(report),
    ]
    for verdict in (*VERDICTS, "waived"):
        value = counts[verdict]
        found.append(_tile(verdict.replace("_", " "), value, verdict if value else ""))
    return found


def _tile(name: str, value: int | str, tone: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "tone": tone}


def _mean(scores: list[int]) -> int | str:
    return round(sum(scores) / len(scores)) if scores else "–"


def _before(report: Report) -> list[dict[str, Any]]:
    """Return the mean score before a change, of the hosts that have one now."""
    touched = [ranked.touched for ranked in report.ranking if ranked.score is not None and ranked.touched is not None]
    scores = [one.score_before for one in touched if one.score_before is not None]
    return [_tile("score before", _mean(scores))] if scores and not report.run.check else []


def _changes(report: Report) -> list[dict[str, Any]]:
    """Return the numbers that only a run that changes hosts has."""
    touched = [ranked.touched for ranked in report.ranking if ranked.touched is not None]
    if not touched:
        return []
    changed, held = sum(one.changed for one in touched), sum(one.held for one in touched)
    failed = sum(one.failed for one in touched)
    return [
        _tile(verb(report.run), changed, "mean" if changed else ""),
        _tile("held back", held, "manual" if held else ""),
        *([_tile("changes failed", failed, "fail")] if failed else []),
    ]


def trend(report: Report) -> list[dict[str, Any]]:
    """Bars of failing and unknown findings over the past runs, as percentages of the highest."""
    points = [(point.id, point.counts.get("fail", 0), point.counts.get("unknown", 0)) for point in report.trend]
    top = max((fail + unknown for _id, fail, unknown in points), default=0) or 1
    width = 100 / max(len(points), 30)
    return [
        {
            "id": run_id,
            "fail": fail,
            "unknown": unknown,
            "x": f"{100 - (len(points) - index) * width:.2f}",
            "width": f"{width * 0.8:.2f}",
            "fail_height": f"{36 * fail / top:.2f}",
            "fail_y": f"{38 - 36 * fail / top:.2f}",
            "unknown_height": f"{36 * unknown / top:.2f}",
            "unknown_y": f"{38 - 36 * (fail + unknown) / top:.2f}",
        }
        for index, (run_id, fail, unknown) in enumerate(points)
    ]
