# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps for Windows as lines of data: one step a line, fields between bars, everything but plain text encoded.

What is not plain is ``%`` and four hexadecimal digits per UTF-16 unit: quotes, ends of lines, lone surrogates and all
that a registry can hold arrive as they are, and nothing of it can be taken for a piece of script.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from .._model.step import STATELESS, Native, Order, Step
from . import step_forms

_SPECIAL = re.compile(r"[^A-Za-z0-9_.\\{}()/:*#=;<>&!?^ -]")
BEGINNINGS = {"SYSTEM\\CurrentControlSet": "~S", "SOFTWARE\\Policies\\Microsoft": "~P"}
"""Most keys begin so, and all that is sent is encoded twice; a tilde of a step is encoded, and an address has none."""

_SERVICE = re.compile(r"[A-Za-z0-9_.$-]{1,256}\Z")
_NAME = re.compile(r"[A-Za-z0-9]{1,100}\Z")
_FEATURE = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")
_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}\Z")
_ANY = re.compile(r"[^\x00]{0,16383}\Z", re.DOTALL)
_FORMS: step_forms.Forms = {
    "registry": (re.compile(r"[^\x00-\x1f\\][^\x00-\x1f]{0,1023}\Z"), re.compile(r"[^\x00]{1,16383}\Z", re.DOTALL)),
    "server_property": (re.compile(r"\Z"), _NAME),
    "client_property": (re.compile(r"\Z"), _NAME),
    "share_property": (re.compile(r"[^\x00-\x1f]{1,80}\Z"), _NAME),
    "feature": (_FEATURE, re.compile(r"\Z")),
    "role_feature": (_FEATURE, re.compile(r"\Z")),
    "service": (_SERVICE, re.compile(r"\Z")),
    "netbios": (_GUID, re.compile(r"\Z")),
    "secedit": (re.compile(r"System Access\Z"), _NAME),
    "right": (re.compile(r"Se[A-Za-z]{1,60}\Z"), re.compile(r"\Z")),
    "audit": (_GUID, re.compile(r"\Z")),
    "event_log": (re.compile(r"[A-Za-z0-9 _./-]{1,255}\Z"), re.compile(r"(enabled|size)\Z")),
    "reload": (_ANY, _ANY),
    "restart": (_SERVICE, re.compile(r"\Z")),
}

_TYPES: dict[str, frozenset[str]] = {
    "registry": frozenset({"absent", "dword", "qword", "sz", "expand_sz", "multi_sz", "binary"}),
    "server_property": frozenset({"boolean", "integer", "text", "list"}),
    "feature": frozenset({"text"}),
    "service": frozenset({"integer", "dword"}),
    "netbios": frozenset({"integer", "dword", "absent"}),
    "secedit": frozenset({"integer", "dword", "text", "absent"}),
    "right": frozenset({"list"}),
    "audit": frozenset({"integer", "dword"}),
    "event_log": frozenset({"boolean", "integer"}),
    "reload": frozenset({"none"}),
}
_TYPES |= {"client_property": _TYPES["server_property"], "share_property": _TYPES["server_property"]}
_TYPES |= {"role_feature": _TYPES["feature"], "restart": _TYPES["reload"]}


def lines(order: Order) -> list[str]:
    """Return an order as the lines that the interpreter reads.

    Raises:
        ValueError: a step is none that the interpreter knows, or does not look like one.
    """
    head = f"O {step_forms.journal(order)}|{int(order.seconds)}|{int(order.dry)}|{int(order.keep)}"
    steps = [f"S {_step(step)}" for step in order.steps]
    return [head, *steps, *_undo(order)]


def _undo(order: Order) -> Iterator[str]:
    """Yield the undo's lines; "V number step" where it is nothing but the inverse of a step of the same order."""
    inverses = {_swapped(step): step.id for step in order.steps if not step.original}
    for step in order.undo:
        known = inverses.get(_fields(step)) if bool(step.original) == (step.twin is not None) else None
        yield f"U {_step(step)}" if known is None else f"V {int(step.id)} {int(known)}"


def _swapped(step: Step) -> tuple[str, ...]:
    return _fields(dataclasses.replace(step, before=step.after, after=step.before))


def _fields(step: Step) -> tuple[str, ...]:
    twin = () if step.twin is None else (step.twin.key, step.twin.name, *_native(step.twin.before))
    return (step.kind, step.target, step.name, *_native(step.before), *_native(step.after), *twin)


def encoded(text: str) -> str:
    """Return a text with everything that is not plain as ``%`` and four digits per UTF-16 unit."""
    return _SPECIAL.sub(_units, text)


def abbreviated(key: str) -> str:
    """Return a key with the beginning that most keys share in short."""
    for long, short in BEGINNINGS.items():
        if key.startswith(f"{long}\\"):
            return short + key[len(long) :]
    return key


def _units(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"%{units[at : at + 4]}" for at in range(0, len(units), 4))


def _step(step: Step) -> str:
    step_forms.check(step, _FORMS, "Windows")
    for native in (step.before, step.after):
        if native.type not in _TYPES[step.kind]:
            raise ValueError(f"step {step.id}: a {step.kind} holds no {native.type}")
    flags = ("r" if step.risky else "") + ("i" if step.original else "")
    fields = [
        str(int(step.id)),
        step.kind,
        abbreviated(encoded(step.target)),
        encoded(step.name),
        *_native(step.before),
        *_native(step.after),
    ]
    fields.append("" if step.kind in STATELESS else flags)
    if step.twin is not None:
        fields += [abbreviated(encoded(step.twin.key)), encoded(step.twin.name), *_native(step.twin.before)]
    return "|".join(fields)


def _native(native: Native) -> tuple[str, str]:
    value = native.value
    if native.type in ("absent", "none"):
        return native.type, ""
    if native.type == "boolean":
        return native.type, "true" if value else "false"
    if native.type in ("integer", "dword", "qword"):
        return native.type, str(int(value))
    if native.type in ("list", "multi_sz"):
        return native.type, "".join(f"{encoded(str(item))}," for item in value)
    return native.type, encoded(str(value).lower() if native.type == "binary" else str(value))
