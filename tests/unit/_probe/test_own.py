# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit events that our own probes caused, and those that look like it."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.own import NEAR, ours
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.probes import Attempt

SINCE = "2026-11-30T00:00:00Z"
NOON = datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.timezone.utc)
VANTAGE, HOST = "10.0.0.9", "10.0.0.1"


def attempt(seconds=0, source=VANTAGE, address=HOST):
    return Attempt(NOON + datetime.timedelta(seconds=seconds), source, 50000, address, "NAS01", "jump01")


TWICE = [attempt(), attempt(1)]


def test_what_we_sent_is_ours():
    assert ours(TWICE, [HOST], VANTAGE, "2026-12-01T12:00:01Z", 2, SINCE)
    assert not ours(TWICE, [HOST], VANTAGE, "2026-12-01T12:00:01Z", 1, SINCE)  # some were not counted: who knows which
    assert ours(TWICE, ["fd00::1", "::ffff:10.0.0.1"], "::ffff:10.0.0.9", "2026-12-01T13:03:00+01:00", 2, SINCE)
    assert ours(
        [attempt(source="fd00::9", address="fd00::1")], ["FD00:0::1"], "[fd00::9]", "2026-12-01T12:00:00", 1, SINCE
    )


def test_a_host_may_be_known_by_the_name_that_it_was_asked_by():
    assert ours(TWICE, ["nas01"], VANTAGE, "2026-12-01T12:00:01Z", 2, SINCE)
    assert not ours(TWICE, ["nas02"], VANTAGE, "2026-12-01T12:00:01Z", 2, SINCE)


@pytest.mark.parametrize(
    ("host", "client", "last", "count"),
    [
        ([HOST], VANTAGE, "2026-12-01T12:00:01Z", 3),  # somebody there uses SMB1 too
        ([HOST], VANTAGE, "2026-12-01T12:00:01Z", 0),
        ([HOST], VANTAGE, "2026-12-02T12:00:01Z", 2),  # and again the day after
        ([HOST], VANTAGE, "2026-12-01T11:54:00Z", 2),
        ([HOST], "10.0.0.8", "2026-12-01T12:00:01Z", 2),
        (["10.0.0.2"], VANTAGE, "2026-12-01T12:00:01Z", 2),
        ([HOST], VANTAGE, "", 2),
        ([HOST], VANTAGE, "yesterday", 2),
        ([], VANTAGE, "2026-12-01T12:00:01Z", 2),
    ],
)
def test_what_somebody_else_may_have_done_counts_as_use(host, client, last, count):
    assert not ours(TWICE, host, client, last, count, SINCE)
    assert not ours([], host, client, last, count, SINCE)


def test_clocks_may_be_a_little_apart():
    last = (NOON + NEAR).isoformat()
    assert ours([attempt()], [HOST], VANTAGE, last, 1, SINCE)
    assert not ours([attempt(-1)], [HOST], VANTAGE, last, 1, SINCE)


def test_only_what_was_sent_since_the_log_begins_counts():
    """Old probes are no excuse for somebody's use of today."""
    old = [attempt(-300 * 86400 + number) for number in range(9)]
    assert not ours([*old, attempt()], [HOST], VANTAGE, "2026-12-01T12:00:00Z", 5, SINCE)
    assert ours([*old, attempt()], [HOST], VANTAGE, "2026-12-01T12:00:00Z", 1, SINCE)
    assert not ours([attempt()], [HOST], VANTAGE, "2026-12-01T12:00:00Z", 1, "")
