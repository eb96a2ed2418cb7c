# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The import paths of the collection, of ``tests.lab`` and of the demo, and the list of what was skipped and why."""

from __future__ import annotations

import os
import pathlib
import sys
from collections import Counter
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / ".build" / "collections"
LINK = COLLECTIONS / "ansible_collections" / "breakwater" / "smb"

LINK.parent.mkdir(parents=True, exist_ok=True)
if not LINK.exists():
    LINK.symlink_to("../../../..")
for path in (str(ROOT), str(ROOT / "demo"), str(COLLECTIONS)):
    if path not in sys.path:
        sys.path.insert(0, path)
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)
# For the tools that tests start as processes of their own.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(COLLECTIONS), os.environ.get("PYTHONPATH", "")]))

NO_SKIP = os.environ.get("BREAKWATER_NO_SKIP") == "1"


ONCE = (
    "tests/unit/lab/",
    "tests/unit/_smb/",
    "tests/integration/probe/",
    "tests/unit/powershell/",
    "tests/unit/windows/test_expected.py",
    "tests/unit/windows/test_apply",
    "tests/unit/_remote/test_apply.py",
    "tests/integration/test_apply_",
    "tests/integration/test_remediate_faults.py",
    "tests/integration/test_smbconf_",
)
"""Tests that a shell, PowerShell, Samba, a socket or a signal decides and ansible-core has no part in; see the marker in pyproject.toml."""


ALONE = (
    "tests/integration/test_demo.py",
    "tests/integration/test_fleet.py",
    "tests/integration/test_fleet_lifecycle.py",
    "tests/integration/test_remediate.py",
    "tests/integration/test_remediate_confirm.py",
    "tests/integration/test_remediate_faults.py",
    "tests/integration/test_remediate_guards.py",
    "tests/integration/test_remediate_mounts.py",
    "tests/integration/test_three_truths.py",
    "tests/integration/test_wire_after.py",
)
"""Tests that look at what fleets leave on the machine: one after the other, wherever the suite runs in parallel."""


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Mark what one run on any ansible-core settles for all, and keep files (and those that are alone) together."""
    for item in items:
        place = item.path.relative_to(ROOT).as_posix()
        if place.startswith(ONCE):
            item.add_marker(pytest.mark.once)
        item.add_marker(pytest.mark.xdist_group("fleet" if place in ALONE else place))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    """Where everything was installed, a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although BREAKWATER_NO_SKIP=1: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: Any) -> Any:
    """The same for a file that skips itself as a whole."""
    outcome = yield
    report = outcome.get_result()
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped although BREAKWATER_NO_SKIP=1: {report.longrepr}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in plain words what was not tested."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(
        str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr) for report in skipped
    )
    terminalreporter.write_line("")
    if not reasons:
        terminalreporter.write_line("Nothing was skipped.")
    for reason, number in reasons.most_common():
        terminalreporter.write_line(f"Not tested here ({number}): {reason.removeprefix('Skipped: ')}")
