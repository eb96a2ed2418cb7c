# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that changes a host returns: changes, what held back, what remains, and native texts for ``--diff``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .._model.codec import encode
from .._model.finding import Finding
from .._model.run import HostRecord
from .._model.step import Blocked, Change, Remediation
from .._model.text import printable, visible
from . import catalogue
from .audit import summary

MADE = ("done", "planned")
"""States of changes that were made, or in check mode would be."""


def result(record: HostRecord, done: Remediation) -> dict[str, Any]:
    """Return the compact result of a task. ``changed`` is the caller's to say."""
    plain = summary(record)
    return {
        "changes": [_change(change) for change in done.changes],
        "blocked": [_blocked(item) for item in done.blocked],
        "remaining": remaining(record.findings, done.changes if done.check else (), done.blocked),
        "reboot_required": done.reboot_required,
        "restart_done": list(done.restart_done),
        "pending": list(done.pending),
        "watched": done.watched,
        "journal": done.journal,
        "counts": plain["counts"],
        "score": plain["score"],
        "score_before": done.score_before,
        "failing": plain["failing"],
        "unknown": plain["unknown"],
        "unread": plain["unread"],
        "diff": diff(done.changes),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "control": change.control,
        "object": change.object,
        "address": visible(change.address),
        "before": _plain(change.before),
        "after": _plain(change.after),
        "origin": str(change.origin) if change.origin is not None else "",
        "state": change.state,
        "restart": change.restart,
        "step": change.step,
    }


def _plain(value: Any) -> Any:
    """Return a native value as JSON data that is valid text: what a host writes need not be."""
    if isinstance(value, str):
        return visible(value)
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else encode(value)


def _blocked(item: Blocked) -> dict[str, Any]:
    return {
        "control": item.control,
        "object": item.object,
        "kind": item.kind,
        "why": item.why,
        "users": list(item.users),
    }


def remaining(
    findings: Iterable[Finding], planned: Collection[Change] = (), blocked: Collection[Blocked] = ()
) -> list[dict[str, Any]]:
    """Return what still counts against the host; in check mode what would, once the planned changes are made.

    A control of which a part is held back would still fail.
    """
    mended = {(change.control, change.object) for change in planned}
    mended -= {(item.control, item.object) for item in blocked}
    controls = catalogue.controls()
    told = []
    for finding in findings:
        if not finding.counts_against or (finding.control, finding.object) in mended:
            continue
        control = controls.get(finding.control)
        told.append(
            {
                "control": finding.control,
                "object": finding.object,
                "verdict": finding.verdict,
                "why": finding.why,
                "advice": (control.advice if control is not None else "") or finding.remedy,
            }
        )
    return told


def diff(changes: Sequence[Change]) -> list[dict[str, str]]:
    """Return one entry per change that was made or would be, in the form that Ansible shows with ``--diff``."""
    return [
        {
            "before_header": printable(change.address),
            "after_header": printable(f"{change.address} ({change.control})"),
            "before": _text(change.before),
            "after": _text(change.after),
        }
        for change in changes
        if change.state in MADE
    ]


def _text(value: Any) -> str:
    """Return a native value as lines; nothing there is no line."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "".join(f"{printable(str(item))}\n" for item in value) or "(an empty list)\n"
    return f"{printable(str(value)) if value != '' else '(an empty text)'}\n"
