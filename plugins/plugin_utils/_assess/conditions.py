# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``when:`` against a host: version ranges, sides, traits, operating systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._model.collected import Implementation
from .._model.versions import in_range, version_key
from .._model.when import When

__all__ = ["candidates", "doubt", "in_range", "mismatch", "os_ids", "version_key"]


def candidates(when: When, implementations: Sequence[Implementation]) -> list[Implementation]:
    """Return the implementations on the host that a condition speaks of, servers first."""
    found = [
        item
        for item in implementations
        if (when.implementation is None or item.name == when.implementation)
        and (when.side is None or item.role == when.side)
    ]
    return sorted(found, key=lambda item: item.role != "server")


def mismatch(when: When, found: Implementation | None, os_facts: Any) -> str | None:
    """Return why a condition does not hold for an implementation, or None when it does (or cannot be told)."""
    if found is not None:
        if when.version and in_range(found.version, when.version) is False:
            return f"{found.name} {found.version} is not {when.version}"
        if when.trait and not set(when.trait) & {*found.traits, *found.doubts}:
            return f"the host is not a {' or '.join(when.trait)}"
        excluded = set(when.without) & set(found.traits)
        if excluded:
            return f"the host is a {sorted(excluded)[0]}"
    if when.os:
        ids = os_ids(os_facts)
        if ids and not ids & set(when.os):
            return f"the operating system is not {' or '.join(when.os)}"
    return None


def doubt(when: When, found: Implementation | None) -> str | None:
    """Return what a condition hangs on that the host did not tell, or None."""
    if found is None:
        return None
    open_questions = set(when.without) & set(found.doubts)
    if when.trait and not set(when.trait) & set(found.traits):
        open_questions |= set(when.trait) & set(found.doubts)
    if not open_questions:
        return None
    return f"whether the host is a {' or '.join(sorted(open_questions))} could not be read"


def os_ids(os_facts: Any) -> set[str]:
    """Return the names that a condition may call a system by: "ubuntu", "debian", "ubuntu-24.04"; none when unknown."""
    if not isinstance(os_facts, dict):
        return set()
    name, version = str(os_facts.get("id", "")), str(os_facts.get("version", ""))
    ids = {name, *map(str, os_facts.get("id_like", ()))}
    if name and version:
        ids |= {f"{name}-{version}", f"{name}-{version.split('.', maxsplit=1)[0]}"}
    return ids - {""}
