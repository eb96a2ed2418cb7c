# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How well a Windows is mended: by build, revision and product type, never by its name or a list of updates.

Cumulative updates make one number decide: a revision contains every fix of the smaller ones of its branch. Lists of
installed updates name superseded ones or not, as they like; only their dates are used, and only to convict: an update
that was installed before a fix was published does not contain it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from .._model.fact import Fact, FactSet
from .level import Level, level_of
from .lifecycle import support

Data = Mapping[str, Any]
"""``_data/advisories/windows.json``; tools/advisories.py makes it."""
State = Literal["open", "fixed", "undecided"]

FRESH_DAYS = 45
"""Older data knows nothing of the newest advisories, so it acquits nobody."""
OLD_DAYS = 90
"""No profile takes an update for recent that is older than this."""

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,6})(?:\.(\d{1,9}))?\Z")
_TWO_PRODUCTS = 26100
"""Windows 11 24H2 and Server 2025 share this build; their revisions have gone apart since January 2026."""
_REBOOT = "a reboot is pending: an update may be installed that is not in force yet"


def newest_month(data: Data) -> str:
    """Return the month of the newest release that the data knows: ``2026-10``."""
    return str(data["newest"])[:7]


def read(
    version: str,
    traits: Collection[str],
    os_value: Any,
    updates: Mapping[str, str | None] | None,
    data: Data,
    today: datetime.date,
    pending_reboot: bool | None = None,
) -> FactSet:
    """Return the ``patch.*`` facts of a host.

    Args:
        version: "10.0.20348.2227", or without the revision where the host has none.
        traits: of the Windows implementation; "server-os" and "workstation" tell products of one build apart.
        os_value: value of ``host.os``, for edition and caption.
        updates: installed updates with their ISO dates (None: not told); None when they could not be read.
        data: see Data.
        today: the controller's date.
        pending_reboot: the registry tells the revision that runs; what waits for a reboot is not in it yet.
    """
    facts = FactSet()
    match = _VERSION.match(version)
    key = _branch(int(match[3]), traits) if match else None
    branch = data["branches"].get(key) if key else None
    if match is None or key is None or branch is None:
        reason = _unknown_branch(version, match, key)
        for name in ("supported", "support_ends", "open_cves", "age_days"):
            facts.put(f"patch.{name}", Fact(unreadable=reason))
        return facts
    revision = int(match[4]) if match[4] and not branch["legacy"] else None
    level = level_of(branch, revision, today) if revision is not None else _no_revision(branch)
    cause = _REBOOT if pending_reboot else None
    supported, ends = support(branch, traits, os_value, level, today)
    facts.put("patch.supported", supported)
    facts.put("patch.support_ends", ends)
    if isinstance(level, Level) and revision is not None:
        facts.put("patch.open_cves", _open_cves(key, branch, revision, level, data, today, cause))
        facts.put("patch.age_days", _age((today - level.newest).days, (today - level.oldest).days, data, cause))
    else:
        last = _last_update(updates)
        facts.put("patch.open_cves", _convicted(key, int(match[3]), last, str(level), data, cause))
        facts.put("patch.age_days", _age_of_last(last, str(level), today, cause))
    dated = [number for number, date in branch["releases"] if date]
    if dated:
        facts.put("patch.latest_build", Fact(effective=f"{match[3]}.{dated[-1]}"))
    return facts


def _branch(build: int, traits: Collection[str]) -> str | None:
    """Return the line of revisions that a host follows; None when two products share the build and neither is told."""
    if build != _TWO_PRODUCTS:
        return str(build)
    if "server-os" in traits:
        return f"{build}s"
    return str(build) if "workstation" in traits else None


def _unknown_branch(version: str, match: re.Match[str] | None, key: str | None) -> str:
    if match is None:
        return f"{version!r} is no version of Windows"
    if key is None:
        return f"build {match[3]} is Windows 11 or Server 2025, and which is not known"
    return f"build {match[3]} is not known to this release of Breakwater"


def _no_revision(branch: Mapping[str, Any]) -> str:
    if branch["legacy"]:
        return f"updates of {branch['name']} were not always cumulative, so no number tells which fixes it has"
    return f"the host tells no revision of {branch['name']}"


