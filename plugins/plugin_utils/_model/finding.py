# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings: the verdict on one control and one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .control import Severity
from .fact import Origin

Verdict = Literal["pass", "fail", "not_applicable", "unknown", "manual"]
VERDICTS: tuple[Verdict, ...] = ("fail", "unknown", "manual", "pass", "not_applicable")
"""From the one that needs a person most to the one that needs nobody."""


@dataclass(frozen=True, slots=True)
class AppliedException:
    """The exception that covers a finding, as it stood when the finding was made.

    ``days_left`` counts to the expiry date; None: it has none.
    """

    kind: str
    reason: str
    owner: str
    ticket: str = ""
    expires: str = ""
    days_left: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one control says about one object of a host.

    A control that holds on every object gives one passing finding with object ``""``.

    Attributes:
        control, title, severity, area: taken from the control.
        object: the share, file, … that is meant; ``""`` is the host.
        verdict: see VERDICTS.
        expected: what the profile asks, as text.
        configured, effective, wire, origin: the deciding fact's truths.
        cause: why truths differ, or why a right value does not help ("pending restart", …).
        exception: set when an exception covers this finding; the verdict stays.
        why: one sentence that names what was seen.
        remedy: one line: what to change.
        evidence: fact ids with objects that decided.
    """

    control: str
    title: str
    severity: Severity
    area: str
    verdict: Verdict
    object: str = ""
    expected: str = ""
    configured: Any = None
    effective: Any = None
    wire: Any = None
    origin: Origin | None = None
    cause: str | None = None
    exception: AppliedException | None = None
    why: str = ""
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def counts_against(self) -> bool:
        """Whether this finding keeps a host from complying (before severities are looked at)."""
        return self.verdict in ("fail", "unknown") and self.exception is None
