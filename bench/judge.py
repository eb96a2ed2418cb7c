# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print how long it takes to load the compiled controls and profiles, and to judge a Samba host with 30 shares.

    PYTHONPATH=.build/collections python bench/judge.py [--check]

Medians of processor time in milliseconds (so that a busy machine does not count), beside their budgets; with ``--check`` an exceeded one is exit code 1.
"""

from __future__ import annotations

import datetime
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import profiles
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin

LOAD_BUDGET, JUDGE_BUDGET = 10.0, 15.0
SHARES, ROUNDS = 30, 30
_TODAY = datetime.date(2026, 11, 24)


def host() -> FactSet:
    """Return the facts of a host on defaults: every parameter globally, and the common ones on every share."""
    facts = FactSet()
    facts.put("host.os", Fact(configured={"id": "debian", "id_like": [], "version": "12"}))
    origin = Origin("default")
    for setting in catalogue.settings("samba").values():
        value = setting.defaults[-1].value if setting.defaults else ""
        facts.put(setting.id, Fact(configured=value, origin=origin))
    for number in range(SHARES):
        name = f"share{number:02}"
        facts.put("samba.share", Fact(configured={"path": f"/srv/{name}", "kind": "disk"}), name)
        for fact_id, value in (("samba.guest_ok", number % 2 == 0), ("samba.read_only", False), ("samba.path", "/srv")):
            facts.put(fact_id, Fact(configured=value, origin=Origin("local", "/etc/samba/smb.conf:12")), name)
    return facts


def median(work: Callable[[], Any]) -> float:
    """Return the median processor time of ``work`` in milliseconds."""
    times = []
    for _round in range(ROUNDS):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def load() -> None:
    """Load the compiled controls as a fresh process does."""
    catalogue.controls.cache_clear()
    catalogue.controls()


def load_profiles() -> None:
    """Load the compiled benchmark profiles as a fresh process does."""
    catalogue.profiles.cache_clear()
    catalogue.profiles()


def main() -> int:
    """Measure and print."""
    controls, settings, facts = catalogue.controls(), catalogue.settings("samba"), host()
    server = [Implementation("samba", "4.17.12", "server", True, ("standalone",))]
    results = [
        ("load the controls", median(load), LOAD_BUDGET),
        (f"load the benchmark profiles ({len(catalogue.profiles())})", median(load_profiles), LOAD_BUDGET),
    ]
    for name in ("recommended", "strict"):
        selected = profiles.select(profiles.load(name, {}, controls), controls)

        def judge(selected: list[profiles.Selection] = selected) -> Any:
            return assess(facts, server, controls, settings, selected, today=_TODAY)

        words = f"judge {len(selected)} controls ({name}), {SHARES} shares, {len(judge())} findings"
        results.append((words, median(judge), JUDGE_BUDGET))

    def load_settings() -> None:
        catalogue.settings.cache_clear()
        catalogue.settings("samba")

    for words, milliseconds, budget in results:
        print(f"{words:<65} {milliseconds:7.2f} ms   budget {budget:.0f} ms")
    print(f"{f'load the settings of Samba ({len(settings)})':<65} {median(load_settings):7.2f} ms")
    return int("--check" in sys.argv[1:] and any(took > budget for _words, took, budget in results))


if __name__ == "__main__":
    sys.exit(main())
