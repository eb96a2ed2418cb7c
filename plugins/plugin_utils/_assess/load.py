# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compiled rows → dataclasses, without the checks that the compiler has made already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._model.control import Control, Profile, Rule, Test
from .._model.setting import Address, Default, Setting
from .._model.when import When

Row = Mapping[str, Any]


def setting_of(row: Row) -> Setting:
    """Return a setting of its compiled row."""
    changed: dict[str, Any] = {name: tuple(row[name]) for name in ("synonyms", "scale", "implied") if name in row}
    changed["defaults"] = tuple(Default(**_conditional(item)) for item in row.get("defaults", ()))
    if "addresses" in row:
        changed["addresses"] = tuple(Address(**_conditional(item)) for item in row["addresses"])
    if "available" in row:
        changed["available"] = when_of(row["available"])
    return Setting(**{**row, **changed})


def _conditional(row: Row) -> dict[str, Any]:
    return {**row, "when": when_of(row["when"])} if "when" in row else dict(row)


def control_of(row: Row) -> Control:
    """Return a control of its compiled row."""
    changed: dict[str, Any] = {name: tuple(row[name]) for name in ("usage", "references") if name in row}
    changed["when"] = when_of(row.get("when", {}))
    changed["tests"] = tuple(Test(**_conditional(test)) for test in row["tests"])
    changed["examples"] = ()
    return Control(**{**row, **changed})


def when_of(row: Row) -> When:
    """Return a condition of its compiled row."""
    changed: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in row.items()}
    return When(**changed)


def profile_of(row: Row) -> Profile:
    """Return a profile of its compiled row."""
    changed: dict[str, Any] = {
        "when": when_of(row.get("when", {})),
        "rules": tuple(Rule(**rule) for rule in row.get("rules", ())),
        "exclude": tuple(row.get("exclude", ())),
    }
    return Profile(**{**row, **changed})
