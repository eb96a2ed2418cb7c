# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a rule of the Windows firewall matches SMB of the system itself, by what else it asks for.

SMB, NetBIOS and SMB over QUIC listen in the kernel, whose traffic is that of the program ``System``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .model import Match

_TRUST_TUPLES = frozenset(
    ["proximity", "proxsharing", "wfdprint", "wfddisplay", "wfddevices", "wfdkmdriver", "upnp", "wfdcdpsvc"]
)
"""Trust tuples ([MS-GPFAS] 2.2.2.20): connections that one component has announced, never SMB."""
_KERNEL = re.compile(r"system\Z|.*ntoskrnl\.exe\Z", re.IGNORECASE | re.DOTALL)
_SMB_SERVICES = frozenset({"lanmanserver", "lanmanworkstation", "srv2", "srvnet", "netbt", "lmhosts", "browser"})
_SYSTEM_SID = "S-1-5-18"
_WINDOWS_NT = 2
"""Number of the platform in ``Platform=`` ([MS-FASP] 2.2.30)."""


def match_of(conditions: Sequence[tuple[str, str]], release: tuple[int, int] | None) -> Match:
    """Return whether the conditions of a rule let it match SMB: always, perhaps (nobody can say here), or never."""
    found: set[Match] = {
        _one(key.lower(), value) for key, value in conditions if not key.lower().startswith("platform")
    }
    found.add(_platform(conditions, release))
    return "never" if "never" in found else "perhaps" if "perhaps" in found else "always"


def _one(key: str, value: str) -> Match:
    value = value.strip()
    if key == "app":
        if value.lower() == "system":
            return "always"
        return "perhaps" if _KERNEL.match(value) or value in ("", "*") else "never"
    if key == "svc":
        return "perhaps" if value in ("", "*") or value.lower() in _SMB_SERVICES else "never"
    if key in ("apppkgid", "pfn"):
        return "never" if value else "perhaps"  # an app of the store is never the kernel
    if key == "luown":
        return "perhaps" if value in ("", _SYSTEM_SID) else "never"
    if key.startswith("ttk"):
        return "never" if value.lower() in _TRUST_TUPLES else "perhaps"
    return "never" if key in ("icmp4", "icmp6") else "perhaps"


def _platform(conditions: Sequence[tuple[str, str]], release: tuple[int, int] | None) -> Match:
    """Judge ``Platform=2:6:2`` (any of them) and ``Platform2=GTEQ``, which makes the last of them "or newer"."""
    asked = [value for key, value in conditions if key.lower() == "platform"]
    newer = any(key.lower() == "platform2" and value.upper() == "GTEQ" for key, value in conditions)
    if not asked and not newer:
        return "always" if not any(key.lower().startswith("platform") for key, _value in conditions) else "perhaps"
    wanted = [re.fullmatch(r"(\d{1,3}):(\d{1,3}):(\d{1,3})", value) for value in asked]
    if release is None or not wanted:
        return "perhaps"
    for index, match in enumerate(wanted):
        if match is None or int(match[1]) != _WINDOWS_NT:
            return "perhaps"
        version = (int(match[2]), int(match[3]))
        if release == version or (newer and index == len(wanted) - 1 and release > version):
            return "always"
    return "never"
