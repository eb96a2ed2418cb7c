# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public variables, and those that only look like one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_PREFIX = "breakwater_"
_NEARLY = 0.7
PUBLIC = frozenset(
    f"{_PREFIX}{name}"
    for name in [
        "profile",
        "results",
        "history",
        "fail_on",
        "max_unreachable",
        "exceptions",
        "zones",
        "run",
        "implementation",
        "cluster",
        "roles",
        "observe_days",
        "restart",
        "reboot",
        "window",
        "journal",
        "areas",
        "controls",
        "exclude",
        "stages",
        "batches",
        "hosts",
        "timeout",
        "formats",
        "flows_complete",
        "opened",
        "recording",
        "targets",
        "scope",
        "vantage",
        "ports",
        "checks",
        "probe",
        "paramiko_use_agent",
        "paramiko_known_hosts",
        "paramiko_ssh_config",
        "paramiko_jump_host",
        "paramiko_proxy_command",
        "paramiko_legacy_algorithms",
        "paramiko_timeout",
        "paramiko_command_timeout",
    ]
)
"""Every name that has a meaning (``breakwater_opened`` is the playbooks' own, ``breakwater_probe`` what the inventory
plugin sweep saw, ``breakwater_recording`` the demonstration's)."""


def unknown_variables(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (name, what was probably meant or "") for each name that begins with breakwater_ and has no meaning."""
    unknown = sorted({name for name in names if name.startswith(_PREFIX)} - PUBLIC)
    return [(name, _nearest(name)) for name in unknown]


def _nearest(name: str) -> str:
    """Return the public name that is nearly this one, or ""; the beginning that all share says nothing."""
    ends = [public.removeprefix(_PREFIX) for public in PUBLIC]
    found = difflib.get_close_matches(name.removeprefix(_PREFIX), ends, 1, _NEARLY)
    return _PREFIX + found[0] if found else ""
