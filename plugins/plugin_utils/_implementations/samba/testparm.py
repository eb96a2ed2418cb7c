# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``testparm -sv`` says: all globals with the share defaults, then per share what differs from those."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..._model.text import visible
from . import values
from .settings import Table


@dataclass(slots=True)
class TestparmView:
    """Values by fact id, as testparm printed them.

    Attributes:
        globals: every global and every share default.
        shares: lower-case share name → (name, what differs from the share defaults).
        warnings: what it complained of on standard error.
    """

    globals: dict[str, Any] = field(default_factory=dict)
    shares: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


_NOISE = (
    "load smb config files",
    "loaded services file ok",
    "weak crypto is allowed",
    "weak crypto is disallowed",
    "server role:",
    "press enter to see",
    "# global parameters",
    "processing section",
    "rlimit_max",
)


def parse(out: str, err: str, table: Table) -> TestparmView:
    """Return what testparm printed. Parameters that the table does not know are left out."""
    view = TestparmView()
    target: dict[str, Any] = view.globals
    for line in out.split("\n"):
        if line.startswith("[") and line.rstrip().endswith("]"):
            name = visible(line.rstrip()[1:-1])
            target = view.globals if name == "global" else view.shares.setdefault(name.lower(), (name, {}))[1]
        elif line.startswith("\t"):
            _parameter(line[1:], table, target)
    for line in err.split("\n"):
        text = visible(line.strip())
        if text and not text.lower().startswith(_NOISE):
            view.warnings.append(text)
    return view


def _parameter(line: str, table: Table, target: dict[str, Any]) -> None:
    name, equals, text = line.partition("=")
    found = table.find(name) if equals and ":" not in name else None
    if found is None:
        return
    setting, inverted = found
    try:
        target[setting.id] = values.parse(setting, text.strip(), inverted=inverted)
    except values.BadValue:
        target[setting.id] = visible(text.strip())
