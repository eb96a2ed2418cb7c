# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host files and what they inherit, as one document."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
Document = dict[str, Any]


def names() -> list[str]:
    """Return the names of all hosts."""
    return sorted(path.stem for path in (HERE / "hosts").glob("*.json"))


def load(path: pathlib.Path) -> Document:
    """Return one JSON file."""
    document: Document = json.loads(path.read_text(encoding="utf-8"))
    return document


def read(name: str) -> Document:
    """Return a host with all that it inherits."""
    return _inherited(load(HERE / "hosts" / f"{name}.json"))


def about(name: str) -> str:
    """Return the sentence that says what is special about a host."""
    return str(load(HERE / "hosts" / f"{name}.json")["about"])


def _inherited(document: Document) -> Document:
    base = document.pop("base", None)
    if base is None:
        return document
    return merged(_inherited(load(HERE / "bases" / f"{base}.json")), document)


def merged(base: Mapping[str, Any], over: Mapping[str, Any], plain: bool = False) -> Document:
    """Return ``over`` laid on ``base``.

    Objects merge, ``null`` removes, ``name+`` appends to the list ``name``, anything else replaces. Names are compared
    without case, as Windows does. ``plain``: below "registry", where ``name+`` is a name like any other and an object
    two levels down is one value.
    """
    result = dict(base)
    spelled = {name.lower(): name for name in base}
    for name, value in over.items():
        if name.endswith("+") and isinstance(value, list) and not plain:
            known = spelled.get(name[:-1].lower(), name[:-1])
            result[known] = [*(result.get(known) or []), *value]
            continue
        known = spelled.get(name.lower(), name)
        if value is None:
            result.pop(known, None)
        elif isinstance(value, dict) and isinstance(result.get(known), dict) and not _is_value(value):
            result[known] = merged(result[known], value, plain or name == "registry")
        else:
            result[known] = value
    return result


def _is_value(value: Mapping[str, Any]) -> bool:
    """Whether an object stands for one typed registry value."""
    return len(value) == 1 and next(iter(value)) in ("expand", "qword", "binary", "multi")
