# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that others lean on: what is held back there until somebody names it for that host."""

from __future__ import annotations

from .._model.step import Target
from .situation import Situation, implementation

SPECIAL = {
    "windows": {
        "domain-controller": "a domain controller",
        "cluster": "a node of a cluster",
        "hyper-v": "a Hyper-V host",
        "dfs": "a DFS server",
        "print-server": "a print server",
        "backup-target": "a backup target",
    },
    "samba": {
        "domain-controller": "a domain controller",
        "cluster": "a node of a cluster (CTDB)",
        "backup-target": "a backup target",
    },
}
"""Implementation → trait → what it is called."""
NAMED = {trait: words for traits in SPECIAL.values() for trait, words in traits.items()} | {
    "cluster": "a node of a cluster"
}
"""What the user may say of any host (``breakwater_roles``): nobody but he knows who stores backups where."""
_HARMLESS = frozenset({"samba.debug_encryption"})


def special(name: str, situation: Situation) -> str | None:
    """Return which special roles an implementation has or may have, in words; None when it has none."""
    words = SPECIAL.get(name, {})
    told = dict.fromkeys([*situation.traits(name), *situation.options.roles])
    certain = [words.get(trait) or NAMED[trait] for trait in told if trait in words or trait in NAMED]
    if certain:
        return f"this host is {' and '.join(certain)}"
    open_questions = [words[trait] for trait in dict.fromkeys(situation.doubts(name)) if trait in words]
    return f"whether this host is {' or '.join(open_questions)} could not be read" if open_questions else None


def delicate(target: Target) -> str | None:
    """Return what a target touches that others lean on, in words; None when it does not."""
    if target.area == "firewall" or target.fact.startswith("firewall."):
        return "firewall"
    if target.fact.startswith("windows.right_"):
        return "user rights"
    if "encryption" in (target.area, target.stage) and target.fact not in _HARMLESS:
        return "encryption"
    if "pipe" in target.fact:
        return "named pipes"
    if target.fact.startswith("windows.service_") or target.area == "service":
        return "services"
    return None


def holding(target: Target, situation: Situation) -> str | None:
    """Return why a special role holds a target back, or None when it does not."""
    touched = delicate(target)
    own = implementation(target)
    names = (own,) if own in SPECIAL else tuple(SPECIAL)  # a firewall is that of the whole host
    role = next((why for name in names if (why := special(name, situation))), None) if touched else None
    return f"{role}, and this step changes its {touched}" if role else None
