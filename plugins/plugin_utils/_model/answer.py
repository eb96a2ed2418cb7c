# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at the structured data of a record without trusting its form.

A host may answer with anything: a field that is missing, of another type, huge, or full of control characters.
Every function here is total: what does not have the wanted form is None or empty, and the reader says so.
"""

from __future__ import annotations

import datetime
from typing import Any

from .collected import Collected
from .text import visible

MAX_TEXT = 2000
"""Characters of a text that are kept; nothing that Windows stores about SMB is longer."""


def text(value: Any) -> str:
    """Return a text, printable and of bounded length; ``""`` for anything else."""
    if not isinstance(value, str):
        return ""
    return visible(value) if len(value) <= MAX_TEXT else visible(value[:MAX_TEXT]) + "…"


def number(value: Any) -> int | None:
    """Return an integer of at most 64 bits, or None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) <= value < 2**64 else None


def flag(value: Any) -> bool | None:
    """Return a boolean, or None."""
    return value if isinstance(value, bool) else None


def mapping(value: Any) -> dict[str, Any]:
    """Return a dictionary with text keys; an empty one for anything else."""
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the dictionaries of a list; an empty list for anything else."""
    return [mapping(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def names(value: Any) -> list[str] | None:
    """Return the texts of a list, or of one text alone; None when the value is neither."""
    if isinstance(value, str):
        return [text(value)] if value else []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return [text(item) for item in value]


def moment(value: Any) -> datetime.datetime | None:
    """Return a point of time of ISO 8601, or None."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:  # Python 3.10 reads neither "Z" nor the seven digits of a fraction that .NET writes
        head, point, rest = value.strip().replace("Z", "+00:00").partition(".")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        found = datetime.datetime.fromisoformat(
            f"{head}{point}{rest[:digits][:6].ljust(6, '0') if point else ''}{rest[digits:]}"
        )
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.timezone.utc)


def table(collected: Collected, record_id: str) -> tuple[list[dict[str, Any]], str | None]:
    """Return the rows of a record, and why they are not all of them or not there (None: they are whole)."""
    data, reason = ask(collected, record_id)
    if reason is None and (not isinstance(data, list) or not all(isinstance(item, dict) for item in data)):
        reason = f"{record_id}: the answer is no table"
    return rows(data), reason


def document(collected: Collected, record_id: str) -> tuple[dict[str, Any], str | None]:
    """Return the fields of a record, and why they are not all of them or not there (None: they are whole)."""
    data, reason = ask(collected, record_id)
    if reason is None and not isinstance(data, dict):
        reason = f"{record_id}: the answer has no fields"
    return mapping(data), reason


def ask(collected: Collected, record_id: str) -> tuple[Any, str | None]:
    """Return the data of a record, and why it cannot be trusted (None: it can)."""
    record = collected.get(record_id)
    if record is None:
        return None, f"{record_id}: the collector did not bring it"
    reason = record.unreadable
    return record.data, None if reason is None else text(reason)


def missing(collected: Collected, record_id: str) -> bool:
    """Return whether the host has no such cmdlet, class or tool at all."""
    record = collected.get(record_id)
    return record is not None and record.rc == 127
