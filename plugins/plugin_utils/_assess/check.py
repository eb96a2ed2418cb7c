# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lint of controls and profiles as data; the compiler and the tests use it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from .._model.collected import Implementation
from .._model.control import SEVERITIES, Control, Example, Profile
from .._model.fact import Fact, FactSet
from .._model.setting import Setting
from . import operators
from .assess import assess
from .conditions import in_range
from .profiles import BUILT_IN, Selection, complaints, fallback

AREAS = frozenset(
    [
        "dialect",
        "signing",
        "encryption",
        "auth",
        "anonymous",
        "guest",
        "netbios",
        "name-resolution",
        "firewall",
        "share",
        "service",
        "audit",
        "patch",
        "quic",
        "client",
        "other",
    ]
)
OTHER_FACTS = ("host.", "client.", "usage.", "role.", "samba.")
_TODAY = datetime.date(2026, 1, 1)


def check_control(control: Control, settings: Mapping[str, Setting]) -> list[str]:
    """Return what is wrong with a control."""
    found = []
    if control.area not in AREAS:
        found.append(f"unknown area {control.area!r}")
    if control.severity not in SEVERITIES:
        found.append(f"unknown severity {control.severity!r}")
    if control.when.version:
        try:
            in_range("1", control.when.version)
        except ValueError as error:
            found.append(str(error))
    for profile in control.values:
        if profile not in BUILT_IN:
            found.append(f"values for an unknown profile {profile!r}")
    if not control.values and any(
        test.value is None and test.operator in operators.NEEDS_VALUE for test in control.tests
    ):
        found.append("only benchmark profiles select it, so its tests must name their values")
    for test in control.tests:
        if not test.fact.startswith(OTHER_FACTS):
            found.append(f"unknown fact {test.fact!r}")
        setting = settings.get(test.fact)
        for profile, given in control.values.items():
            wanted = test.value if test.value is not None else Selection(control.id, given).value_for(test.fact)
            if test.operator in operators.NEEDS_VALUE:
                found += [f"{profile}: {complaint}" for complaint in _value(test.operator, wanted, setting)]
    verdicts = {example.verdict for example in control.examples}
    if "pass" not in verdicts or not verdicts & {"fail", "manual"}:
        found.append("needs at least one example that passes and one that fails")
    return found


def _value(operator: str, wanted: Any, setting: Setting | None) -> list[str]:
    if wanted is None:
        return [f"no value for {operator}"]
    if setting is None:
        return []
    legal = set(setting.tokens.values())
    items = wanted if isinstance(wanted, list) else [wanted]
    if setting.type == "enum" and not set(items) <= legal:
        return [f"{wanted!r} is no value of {setting.name!r}: {', '.join(sorted(legal))}"]
    kinds: dict[str, type] = {"boolean": bool, "integer": int, "octal": str}
    kind = kinds.get(setting.type)
    if kind is not None and not all(
        isinstance(item, kind) and not (kind is int and isinstance(item, bool)) for item in items
    ):
        return [f"{wanted!r} is no {setting.type}, which {setting.name!r} is"]
    return []


def check_examples(control: Control, settings: Mapping[str, Setting]) -> list[str]:
    """Return the examples that are not judged as they say."""
    found = []
    for number, example in enumerate(control.examples, 1):
        verdict = judge_example(control, example, settings)
        if verdict != example.verdict:
            found.append(f"example {number}: judged {verdict}, said to be {example.verdict}")
    return found


def judge_example(control: Control, example: Example, settings: Mapping[str, Setting]) -> str:
    """Return the worst verdict of a control on an example's small host."""
    facts = FactSet()
    for fact_id, value in example.facts.items():
        objects = value if isinstance(value, dict) and fact_id not in ("host.os",) else {"": value}
        for obj, item in objects.items():
            text = item if isinstance(item, str) else ""
            reason = text.removeprefix("unreadable: ") if text.startswith("unreadable: ") else None
            facts.put(fact_id, Fact(unreadable=reason) if reason else Fact(configured=item), str(obj))
    host = Implementation(
        control.when.implementation or "samba", example.version or "4.24.0", _side(control), True, example.traits
    )
    if control.values and example.profile not in control.values:
        return "not selected"
    selection = Selection(control.id, control.values.get(example.profile))
    findings = assess(facts, [host], {control.id: control}, settings, [selection], today=_TODAY)
    order = ("fail", "unknown", "manual", "pass", "not_applicable")
    return min((finding.verdict for finding in findings), key=order.index, default="none")


def _side(control: Control) -> Any:
    return control.when.side or "server"


def check_profile(profile: Profile, controls: Mapping[str, Control], settings: Mapping[str, Setting]) -> list[str]:
    """Return what is wrong with a profile: references, and values that a setting does not have."""
    found = complaints(profile, controls)
    for rule in profile.rules:
        control = controls.get(rule.control)
        if control is None:
            continue
        given = rule.value if rule.value is not None else fallback(control, profile.base)
        for test in control.tests:
            if test.value is None and test.operator in operators.NEEDS_VALUE:
                wanted = Selection(control.id, given).value_for(test.fact)
                problems = _value(test.operator, wanted, settings.get(test.fact))
                found += [f"rule {rule.rule or rule.control}: {problem}" for problem in problems]
    return found
