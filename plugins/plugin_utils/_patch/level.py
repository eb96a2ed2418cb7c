# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a revision of Windows contains, as far as the data tells: between which two security releases it stands."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_GAP_DAYS = 35
"""Security releases come on second Tuesdays: 28 or 35 days apart."""


@dataclass(frozen=True, slots=True)
class Level:
    """The content of an installed update, by the dates of security releases.

    Attributes:
        oldest: it certainly contains the release of that day, and all before it.
        newest: it certainly contains none after that day.
        following: revision of the next security release that is known; None: there is none.
        known: the data has this very revision.
    """

    oldest: datetime.date
    newest: datetime.date
    following: int | None = None
    known: bool = True


def level_of(branch: Mapping[str, Any], revision: int, today: datetime.date) -> Level:
    """Return the level of a revision.

    A revision between two known security releases is a preview or an update out of turn of the first, or, where
    updates without a reboot exist, perhaps the second one in that form; or that of a release that the data lacks.
    """
    for known, date in branch["hotpatches"]:
        if known == revision:
            return Level(_date(date), _date(date), _following(branch, revision))
    dated = [(known, _date(date)) for known, date in branch["releases"] if date]
    before = [item for item in dated if item[0] <= revision]
    after = [item for item in dated if item[0] > revision]
    following = after[0][0] if after else None
    if not before:
        return Level(datetime.date.min, after[0][1] if after else today, following, known=False)
    oldest = before[-1][1]
    if any(known == revision for known, _when in branch["releases"]):
        return Level(oldest, oldest, following)
    if not after:
        return Level(oldest, max(oldest, today), known=False)
    hole = (after[0][1] - oldest).days > LONGEST_GAP_DAYS
    if branch["hotpatched"] or hole:
        return Level(oldest, after[0][1], following, known=False)
    return Level(oldest, oldest, following)


def _following(branch: Mapping[str, Any], revision: int) -> int | None:
    return next((known for known, date in branch["releases"] if date and known > revision), None)


def _date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
