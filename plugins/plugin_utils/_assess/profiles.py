# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles: which controls are judged, and with which values."""

from __future__ import annotations

import difflib
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .._model.codec import DecodeError, decode
from .._model.control import Control, Profile, Severity
from .._model.errors import BadInput
from .._model.fact import FactSet
from .conditions import mismatch

BUILT_IN = ("recommended", "strict", "microsoft", "legacy")
"""Profiles that the controls themselves carry values for."""
FAMILIES = ("cis", "stig")
"""Names that stand for the benchmark file that fits each host."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A control with the value that a profile asks for, and the benchmark rules that it answers."""

    control: str
    value: Any
    rules: tuple[str, ...] = ()
    severity: Severity | None = None

    def value_for(self, fact_id: str) -> Any:
        """Return the value for one test: profiles give a mapping where the tests of a control differ."""
        if isinstance(self.value, dict) and fact_id in self.value:
            return self.value[fact_id]
        return None if isinstance(self.value, dict) else self.value


def load(name: str, shipped: Mapping[str, Profile], controls: Mapping[str, Control]) -> list[Profile]:
    """Return the profile of that name, or all files of a family; a path ending in .yml or .yaml is the user's own.

    Raises:
        BadInput: there is none, or the file cannot be used.
    """
    if name.endswith((".yml", ".yaml")):
        return [_from_file(pathlib.Path(name), controls)]
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


def _from_file(path: pathlib.Path, controls: Mapping[str, Control]) -> Profile:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "Cannot read the profile", where=str(path), seen=str(error), remedy="check breakwater_profile"
        ) from error
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise BadInput(
            "The profile is not YAML", where=where, seen=str(getattr(error, "problem", error)), remedy="mend the line"
        ) from error
    try:
        profile = decode(Profile, document)
    except DecodeError as error:
        raise BadInput(
            "The profile cannot be used",
            where=f"{path}{_line(text, error.path)}",
            seen=str(error),
            remedy="see docs/profiles.md for its form",
        ) from error
    return profile


def _line(text: str, path: str) -> str:
    """Return ``:line`` of the last key of a decode path, as far as it can be found."""
    key = path.rpartition(".")[2].partition("[")[0]
    for number, line in enumerate(text.splitlines(), 1):
        if key and line.lstrip("- ").startswith(f"{key}:"):
            return f":{number}"
    return ""


def complaints(profile: Profile, controls: Mapping[str, Control]) -> list[str]:
    """Return what is wrong with a profile's references."""
    found = []
    if profile.base not in BUILT_IN:
        found.append(f"base {profile.base!r} is none of {', '.join(BUILT_IN)}")
    for control in [*(rule.control for rule in profile.rules), *profile.exclude]:
        if control not in controls:
            close = difflib.get_close_matches(control, controls, 1)
            found.append(f"unknown control {control!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return found


def fitting(profiles: list[Profile], facts: FactSet) -> list[Profile]:
    """Return the profiles that apply to a host."""
    os_fact = facts.get("host.os")
    return [item for item in profiles if mismatch(item.when, None, os_fact.configured if os_fact else None) is None]


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
