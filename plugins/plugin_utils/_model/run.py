# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run and the record it keeps of each host (the files of a run directory)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .collected import Implementation, SectionError
from .fact import FactSet
from .finding import Finding
from .step import Remediation

RunKind = Literal["audit", "remediate", "rollback", "probe"]
RunVerdict = Literal["compliant", "noncompliant", "incomplete", "observed"]
"""``observed``: a probe; it judges nothing."""
RUN_SCHEMA = "breakwater/run/1"
HOST_SCHEMA = "breakwater/host/1"
FLEET_SCHEMA = "breakwater/fleet/1"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which hosts a run is about. ``limit`` is what the user passed as ``--limit`` ("" when nothing)."""

    limit: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataVersions:
    """Which control and advisory data judged the run."""

    controls: str
    advisories: str = ""
    newest_month: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """``run.json``. Times are UTC, ISO 8601 with seconds and ``Z``.

    ``check``: hosts were only looked at, and what would be changed was planned; such a run is never a baseline.
    """

    id: str
    started: str
    kind: RunKind
    tool: str
    ansible: str
    profile: str
    scope: Scope
    data: DataVersions
    verdict: RunVerdict = "incomplete"
    ended: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    check: bool = False
    schema: str = RUN_SCHEMA


@dataclass(slots=True)
class HostRecord:
    """``hosts/<name>.json``.

    Attributes:
        host: inventory name.
        address: what the connection was made to.
        connection: Ansible connection plugin.
        collected: when, UTC.
        groups: inventory groups, for the reports.
        labels: what the reader of a report must know ("recorded": the answer was replayed, not asked for).
        errors: sections that could not be read.
        timings: section → seconds.
        remediation: what the run changed there; None in an audit.
    """

    host: str
    address: str
    connection: str
    collected: str
    implementations: list[Implementation] = field(default_factory=list)
    facts: FactSet = field(default_factory=FactSet)
    findings: list[Finding] = field(default_factory=list)
    errors: list[SectionError] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    score: int | None = None
    remediation: Remediation | None = None
    schema: str = HOST_SCHEMA


DriftKind = Literal["fact", "verdict", "host"]
DriftChange = Literal["added", "removed", "changed", "newly_failing", "newly_passing", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference from the baseline.

    ``subject`` is a fact id or a control id; ``before`` and ``after`` are values or verdicts.
    """

    host: str
    kind: DriftKind
    change: DriftChange
    subject: str = ""
    object: str = ""
    before: Any = None
    after: Any = None


@dataclass(slots=True)
class Fleet:
    """``fleet.json``: what only the whole fleet can show. ``baseline`` is the run that drift is measured from."""

    run: str
    baseline: str | None = None
    baseline_approved: bool = False
    drift: list[Drift] = field(default_factory=list)
    schema: str = FLEET_SCHEMA
