# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times on the wire: FILETIME, 100 nanoseconds since 1601-01-01 UTC ([MS-DTYP] 2.3.3), and the DOS form before it."""

from __future__ import annotations

import datetime

TICKS = 10_000_000
"""FILETIME's units in a second."""

UNIX_EPOCH = 11_644_473_600 * TICKS
"""1970-01-01 as FILETIME."""

_LAST = UNIX_EPOCH + 253_402_300_800 * TICKS  # the year 10000, which datetime cannot hold


def unix(filetime: int) -> float | None:
    """Return seconds since 1970, or None: 0 means "not told", and what is past the year 9999 no clock shows."""
    return (filetime - UNIX_EPOCH) / TICKS if 0 < filetime < _LAST else None


def from_unix(seconds: float) -> int:
    """Return a FILETIME for seconds since 1970."""
    return int(seconds * TICKS) + UNIX_EPOCH


def iso(filetime: int) -> str:
    """Return "2026-11-22T06:49:08.123Z", or "" where ``unix`` has None."""
    if not 0 < filetime < _LAST:
        return ""
    moment = datetime.datetime(1601, 1, 1) + datetime.timedelta(microseconds=filetime // 10)
    return moment.isoformat(timespec="milliseconds") + "Z"


def from_dos(date: int, time: int, zone: int) -> int:
    """Return a FILETIME for a DOS date and time ([MS-CIFS] 2.2.1.4.1, .2), local to ``zone`` minutes west of UTC.

    0 where the fields make no date.
    """
    try:
        moment = datetime.datetime(
            1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2
        )
    except ValueError:
        return 0
    seconds = (moment - datetime.datetime(1970, 1, 1)).total_seconds()
    return from_unix(seconds + zone * 60)
