# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when Microsoft mends a Windows: by build, product type, edition and channel."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from typing import Any

from .._model.fact import Fact
from .level import Level

Row = Mapping[str, Any]
"""{"system": "server" or "workstation", "channel", "end": ISO date, "esu": ISO date or None}"""

_YEAR = re.compile(r"\bServer\W{1,3}20\d\d\b")
_LTSC_EDITION = re.compile(r"(?:IoT)?EnterpriseS[A-Z]{0,2}\Z")
_LTSC_NAME = re.compile(r"\bLTS[BC]\b")
_CHANNELS = {"home": "general", "pro": "general", "enterprise": "enterprise"}


def support(
    branch: Mapping[str, Any], traits: Collection[str], os_value: Any, level: Level | str, today: datetime.date
) -> tuple[Fact, Fact]:
    """Return whether the release is serviced, and until when.

    After the end of its support a release counts as serviced only where an update is installed that came later:
    nothing else on a host shows that extended updates are bought. An unknown end is never a supported one.

    Args:
        branch: its row in the data.
        traits: of the Windows implementation.
        os_value: value of ``host.os``.
        level: what the installed update contains, or why that is not known.
        today: the controller's date.
    """
    row = _row(branch["life"], traits, os_value if isinstance(os_value, dict) else {})
    if isinstance(row, str):
        reason = f"until when {branch['name']} is serviced is not known: {row}"
        return Fact(unreadable=reason), Fact(unreadable=reason)
    end, extended = datetime.date.fromisoformat(row["end"]), row["esu"]
    if today <= end:
        return Fact(effective=True), Fact(effective=row["end"])
    if extended is None or today > datetime.date.fromisoformat(extended):
        last = extended or row["end"]
        return Fact(effective=False, cause=f"its updates ended on {last}"), Fact(effective=last)
    ended = f"its updates ended on {row['end']}, extended ones end on {extended}"
    if isinstance(level, str):
        return Fact(unreadable=f"{ended}, and {level}"), Fact(effective=extended)
    if level.oldest > end:
        return Fact(effective=True), Fact(effective=extended)
    if level.newest > end:
        return Fact(unreadable=f"{ended}, and whether one is installed is not known"), Fact(effective=extended)
    return Fact(effective=False, cause=f"{ended}, and none is installed"), Fact(effective=row["end"])


def _row(life: Collection[Row], traits: Collection[str], system: Mapping[str, Any]) -> Row | str:
    """Return the one row that is meant, or why none is."""
    if not life:
        return "its life cycle is not in the data"
    if "server-os" in traits:
        rows = _server([row for row in life if row["system"] == "server"], str(system.get("name", "")))
    elif "workstation" in traits:
        rows = _workstation([row for row in life if row["system"] == "workstation"], traits, system)
    else:
        return "whether it is a server or a workstation is not known"
    if not rows:
        return "no life cycle for this edition is in the data"
    if len({(row["end"], row["esu"]) for row in rows}) > 1:
        return "its edition is not known"
    return rows[0]


def _server(rows: list[Row], name: str) -> list[Row]:
    """A server's caption names its year, but for the releases of the semi-annual channel."""
    if not name:
        return rows
    wanted = ("all",) if _YEAR.search(name) else ("sac",)
    return [row for row in rows if row["channel"] in wanted] or rows


def _workstation(rows: list[Row], traits: Collection[str], system: Mapping[str, Any]) -> list[Row]:
    name, edition = str(system.get("name", "")), str(system.get("edition", ""))
    if _LTSC_EDITION.match(edition) or _LTSC_NAME.search(name):
        iot = edition.startswith("IoT") or "IoT" in name
        return [row for row in rows if iot and row["channel"] == "iot"] or [
            row for row in rows if row["channel"] == "ltsc"
        ]
    channels = {_CHANNELS[trait] for trait in traits if trait in _CHANNELS}
    if "enterprise" in channels and not edition and not name:
        channels.add("ltsc")  # Enterprise may be the long-term channel: then its end is known only where both agree
    normal = [row for row in rows if row["channel"] not in ("ltsc", "iot")]
    return [row for row in rows if row["channel"] in channels or row["channel"] == "all"] if channels else normal
