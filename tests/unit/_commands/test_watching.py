# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Since when auditing is known to be on, by what earlier runs saw."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.watching import seen
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import HostRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Seen
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir

TODAY = datetime.date(2026, 11, 25)
SMB1 = "windows.server_audit_smb1"


@pytest.fixture
def ran(tmp_path):
    def make(day, value, host="a"):
        directory = tmp_path / f"202611{day:02}T100000Z-aaaa"
        (directory / "hosts").mkdir(parents=True, exist_ok=True)
        record = HostRecord(host=host, address="", connection="winrm", collected=f"2026-11-{day:02}T10:00:01Z")
        if value is not None:
            record.facts.put("host.os", Fact(effective={"family": "windows"}))
            record.facts.put(SMB1, value if isinstance(value, Fact) else Fact(configured=value))
        rundir.write_host(directory, record)
        return directory

    return make


def test_nobody_has_looked(tmp_path):
    assert seen(tmp_path / "none", "a", TODAY, 14) == {}
    assert seen(tmp_path, "a", TODAY, 14) == {}


def test_on_counts_from_the_first_look_after_the_last_that_found_it_off(tmp_path, ran):
    for day, value in ((10, True), (11, False), (12, True), (20, True)):
        ran(day, value)
    ran(13, False, host="b")
    assert seen(tmp_path, "a", TODAY, 30)[SMB1] == Seen(datetime.date(2026, 11, 12), datetime.date(2026, 11, 11))


def test_unread_is_off_and_a_lost_host_says_nothing(tmp_path, ran):
    ran(10, True)
    ran(11, Fact(unreadable="access denied"))
    ran(12, True)
    ran(13, None)
    damaged = ran(14, True)
    (damaged / "hosts" / "a.json").write_text("{", encoding="utf-8")
    assert seen(tmp_path, "a", TODAY, 30)[SMB1] == Seen(datetime.date(2026, 11, 12), datetime.date(2026, 11, 11))


def test_no_older_run_is_read_than_matters(tmp_path, ran):
    for day in (5, 10, 20):
        ran(day, True)
    assert seen(tmp_path, "a", TODAY, 14)[SMB1] == Seen(datetime.date(2026, 11, 10))
