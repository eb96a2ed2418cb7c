# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the interpreter on a host answered, of both families."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from .._model.collected import Collected, Record
from .._model.step import Applied, Native, NativeType, Order, Step, StepResult, StepState
from .._model.text import visible

_Word = TypeVar("_Word", StepState, NativeType)
_STATES: tuple[StepState, ...] = get_args(StepState)
_TYPES: tuple[NativeType, ...] = get_args(NativeType)
_NUMBERS = frozenset({"integer", "dword", "qword"})
_LISTS = frozenset({"list", "multi_sz"})
NO_ANSWER = "no answer: it was cut off, or another step ended it; only a look at the host tells what stands there"


def applied(collected: Collected, order: Order) -> Applied:
    """Return what became of an order.

    A step without an answer that can be read counts as failed: the next collection finds what is true.

    Args:
        collected: what came back; its first records are the interpreter's.
        order: what was sent.
    """
    host = collected.get("apply.host")
    if host is None:
        return Applied(tuple(StepResult(step.id, "failed", error=NO_ANSWER) for step in order.steps), "", False)
    read = _windows if collected.family == "windows" else _unix
    answers = {record.command: record for record in collected.records if record.id == "apply.step"}
    results = tuple(_result(step, answers.get(str(step.id)), read) for step in order.steps)
    return Applied(results, _obstacle(host), _armed(host, collected.family))


def _obstacle(host: Record) -> str:
    return "" if host.rc == 0 else visible(host.err).strip() or f"it ended with code {host.rc}"


def _armed(host: Record, family: str) -> bool:
    if family == "windows":
        return isinstance(host.data, Mapping) and host.data.get("armed") is True
    return "armed yes" in host.out.split("\n")


def _result(step: Step, record: Record | None, read: Callable[[Step, Record], StepResult]) -> StepResult:
    if record is None:
        return StepResult(step.id, "failed", error=NO_ANSWER)
    try:
        return read(step, record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return StepResult(step.id, "failed", error=f"no answer that can be read ({visible(str(error))[:120]})")


def _unix(step: Step, record: Record) -> StepResult:
    state, *rest = record.out.split("\n")
    values = dict(line.split(" ", 1) for line in rest if line)
    natives = {name: _of_text(*values[name].split(" ", 1)) for name in ("before", "after") if name in values}
    return StepResult(
        step.id,
        _one_of(_STATES, state, "state of a step"),
        natives.get("before"),
        natives.get("after"),
        visible(record.err),
    )


def _of_text(kind: str, value: str = "") -> Native:
    return Native(_one_of(_TYPES, kind, "type of a value"), None if kind in ("absent", "none") else value)


def _windows(step: Step, record: Record) -> StepResult:
    data = record.data
    before, after = _of_data(data.get("before")), _of_data(data.get("after"))
    state = _one_of(_STATES, data["state"], "state of a step")
    return StepResult(step.id, state, before, after, visible(str(data.get("error") or "")))


def _of_data(data: Any) -> Native | None:
    """JSON of PowerShell has one kind of number, and no list for what is one thing or nothing."""
    if data is None:
        return None
    kind, value = _one_of(_TYPES, data["type"], "type of a value"), data.get("value")
    if kind in ("absent", "none"):
        return Native(kind)
    if kind in _NUMBERS:
        return Native(kind, int(value))
    if kind in _LISTS:
        items = value if isinstance(value, list) else [] if value is None else [value]
        return Native(kind, [str(item) for item in items])
    if kind == "boolean":
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no boolean")
        return Native(kind, value)
    return Native(kind, "" if value is None else str(value))


def _one_of(known: tuple[_Word, ...], text: Any, what: str) -> _Word:
    for word in known:
        if text == word:
            return word
    raise ValueError(f"{text!r} is no {what}")
