# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What remembering a fleet costs: runs of many hosts, of which few change.

PYTHONPATH=.build/collections .venv/bin/python bench/history.py --hosts 10000 --runs 3
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import DataVersions, Run, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.drift import compare
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.history import History, open_history

FACTS = 60
CONTROLS = 55


def state(host: int, changes: int) -> dict[str, Any]:
    """Return a state of the size that a Samba server has; ``changes`` is how often it changed."""
    facts: dict[str, Any] = {
        f"samba.setting_{number}": {"": {"configured": f"value {host} {number}"}} for number in range(FACTS)
    }
    facts["samba.share"] = {
        f"share{number}": {"configured": {"path": f"/srv/{number}"}} for number in range(changes + 3)
    }
    return {"facts": facts, "verdicts": {f"control-{n}": {"": "pass"} for n in range(CONTROLS)}, "read": True}


def close(history: History, number: int, hosts: int) -> int:
    """Record a run as closing it does, comparing every host with the baseline; return the number of changes."""
    names = tuple(f"host{index:05d}" for index in range(hosts))
    stamp = f"2026-11-24T00:{number:02d}:00Z"
    run_id = f"20261124T00{number:02d}00Z-aaaa"
    run = Run(run_id, stamp, "audit", "t", "a", "recommended", Scope("", names), DataVersions("x"), "compliant", stamp)
    baseline = history.baseline(run)
    changes = 0

    def states() -> Iterator[tuple[str, dict[str, Any]]]:
        nonlocal changes
        for index, name in enumerate(names):
            now = state(index, number if index % 500 == 0 else 0)
            known = None if baseline is None else history.state(name, baseline)
            changes += len(compare(name, known.state, now)) if known is not None else 0
            yield name, now

    history.record(run, states())
    return changes


def main() -> None:
    """Print seconds and bytes per run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "history.db"
        with open_history(f"sqlite:///{path}") as history:
            for number in range(options.runs):
                began = time.perf_counter()
                changes = close(history, number, options.hosts)
                seconds = time.perf_counter() - began
                history.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                size = path.stat().st_size
                print(
                    f"run {number + 1}: {options.hosts} hosts, {changes} changes, {seconds:.2f} s, {size / 1e6:.1f} MB"
                )


if __name__ == "__main__":
    main()
