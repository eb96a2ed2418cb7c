# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The progress callback, away from a terminal."""

from __future__ import annotations

import types

from ansible_collections.breakwater.smb.plugins.callback import progress


def test_a_count_is_told_once_however_long_a_host_takes(monkeypatch):
    told: list[str] = []
    callback = progress.CallbackModule()
    monkeypatch.setattr(callback, "_display", types.SimpleNamespace(display=told.append))
    callback._live, callback._counting, callback._verb, callback._total = False, True, "remediated", 2
    callback._printed -= progress.PERIOD + 1
    callback._count(False)
    callback._count(True)
    callback._finish()
    assert [line.partition(",")[0] for line in told] == ["1 of 2 hosts remediated", "2 of 2 hosts remediated"]
    told.clear()
    callback._counting, callback._done, callback._told = True, 0, 0
    callback._printed -= progress.PERIOD + 1
    callback._count(False)
    callback._finish()
    assert len(told) == 1
