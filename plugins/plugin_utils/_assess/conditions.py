# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``when:`` against a host: version ranges, sides, traits, operating systems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .._model.collected import Implementation
from .._model.when import When

_RANGE = re.compile(r"^(>=|<=|>|<|==|!=)\s*(\d\S*)$")
_EARLY = ("rc", "beta", "alpha", "pre", "dev")
_EPOCH = re.compile(r"^[0-9]+:(?=[0-9])")
_JOINED = re.compile(rf"[-~.](?=(?:{'|'.join(_EARLY)})(?![A-Za-z]))", re.IGNORECASE)


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that orders versions: numbers as numbers, and a pre-release (rc, beta, alpha) before its release.

    A distribution's suffix ("4.17.12-Debian") does not make a version newer than its upstream version,
    and a package's epoch ("2:4.17.12+dfsg") is no part of it.
    """
    upstream = re.split(r"[-+~ ]", _JOINED.sub("", _EPOCH.sub("", version.strip())), maxsplit=1)[0]
    parts: list[tuple[int, int, str]] = []
    for number, word in re.findall(r"([0-9]{1,18})|([A-Za-z]+)", upstream):
        if number:
            parts.append((1, int(number), ""))
        else:
            early = word.lower() in _EARLY
            if early:  # 4.23.0rc1 comes before 4.23
                _drop_zeros(parts)
            parts.append((-1 if early else 2, 0, word.lower()))
    _drop_zeros(parts)
    return (*parts, (0, 0, ""))


def _drop_zeros(parts: list[tuple[int, int, str]]) -> None:
    while parts and parts[-1] == (1, 0, ""):
        parts.pop()


def in_range(version: str, condition: str) -> bool | None:
    """Return whether ``version`` is in a range such as ``">=4.15, <4.23"``; None when it is not known.

    Raises:
        ValueError: the range is not of that form.
    """
    key = version_key(version)
    known = bool(re.match(r"[0-9]", version.strip()))
    result = True
    for part in condition.split(","):
        match = _RANGE.match(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is not a version condition such as '>=4.15'")
        other = version_key(match[2])
        result = (
            result
            and {
                ">=": key >= other,
                "<=": key <= other,
                ">": key > other,
                "<": key < other,
                "==": key == other,
                "!=": key != other,
            }[match[1]]
        )
    return result if known else None


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
        if when.trait and not set(when.trait) & set(found.traits):
            return f"the host is not a {' or '.join(when.trait)}"
        excluded = set(when.without) & set(found.traits)
        if excluded:
            return f"the host is a {sorted(excluded)[0]}"
    if when.os:
        ids = os_ids(os_facts)
        if ids and not ids & set(when.os):
            return f"the operating system is not {' or '.join(when.os)}"
    return None


def os_ids(os_facts: Any) -> set[str]:
    """Return the names that a condition may call a system by: "ubuntu", "debian", "ubuntu-24.04"; none when unknown."""
    if not isinstance(os_facts, dict):
        return set()
    name, version = str(os_facts.get("id", "")), str(os_facts.get("version", ""))
    ids = {name, *map(str, os_facts.get("id_like", ()))}
    if name and version:
        ids |= {f"{name}-{version}", f"{name}-{version.split('.', maxsplit=1)[0]}"}
    return ids - {""}
