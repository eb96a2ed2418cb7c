# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One number per host: the share of what was judged that holds, weighted by severity."""

from __future__ import annotations

from collections.abc import Iterable

from .._model.control import Severity
from .._model.finding import Finding

_WEIGHT: dict[Severity, int] = {"critical": 10, "high": 6, "medium": 3, "low": 1, "info": 0}


def score(findings: Iterable[Finding]) -> int | None:
    """Return 0 to 100, or None when nothing was judged. Unknown counts as not held, an exception does not help."""
    held: dict[str, bool] = {}
    weight: dict[str, int] = {}
    for finding in findings:
        if finding.verdict not in ("pass", "fail", "unknown"):
            continue
        held[finding.control] = held.get(finding.control, True) and finding.verdict == "pass"
        weight[finding.control] = _WEIGHT[finding.severity]
    total = sum(weight.values())
    if total == 0:
        return None
    return int(100 * sum(weight[control] for control, holds in held.items() if holds) / total)
