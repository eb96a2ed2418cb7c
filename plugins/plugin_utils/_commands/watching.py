# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Since when auditing is known to be on: a log that holds no event does not tell, but earlier runs looked at the switch."""

from __future__ import annotations

import datetime
import pathlib

from .._model.errors import StoreError
from .._plan.evidence import AUDITS, OFF
from .._plan.situation import Seen
from .._store import rundir


def seen(results: pathlib.Path, host: str, today: datetime.date, days: int) -> dict[str, Seen]:
    """Return what the runs of a results directory saw of a host's auditing, by the setting that switches it on.

    Args:
        results: where the runs are.
        host: inventory name.
        today, days: runs are looked through, the newest first, until one is older than that; then no older one matters.
    """
    on: dict[str, datetime.date] = {}
    off: dict[str, datetime.date] = {}
    for directory in rundir.newest_first(results):
        try:
            record = rundir.read_host(directory, host)
            day = datetime.date.fromisoformat(record.collected[:10])
        except (StoreError, ValueError):
            continue  # it was not looked at in that run
        if not record.facts.by_id:
            continue
        for name in AUDITS:
            if name in off:
                continue
            if record.facts.in_force(name) in OFF:
                off[name] = day
            else:
                on[name] = day
        if len(off) == len(AUDITS) or (today - day).days > days:
            break
    return {name: Seen(on.get(name), off.get(name)) for name in AUDITS if name in on or name in off}
