# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One order of dialects for all who spell them: ``NT1``, ``SMB2_02``, ``2.0.2``, ``vers=2.0``."""

from __future__ import annotations

import re
from typing import Any

SMB2 = "2.0.2"
SMB3 = "3.0"
_FIRST = frozenset({"CORE", "COREPLUS", "LANMAN1", "LANMAN2", "NT1", "NT LM 0.12"})
_SHORT = {"1": 100, "2": 202, "20": 202, "3": 300}


def rank(dialect: Any) -> int | None:
    """Return a number that orders dialects; None when the text names none ("", "default", "none")."""
    text = dialect.strip().upper() if isinstance(dialect, str) else ""
    if text in _FIRST:
        return 100
    match = re.match(r"(?:SMB)?\s*([1-3](?:[._]?[0-9]){0,3})\Z", text)
    if match is None:
        return None
    digits = re.sub(r"[^0-9]", "", match[1])[:3]
    return _SHORT.get(digits, int(digits.ljust(3, "0")))


def below(dialect: Any, floor: str) -> bool | None:
    """Return whether a dialect is older than another one; None when it is not told."""
    told, wanted = rank(dialect), rank(floor)
    return None if told is None or wanted is None else told < wanted
