# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controls and profiles: what is asked of a host, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .when import When

Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
"""From the worst to the mildest."""

Stage = Literal["observe", "signing", "dialect", "encryption", "ntlm"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""Of a staged roll-out, in order."""
Operator = Literal[
    "equals",
    "not_equals",
    "one_of",
    "none_of",
    "at_least",
    "at_most",
    "includes",
    "excludes",
    "subset_of",
    "is_empty",
    "not_empty",
    "mode_within",
    "networks_within",
    "observed",
    "not_observed",
]


@dataclass(frozen=True, slots=True)
class Test:
    """One question to one fact.

    Attributes:
        fact: fact id. The object is the control's object; a share without a value of its own has the host's.
        operator: see ``_assess/operators.py``.
        value: what to compare with; None: the profile's value decides.
        absent: the verdict when the fact was never observed: "unknown", or a verdict that absence means.
        object: ask the fact of this object ("public"), whatever the control's object is; "" asks the control's.
            ``values`` may name such a test apart: ``firewall.inbound_445[public]``.
        when: ask only where this holds too; its implementation and side are the control's.
    """

    __test__ = False

    fact: str
    operator: Operator
    value: Any = None
    absent: Literal["unknown", "pass", "fail", "not_applicable"] = "unknown"
    object: str = ""
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A small host that the control must judge as ``verdict``; a test runs every one.

    ``facts``: fact id → value, or fact id → {object: value}; ``"unreadable: reason"`` marks an unreadable one.
    """

    verdict: str
    facts: dict[str, Any]
    profile: str = "recommended"
    traits: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that is asked of a host.

    Attributes:
        id: the slug, e.g. ``samba-server-signing``.
        title: one line.
        severity: how bad a failure is.
        area: one word of the catalogue ("dialect", "signing", …).
        when: to which hosts it applies.
        per: fact id whose objects are judged one by one ("samba.share"); "" judges the host.
        tests: all must hold.
        values: profile → value for the tests that name none; a mapping fact → value where they differ.
            A profile that is absent does not select this control.
        remedy: one line: what to change. May use {value}, {object}, {setting}; filled by plain substitution.
        breaks: who may stop working.
        usage: fact ids that show who would break.
        advice: what to do where no step exists.
        manual: only a person can judge this; the tests decide whether there is anything to judge.
        stage: the stage of a staged roll-out that this belongs to.
        references: benchmark rule ids, "CIS Ubuntu 24.04 v1.0.0: 2.1.14".
        examples: at least one that passes and one that fails.
    """

    id: str
    title: str
    severity: Severity
    area: str
    when: When
    tests: tuple[Test, ...]
    values: dict[str, Any]
    remedy: str
    per: str = ""
    breaks: str = ""
    usage: tuple[str, ...] = ()
    advice: str = ""
    manual: bool = False
    stage: Stage | None = None
    references: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of a profile: which control answers a benchmark's rule, with which value.

    ``value`` None keeps the value of the profile's base.
    """

    control: str
    rule: str = ""
    value: Any = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A selection of controls with their values.

    Attributes:
        id: name that ``breakwater_profile`` takes, e.g. ``cis-ubuntu-24.04-1.0.0``.
        title: one line.
        base: built-in profile whose values hold where a rule names none.
        when: to which hosts it applies (benchmarks).
        extends: the rules refine everything that ``base`` selects; False: only the listed controls are judged.
        rules: see Rule.
        exclude: control ids that are not judged.
    """

    id: str
    title: str
    base: str = "recommended"
    when: When = field(default_factory=When)
    extends: bool = False
    rules: tuple[Rule, ...] = ()
    exclude: tuple[str, ...] = ()
