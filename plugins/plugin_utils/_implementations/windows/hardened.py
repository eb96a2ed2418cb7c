# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hardened UNC paths beyond those that the property table has rows for: what a client demands of other servers."""

from __future__ import annotations

from ..._model.answer import text
from ..._model.fact import Fact, FactSet, Origin
from .stores import Stores

KEY = "SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkProvider\\HardenedPaths"
_OF_DOMAIN = frozenset({"\\\\*\\netlogon", "\\\\*\\sysvol"})
_FLAGS = {flag.lower(): flag for flag in ("RequireMutualAuthentication", "RequireIntegrity", "RequirePrivacy")}


def read(stores: Stores, facts: FactSet) -> None:
    """Put ``windows.hardened_paths`` (their names) and ``windows.hardened_path`` (what each demands)."""
    unread = stores.unread.get("windows.registry") or stores.closed(KEY)
    if unread is not None:
        facts.put("windows.hardened_paths", Fact(unreadable=unread))
        return
    origin = Origin("policy", f"HKLM\\{KEY}")
    paths = []
    for name, value in stores.values(KEY).items():
        if name.lower() in _OF_DOMAIN:
            continue
        shown = text(name)
        paths.append(shown)
        if isinstance(value, str):
            facts.put("windows.hardened_path", Fact(configured=demands(value), origin=origin), shown)
        else:
            facts.put("windows.hardened_path", Fact(unreadable="its value is no text"), shown)
    facts.put("windows.hardened_paths", Fact(configured=sorted(paths), origin=origin))


def demands(value: str) -> list[str]:
    """Return the flags of a path, as a set: blanks and order mean nothing."""
    found = set()
    for part in text(value).split(","):
        name, _equals, number = (piece.strip() for piece in part.partition("="))
        if name:
            found.add(f"{_FLAGS.get(name.lower(), name)}={number}")
    return sorted(found)
