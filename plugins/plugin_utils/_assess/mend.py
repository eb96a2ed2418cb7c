# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inverse of the operators: from a question that fails to a value that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.control import Operator
from .operators import Scale, holds, is_mode

NARROWER = {"S-1-1-0": "S-1-5-11", "S-1-5-32-545": "S-1-5-11"}
"""Everyone, Users → Authenticated Users: who has a right through the wide group keeps it through the narrow one."""


@dataclass(frozen=True, slots=True)
class Question:
    """An operator with what it compares with."""

    operator: Operator
    wanted: Any


@dataclass(frozen=True, slots=True)
class Ground:
    """What a value is made from.

    Attributes:
        default: value in force when nothing is written; None: not known, or the fact is no setting.
        scale: see ``Setting.scale``.
        setting: the fact is one of a property table, so an empty list is a choice like any other.
        replacing: member of a list → the member that takes its place when it has to go and that one may stay.
    """

    default: Any = None
    scale: Scale = ()
    setting: bool = False
    replacing: Mapping[str, str] | None = None


def mended(questions: Sequence[Question], today: Any, ground: Ground) -> Any:
    """Return the first value that answers all questions with yes, or None when none is known.

    Args:
        questions: about one fact; those that a profile decides come first, so its bound is the one that is taken.
        today: the value that lists keep as much of as they may.
        ground: see there.
    """

    def answers(value: Any) -> bool:
        return all(holds(item.operator, value, item.wanted, ground.scale) is True for item in questions)

    if answers(today):  # it is written, and only not in force
        return today
    for first in questions:
        for candidate in _candidates(first, today, ground):
            value = candidate
            for question in questions:
                if holds(question.operator, value, question.wanted, ground.scale) is not True:
                    value = next(iter(_candidates(question, value, ground)), value)
            if answers(value):
                return value
    return None


def _candidates(question: Question, today: Any, ground: Ground) -> Iterator[Any]:
    invert = _INVERSES.get(question.operator)
    if invert is not None:
        yield from (value for value in invert(question.wanted, today, ground) if value is not None)


def _wanted(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    return [wanted]


def _each(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    return _items(wanted)


def _default(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    """Return the default; where it is none that could be written, the value beside today's on the scale."""
    before = ground.scale[: ground.scale.index(today)] if today in ground.scale else ()
    return [ground.default, *reversed(before)]


def _including(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    kept = _items(today)
    return [kept + [item for item in _items(wanted) if holds("includes", kept, [item]) is not True]]


def _excluding(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    def allowed(item: Any) -> bool:
        return holds("one_of", item, _items(wanted)) is not True

    return [list(filter(allowed, _items(today))) or list(filter(allowed, _items(ground.default)))]


def _within(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    """Return what may stay. A list that would be left empty is the default's part, else all that is allowed."""

    def allowed(item: Any) -> bool:
        return holds("one_of", item, _items(wanted)) is True

    kept: list[Any] = []
    for item in _items(today):
        replaced = item if allowed(item) else (ground.replacing or {}).get(item) if isinstance(item, str) else None
        if replaced is not None and allowed(replaced) and replaced not in kept:
            kept.append(replaced)
    if kept or not ground.setting or ground.default in ([], ""):
        return [kept]
    return [list(filter(allowed, _items(ground.default))) or _items(wanted)]


def _nothing(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    empty: dict[type, Any] = {str: "", list: [], tuple: [], dict: {}}
    return [empty.get(today.__class__)]


def _masked(wanted: Any, today: Any, ground: Ground) -> list[Any]:
    return [f"{int(today, 8) & int(wanted, 8):04o}"] if is_mode(today) and is_mode(wanted) else []


def _items(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]


_INVERSES: dict[Operator, Callable[[Any, Any, Ground], list[Any]]] = {
    "equals": _wanted,
    "one_of": _each,
    "not_equals": _default,
    "none_of": _default,
    "at_least": _wanted,
    "at_most": _wanted,
    "includes": _including,
    "excludes": _excluding,
    "subset_of": _within,
    "is_empty": _nothing,
    "mode_within": _masked,
}
"""The others have none: nobody knows which users may use a share, or which network a host is in."""