def _open_cves(
    key: str,
    branch: Mapping[str, Any],
    revision: int,
    level: Level,
    data: Data,
    today: datetime.date,
    cause: str | None,
) -> Fact:
    """Return the open ones, those that are known to be exploited first, then the newest."""
    states = [(cve, _state(cve, key, branch, revision, level)) for cve in data["cves"]]
    found = _sorted(cve for cve, state in states if state == "open")
    if found:
        return Fact(effective=found, cause=cause)
    undecided = _sorted(cve for cve, state in states if state == "undecided")
    if undecided:
        shown = ", ".join(undecided[:5]) + (" and others" if len(undecided) > 5 else "")
        return Fact(unreadable=f"whether {shown} is fixed in revision {revision} is not known")
    until = max(level.oldest, datetime.date.fromisoformat(data["newest"]))
    if (today - until).days > FRESH_DAYS:
        return Fact(unreadable=f"nothing known is open, but what came after {until} is not known to this release")
    return Fact(effective=[])


def _state(cve: Data, key: str, branch: Mapping[str, Any], revision: int, level: Level) -> State:
    """Return what a revision is to one CVE; a build that the advisory does not list is not affected."""
    published = datetime.date.fromisoformat(cve["published"])
    contained = level.oldest >= published
    if key not in cve["fixed"]:
        return "undecided" if cve.get("partial") and not contained else "fixed"
    fixed = cve["fixed"][key]
    if fixed is None:
        return "fixed" if contained else "open" if level.newest < published else "undecided"
    if revision >= fixed:
        return "fixed"
    if any(known == revision for known, _date in branch["hotpatches"]):
        if revision >= cve.get("hotpatch", {}).get(key, fixed):
            return "fixed"
        return "undecided" if contained else "open"
    if not level.known and branch["hotpatched"] and level.following is not None and fixed <= level.following:
        return "undecided"  # it may be the update without a reboot of the very month that brought the fix
    return "open"


def _sorted(cves: Iterator[Data]) -> list[str]:
    ordered = sorted(cves, key=lambda cve: (cve["published"], cve["id"]), reverse=True)
    return [cve["id"] for cve in sorted(ordered, key=lambda cve: "exploited" not in cve)]


def _age(low: int, high: int, data: Data, cause: str | None) -> Fact:
    """Return the age of the newest security release that is installed; the two are its bounds.

    While the data is fresh the upper one is near enough: no profile can ask for much less than the time between two.
    """
    if high < 0:
        return Fact(unreadable="the installed update is newer than today: a clock is wrong")
    if low == high or high <= FRESH_DAYS:
        return Fact(effective=high, cause=cause)
    if low > OLD_DAYS:
        return Fact(effective=low, cause=cause)
    return Fact(
        unreadable=f"this revision is not in the data of {newest_month(data)}: its update is {max(low, 0)} days old or more, at most {high}"
    )


def _last_update(updates: Mapping[str, str | None] | None) -> datetime.date | None:
    """Return the day of the last installation; None when that is not certain."""
    dates = []
    for text in (updates or {}).values():
        try:
            dates.append(datetime.date.fromisoformat(text or ""))
        except (TypeError, ValueError):
            return None
    return max(dates, default=None)


def _convicted(key: str, build: int, last: datetime.date | None, reason: str, data: Data, cause: str | None) -> Fact:
    """Return the CVEs that were published after the last installation, so that no installed update fixes them."""
    if last is not None:
        found = _sorted(
            cve
            for cve in data["cves"]
            if (key in cve["fixed"] or build in cve["legacy"]) and datetime.date.fromisoformat(cve["published"]) > last
        )
        if found:
            return Fact(effective=found, cause=cause)
    return Fact(unreadable=reason)


def _age_of_last(last: datetime.date | None, reason: str, today: datetime.date, cause: str | None) -> Fact:
    """An update is at least as old as its installation; how much older is not told."""
    days = (today - last).days if last is not None else 0
    return Fact(effective=days, cause=cause) if days > OLD_DAYS else Fact(unreadable=reason)
