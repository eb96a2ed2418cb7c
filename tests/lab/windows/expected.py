# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an auditor must say of each simulated host: verdicts that people wrote beside the host's data.

``hosts/NAME.expected.yml`` has the keys ``like`` (another host, whose verdicts hold where this file says nothing else)
and ``pass``, ``fail``, ``unknown``, ``manual``, ``not_applicable``: lists of control ids. Every control must be there.
The profile is the strictest of each control, so that every control is judged.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

HOSTS = pathlib.Path(__file__).resolve().parent / "hosts"
VERDICTS = ("fail", "unknown", "manual", "pass", "not_applicable")
"""From the one that needs a person most: a control with several objects has its worst."""
DATED = frozenset({"win-patch-age", "win-patch-smb-cves", "win-supported-os", "win-quic-cert-expiry"})
"""Controls whose verdict changes as time passes: judged where a test sets the date."""


def expected(host: str) -> dict[str, str]:
    """Return control → verdict of a host."""
    document = yaml.safe_load((HOSTS / f"{host}.expected.yml").read_text(encoding="utf-8"))
    verdicts = expected(document["like"]) if "like" in document else {}
    named: set[str] = set()
    for verdict in VERDICTS:
        for control in document.get(verdict, ()):
            if control in named:
                raise ValueError(f"{host}: {control} is named twice")
            named.add(control)
            verdicts[control] = verdict
    return verdicts


def everything(controls: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile that selects every Windows control, with its strictest values."""
    windows = [control for control in controls.values() if control.when.implementation == "windows"]
    rules = [{"control": control.id} for control in windows if "strict" not in control.values]
    return {
        "id": "everything",
        "title": "Every control of Windows",
        "base": "strict",
        "extends": True,
        "rules": rules,
    }


def worst(findings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return control → its worst verdict, of (control, verdict) pairs."""
    found: dict[str, str] = {}
    for control, verdict in findings:
        before = found.get(control, verdict)
        found[control] = min(before, verdict, key=VERDICTS.index)
    return found
