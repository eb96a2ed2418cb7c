# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance windows: ``22:00-04:00``, ``sat,sun 01:00-05:00``, ``mon-fri 22:00-24:00; sun 00:00-06:00``. UTC."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(?:(?P<days>\S+(?:\s*,\s*\S+)*)\s+)?(?P<start>\d\d:\d\d)\s*-\s*(?P<end>\d\d:\d\d)\Z")
_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class _Span:
    """Minutes of the days on which it starts; an end that is not later than the start is on the day after."""

    days: frozenset[int]
    start: int
    end: int

    def contains(self, day: int, minute: int) -> bool:
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        yesterday = (day - 1) % 7
        return (day in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


def contains(window: str, now: datetime.datetime) -> bool:
    """Return whether a moment is inside a window; nothing written means at any time.

    Args:
        window: spans joined by ";". The days of a span that goes past midnight are those on which it starts.
        now: aware, or UTC.

    Raises:
        ValueError: the text is no window; one sentence that says why.
    """
    if not window.strip():
        return True
    moment = now if now.tzinfo is None else now.astimezone(datetime.timezone.utc)
    spans = [_span(part.strip(), window) for part in window.split(";") if part.strip()]
    if not spans:
        raise _refused(window, "it holds no span of time")
    return any(span.contains(moment.weekday(), moment.hour * 60 + moment.minute) for span in spans)


def _span(text: str, window: str) -> _Span:
    match = _SPAN.match(text.lower())
    if match is None:
        raise _refused(window, f"{text!r} is no span of time")
    start, end = _minute(match["start"], window), _minute(match["end"], window)
    if start in (_MINUTES, end):
        raise _refused(window, f"{text!r} is empty; the whole day is 00:00-24:00")
    return _Span(_days(match["days"], window), start, end)


def _minute(text: str, window: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if minute > 59 or hour * 60 + minute > _MINUTES:
        raise _refused(window, f"there is no {text}")
    return hour * 60 + minute


def _days(text: str | None, window: str) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in re.split(r"\s*,\s*", text):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise _refused(window, f"{part!r} is no day of {', '.join(DAYS)}")
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        found |= {(begin + step) % 7 for step in range(length + 1)}
    return frozenset(found)


def _refused(window: str, why: str) -> ValueError:
    return ValueError(f"{window!r} is not a window such as '22:00-04:00' or 'sat,sun 01:00-05:00': {why}")
