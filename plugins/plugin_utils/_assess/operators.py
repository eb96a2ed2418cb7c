# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The closed set of operators. Every one is total: any JSON value gives True or False, or None for "cannot tell"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._model.control import Operator

Scale = Sequence[str]
"""Values from the weakest to the strongest protection; empty: compare as numbers."""


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return bool(left == right)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _has(items: Sequence[Any], wanted: Any) -> bool:
    return any(_same(item, wanted) for item in items)


def _rank(value: Any, scale: Scale) -> float | None:
    if scale:
        folded = [step.casefold() for step in scale]
        return float(folded.index(value.casefold())) if isinstance(value, str) and value.casefold() in folded else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _compare(value: Any, wanted: Any, scale: Scale, holds: Callable[[float, float], bool]) -> bool | None:
    left, right = _rank(value, scale), _rank(wanted, scale)
    return None if left is None or right is None else holds(left, right)


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def _mode_within(value: Any, wanted: Any) -> bool | None:
    try:
        return int(str(value), 8) & ~int(str(wanted), 8) == 0
    except ValueError:
        return None


_OPERATORS: dict[Operator, Callable[[Any, Any, Scale], bool | None]] = {
    "equals": lambda value, wanted, scale: _same(value, wanted),
    "not_equals": lambda value, wanted, scale: not _same(value, wanted),
    "one_of": lambda value, wanted, scale: _has(_items(wanted), value),
    "none_of": lambda value, wanted, scale: not _has(_items(wanted), value),
    "at_least": lambda value, wanted, scale: _compare(value, wanted, scale, lambda left, right: left >= right),
    "at_most": lambda value, wanted, scale: _compare(value, wanted, scale, lambda left, right: left <= right),
    "includes": lambda value, wanted, scale: all(_has(_items(value), item) for item in _items(wanted)),
    "excludes": lambda value, wanted, scale: not any(_has(_items(value), item) for item in _items(wanted)),
    "subset_of": lambda value, wanted, scale: all(_has(_items(wanted), item) for item in _items(value)),
    "is_empty": lambda value, wanted, scale: _empty(value),
    "not_empty": lambda value, wanted, scale: not _empty(value),
    "mode_within": lambda value, wanted, scale: _mode_within(value, wanted),
    "observed": lambda value, wanted, scale: True,
    "not_observed": lambda value, wanted, scale: False,
}

_PHRASES: dict[Operator, str] = {
    "equals": "{value}",
    "not_equals": "anything but {value}",
    "one_of": "one of {value}",
    "none_of": "none of {value}",
    "at_least": "{value} or stronger",
    "at_most": "at most {value}",
    "includes": "includes {value}",
    "excludes": "does not include {value}",
    "subset_of": "nothing beyond {value}",
    "is_empty": "empty",
    "not_empty": "not empty",
    "mode_within": "mode {value} or stricter",
    "observed": "present",
    "not_observed": "absent",
}
NEEDS_VALUE = frozenset(name for name, phrase in _PHRASES.items() if "{value}" in phrase)
"""Operators that compare with something."""


def holds(operator: Operator, value: Any, wanted: Any, scale: Scale = ()) -> bool | None:
    """Return whether ``value`` satisfies the test; None when the two cannot be compared (never a pass)."""
    return _OPERATORS[operator](value, wanted, scale)


def phrase(operator: Operator, wanted: Any) -> str:
    """Return what is expected, in words."""
    return _PHRASES[operator].format(value=text(wanted))


def text(value: Any) -> str:
    """Return a value as a person would write it in a configuration."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(text(item) for item in value) or "(empty)"
    if isinstance(value, dict):
        return ", ".join(f"{name}={text(item)}" for name, item in value.items())
    return "(empty)" if value in (None, "") else str(value)
