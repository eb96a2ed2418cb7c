# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles: which controls are judged, and with which values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.codec import DecodeError, decode
from .._model.collected import Implementation
from .._model.control import Control, Profile, Severity, Test
from .._model.errors import BadInput
from .._model.fact import FactSet
from .._model.when import When, holds
from . import strict_yaml
from .conditions import candidates, os_ids

BUILT_IN = ("recommended", "strict", "microsoft", "legacy")
"""Profiles that the controls themselves carry values for."""
FAMILIES = ("cis", "stig", "microsoft-baseline")
"""Names that stand for the benchmark file that fits each host."""
SUFFIXES = (".yml", ".yaml")
_FORM = "its keys are id, title, base, extends, rules (control, value, rule, severity), exclude and when"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a profile, and where: ``rules[2].control``."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Selection:
    """A control with the value that a profile asks for, and the benchmark rules that it answers."""

    control: str
    value: Any
    rules: tuple[str, ...] = ()
    severity: Severity | None = None

    def value_for(self, fact_id: str, obj: str = "") -> Any:
        """Return the value for one test: profiles give a mapping where the tests of a control differ.

        A key is a fact, or a fact with the object that the test asks for: ``firewall.inbound_445[public]``.
        """
        if not isinstance(self.value, dict):
            return self.value
        keyed = self.value.get(f"{fact_id}[{obj}]") if obj else None
        return self.value.get(fact_id) if keyed is None else keyed

    def wanted(self, test: Test) -> Any:
        """Return what a test compares with: its own value, else the profile's."""
        return test.value if test.value is not None else self.value_for(test.fact, test.object)


def load(name: str, shipped: Mapping[str, Profile], controls: Mapping[str, Control]) -> list[Profile]:
    """Return the profile of that name, or all files of a family; a path ending in .yml or .yaml is the user's own.

    Raises:
        BadInput: there is none, or the file cannot be used.
    """
    if name.endswith(SUFFIXES):
        return [_from_file(name)]
    if name in BUILT_IN:
        return [Profile(id=name, title=name, base=name, extends=True)]
    if name in FAMILIES:
        family = [profile for profile_id, profile in sorted(shipped.items()) if profile_id.startswith(f"{name}-")]
        if not family:
            raise BadInput(
                "There is no such profile",
                where="breakwater_profile",
                seen=f"no {name} file has an SMB rule for these hosts",
                remedy=f"use one of {', '.join(BUILT_IN)}",
            )
        return family
    if name in shipped:
        return [shipped[name]]
    known = [*BUILT_IN, *FAMILIES, *shipped]
    close = difflib.get_close_matches(name, known, 1)
    raise BadInput(
        "There is no such profile",
        where="breakwater_profile",
        seen=repr(name),
        remedy=f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}, or the path of a .yml file",
    )


def _from_file(path: str) -> Profile:
    source, document = strict_yaml.load(path, "profile", "breakwater_profile")
    try:
        return decode(Profile, document)
    except DecodeError as error:
        raise BadInput(
            "The profile cannot be used", where=source.where(error.path), seen=str(error), remedy=_FORM
        ) from error


def where(name: str, place: str) -> str:
    """Return the address of a place in the profile that the user named: file and line, where it is a file."""
    if not name.endswith(SUFFIXES):
        return f"profile {name}, {place}"
    source, _document = strict_yaml.load(name, "profile", "breakwater_profile")
    return source.where(place)


def complaints(profile: Profile, controls: Mapping[str, Control]) -> list[Complaint]:
    """Return what is wrong with a profile's references."""
    found = []
    if profile.base not in BUILT_IN:
        found.append(Complaint("base", f"{profile.base!r} is none of {', '.join(BUILT_IN)}"))
    named = {f"rules[{index}].control": rule.control for index, rule in enumerate(profile.rules)}
    named |= {f"exclude[{index}]": control for index, control in enumerate(profile.exclude)}
    for place, control in named.items():
        if control not in controls:
            close = difflib.get_close_matches(control, controls, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            found.append(Complaint(place, f"unknown control {control!r}{hint}"))
    if not found and not select([profile], controls):
        found.append(Complaint("rules", "it selects no control, so every host would comply"))
    return found


def fitting(profiles: list[Profile], facts: FactSet, implementations: Sequence[Implementation] = ()) -> list[Profile]:
    """Return the profiles that apply to a host.

    One for certain systems, roles or versions does not fit a host whose system, role or version is unknown.
    """
    os_fact = facts.get("host.os")
    system = os_fact.configured if os_fact else None
    return [item for item in profiles if fits(item.when, implementations, system)]


def fits(when: When, implementations: Sequence[Implementation], system: Any) -> bool:
    """Return whether a profile's condition certainly holds for a host: for its system and one implementation on it."""
    if when.os and not os_ids(system) & set(when.os):
        return False
    found = candidates(when, implementations)
    return when.implementation is None or any(holds(when, item.version, item.traits) is True for item in found)


def fallback(control: Control, base: str) -> Any:
    """Return the value of a control for a profile that names none: its base's, else the mildest that there is."""
    return next(
        (
            control.values[name]
            for name in (base, "recommended", "microsoft", "strict", "legacy")
            if name in control.values
        ),
        None,
    )


def select(profiles: list[Profile], controls: Mapping[str, Control]) -> list[Selection]:
    """Return what is asked: each control once, in catalogue order."""
    chosen: dict[str, Selection] = {}
    for profile in profiles:
        if profile.extends:
            for control in controls.values():
                if profile.base in control.values:
                    chosen[control.id] = Selection(control.id, control.values[profile.base])
        for rule in profile.rules:
            control = controls[rule.control]
            before = chosen.get(rule.control)
            rules = (*(before.rules if before else ()), *((f"{profile.id}: {rule.rule}",) if rule.rule else ()))
            value = fallback(control, profile.base) if rule.value is None else rule.value
            chosen[rule.control] = Selection(rule.control, value, rules, rule.severity)
        for excluded in profile.exclude:
            chosen.pop(excluded, None)
    return [chosen[control] for control in controls if control in chosen]
