# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The closed set of operators. Every one is total: any JSON value gives True or False, or None for "cannot tell"."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from .._model.control import Operator

_MODE = re.compile(r"0?[0-7]{3,4}\Z")

Span = tuple[int, int, int]
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


def _rank(value: Any, scale: Scale) -> int | float | None:
    if scale:
        folded = [step.casefold() for step in scale]
        return folded.index(value.casefold()) if isinstance(value, str) and value.casefold() in folded else None
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or (isinstance(value, float) and math.isnan(value))
    ):
        return None
    return value


def _compare(value: Any, wanted: Any, scale: Scale, compare: Callable[[float, float], bool]) -> bool | None:
    left, right = _rank(value, scale), _rank(wanted, scale)
    return None if left is None or right is None else compare(left, right)


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def _mode_within(value: Any, wanted: Any) -> bool | None:
    """Compare modes as octal text only: a number would be an octal one that YAML has already turned into decimal."""
    if not (isinstance(value, str) and isinstance(wanted, str) and is_mode(value) and is_mode(wanted)):
        return None
    return int(value, 8) & ~int(wanted, 8) == 0


def is_mode(value: Any) -> bool:
    """Return whether a value is a file mode in octal, as text: ``"0644"``."""
    return isinstance(value, str) and _MODE.match(value) is not None


def _networks_within(value: Any, wanted: Any) -> bool | None:
    """Compare what rules name as the other side: addresses, ranges, networks and words such as LocalSubnet."""
    scopes, allowed = _items(value), _items(wanted)
    if not all(isinstance(item, str) for item in (*scopes, *allowed)):
        return None
    if _has(allowed, "any"):
        return True
    spans = [span for span in map(_span, allowed) if span is not None]
    return all(_has(allowed, scope) or _inside(_span(scope), spans) for scope in scopes)


def _inside(span: Span | None, spans: Sequence[Span]) -> bool:
    return span is not None and any(
        span[0] == version and first <= span[1] <= span[2] <= last for version, first, last in spans
    )


def _span(scope: str) -> Span | None:
    """Return IP version, first and last address of ``10.0.0.0/8``, ``10.0.0.1`` or ``10.0.0.1-10.0.0.9``."""
    first, _dash, last = (part.strip() for part in scope.partition("-"))
    try:
        if last:
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
            return (low.version, int(low), int(high)) if low.version == high.version else None
        network = ipaddress.ip_network(first, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


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
    "networks_within": lambda value, wanted, scale: _networks_within(value, wanted),
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
    "networks_within": "from nowhere but {value}",
    "observed": "present",
    "not_observed": "absent",
}
NEEDS_VALUE = frozenset(name for name, phrase in _PHRASES.items() if "{value}" in phrase)
"""Operators that compare with something."""
VACUOUS_WHEN_EMPTY = frozenset[Operator]({"includes", "excludes", "none_of"})
"""Operators that everything satisfies when the list that they compare with is empty."""
_EMPTY_MEANS_NOTHING = frozenset[Operator]({"subset_of", "networks_within"})
"""Operators that nothing but an empty list satisfies then."""


def holds(operator: Operator, value: Any, wanted: Any, scale: Scale = ()) -> bool | None:
    """Return whether ``value`` satisfies the test; None when the two cannot be compared (never a pass).

    A test that asks for nothing is no test: without a value, or with an empty list of them, nothing can be told.
    """
    if operator in NEEDS_VALUE and (wanted is None or (operator in VACUOUS_WHEN_EMPTY and _empty(wanted))):
        return None
    return _OPERATORS[operator](value, wanted, scale)


def phrase(operator: Operator, wanted: Any) -> str:
    """Return what is expected, in words."""
    if operator in _EMPTY_MEANS_NOTHING and wanted == []:
        return _PHRASES["is_empty"]
    return _PHRASES[operator].format(value=text(wanted))


def text(value: Any) -> str:
    """Return a value as a person would write it in a configuration."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(text(item) for item in value) or "(empty)"
    if isinstance(value, dict):
        return ", ".join(f"{name}={text(item)}" for name, item in value.items())
    if value is None or value == "":
        return "(empty)"
    try:
        return str(value)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return "(a very long number)"
