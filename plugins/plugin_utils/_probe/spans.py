# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of numbers as sorted ranges: a network of sixteen million addresses is one pair."""

from __future__ import annotations

import bisect

Span = tuple[int, int]
"""First and last number, both in it."""


class Spans:
    """A set that grows; the ranges in it are sorted and do not touch."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def missing(self, first: int, last: int) -> list[Span]:
        """Return the parts of a range that are not in the set, in order."""
        left = []
        at = bisect.bisect_left(self._lasts, first)
        while at < len(self._firsts) and self._firsts[at] <= last:
            if self._firsts[at] > first:
                left.append((first, self._firsts[at] - 1))
            first = self._lasts[at] + 1
            at += 1
        if first <= last:
            left.append((first, last))
        return left

    def add(self, first: int, last: int) -> None:
        """Put a range in; what it overlaps or touches becomes one with it."""
        begin = bisect.bisect_left(self._lasts, first - 1)
        end = bisect.bisect_right(self._firsts, last + 1)
        if begin < end:
            first, last = min(first, self._firsts[begin]), max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]
