# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when somebody mends a Samba: its distribution for packages, samba.org for what was built from source."""

from __future__ import annotations

import datetime
import re
from typing import Any

from ..._model.fact import Fact, FactSet

UPSTREAM_AS_OF = datetime.date(2026, 8, 7)
UPSTREAM_MAINTAINED = ("4.22", "4.23", "4.24")
"""Series that received the security releases of July 2026 (tags of github.com/samba-team/samba)."""

_VALID_FOR = datetime.timedelta(days=270)
"""A new series comes every six months; older knowledge than this decides nothing."""

# Last day of security updates that need no extra contract, by os-release ID and VERSION_ID.
# Sources: the distributions' release life cycle pages.
_DISTRIBUTIONS: dict[str, dict[str, str]] = {
    "debian": {"10": "2024-06-30", "11": "2026-08-31", "12": "2028-06-30", "13": "2030-06-30"},
    "ubuntu": {"18.04": "2023-05-31", "20.04": "2025-05-31", "22.04": "2027-05-31", "24.04": "2029-05-31"},
    "rhel": {"7": "2024-06-30", "8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"},
    "centos": {"7": "2024-06-30", "8": "2021-12-31"},
    "almalinux": {"8": "2029-03-01", "9": "2032-05-31", "10": "2035-05-31"},
    "rocky": {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"},
}


def maintained(version: str, host: FactSet, today: datetime.date) -> Fact:
    """Return whether the installed release still gets security fixes; unreadable when that is not known here."""
    system = host.get("host.os")
    packaged = any(host.get("host.package", name) for name in ("samba", "samba-server", "samba4", "samba-common"))
    if packaged and system is not None and isinstance(system.configured, dict):
        return _distribution(system.configured, today)
    series = re.match(r"\d+\.\d+", version)
    if series and series[0] in UPSTREAM_MAINTAINED and today - UPSTREAM_AS_OF < _VALID_FOR:
        return Fact(effective=True)
    if series and _number(series[0]) < _number(UPSTREAM_MAINTAINED[0]):
        return Fact(effective=False)
    return Fact(unreadable=f"whether Samba {version} is maintained is not known to this release of Breakwater")


def _distribution(system: dict[str, Any], today: datetime.date) -> Fact:
    name, release = str(system.get("id", "")), str(system.get("version", ""))
    dates = _DISTRIBUTIONS.get(name, {})
    last = dates.get(release) or dates.get(release.split(".", maxsplit=1)[0])
    if last is None:
        return Fact(
            unreadable=f"until when {system.get('name', name)} is maintained is not known to this release of Breakwater"
        )
    return Fact(effective=today <= datetime.date.fromisoformat(last))


def _number(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
