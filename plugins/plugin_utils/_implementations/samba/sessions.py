# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions from ``smbstatus``: who is connected, with which dialect, signed, encrypted."""

from __future__ import annotations

import json
import re
from typing import Any

from ..._model.text import visible


def from_json(text: str) -> dict[str, dict[str, Any]]:
    """Return session id → session from ``smbstatus --json`` (Samba 4.17 and newer).

    Raises:
        ValueError: the text is not such a document.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("smbstatus --json did not print an object")
    shares: dict[str, list[str]] = {}
    for connection in _objects(document.get("tcons")):
        shares.setdefault(str(connection.get("session_id", "")), []).append(visible(str(connection.get("service", ""))))
    return {
        visible(str(session.get("session_id", ""))): {
            "user": visible(str(session.get("username", ""))),
            "machine": visible(str(session.get("remote_machine", ""))),
            "address": visible(str(session.get("hostname", ""))),
            "dialect": visible(str(session.get("session_dialect", ""))),
            "encryption": _protection(session.get("encryption")),
            "signing": _protection(session.get("signing")),
            "shares": sorted(set(shares.get(str(session.get("session_id", "")), []))),
        }
        for session in _objects(document.get("sessions"))
    }


def _objects(group: Any) -> list[dict[str, Any]]:
    return [item for item in group.values() if isinstance(item, dict)] if isinstance(group, dict) else []


def _protection(value: Any) -> str:
    if not isinstance(value, dict):
        return "unknown"
    degree = visible(str(value.get("degree", "")))
    return visible(str(value.get("cipher", ""))) if degree in ("full", "partial") else "none"


def from_table(text: str) -> dict[str, dict[str, Any]]:
    """Return pid → session from the table of ``smbstatus -b`` (older releases)."""
    sessions = {}
    for line in text.split("\n"):
        match = re.match(r"^(\d+)\s+(\S.*?)\s+(\S+)\s+\(([^)]*)\)\s+(\S+)(?:\s+(\S+)\s+(\S+))?", line)
        if match:
            pid, names, machine, address, dialect, encryption, signing = match.groups()
            # User and group may hold blanks ("domain users"); a column that is not full ends in two blanks.
            user = re.split(r"\s{2,}", names)[0] if re.search(r"\s{2,}", names) else names.split()[0]
            sessions[pid] = {
                "user": visible(user),
                "machine": visible(machine),
                "address": visible(address),
                "dialect": visible(dialect),
                "encryption": _column(encryption),
                "signing": _column(signing),
                "shares": [],
            }
    return sessions


def _column(text: str | None) -> str:
    if text is None:
        return "unknown"
    return "none" if text == "-" else visible(re.sub(r"^(partial|full)\((.*)\)$", r"\2", text))
