# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.window import DAYS, contains

UTC = datetime.timezone.utc


def at(text):
    """Return a moment: Monday is 2026-11-23."""
    day, _blank, clock = text.partition(" ")
    return datetime.datetime.fromisoformat(f"2026-11-{23 + DAYS.index(day)}T{clock}:00+00:00")


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        ("22:00-04:00", "mon 21:59", False),
        ("22:00-04:00", "mon 22:00", True),
        ("22:00-04:00", "tue 03:59", True),
        ("22:00-04:00", "tue 04:00", False),
        ("sat,sun 01:00-05:00", "sat 01:00", True),
        ("sat,sun 01:00-05:00", "mon 01:00", False),
        ("SAT, Sun  01:00 - 05:00", "sun 04:59", True),
        ("sun 22:00-04:00", "mon 03:00", True),  # it started on Sunday
        ("mon 22:00-04:00", "mon 03:00", False),
        ("fri-mon 10:00-11:00", "sun 10:30", True),
        ("fri-mon 10:00-11:00", "tue 10:30", False),
        ("00:00-24:00", "wed 23:59", True),
        ("wed 12:00-24:00", "thu 00:00", False),
        ("mon 01:00-02:00; fri 03:00-04:00;", "fri 03:30", True),
        ("mon 01:00-02:00; fri 03:00-04:00", "fri 01:30", False),
        ("", "wed 12:00", True),
    ],
)
def test_windows(window, moment, inside):
    assert contains(window, at(moment)) is inside


def test_a_window_is_in_utc():
    zone = datetime.timezone(datetime.timedelta(hours=9))
    assert contains("22:00-23:00", datetime.datetime(2026, 11, 26, 7, 30, tzinfo=zone))
    assert not contains("07:00-08:00", datetime.datetime(2026, 11, 26, 7, 30, tzinfo=zone))


@pytest.mark.parametrize(
    "window", ["always", "22:00", "22-04", "25:00-26:00", "22:60-23:00", "24:00-01:00", "05:00-05:00", "xmas 01:00-02:00",
               "mon- 01:00-02:00", "mon-xmas 01:00-02:00", ";", "mon\x00 01:00-02:00", "22:00-04:00 22:00-04:00"],
)  # fmt: skip
def test_a_bad_window_is_one_clear_sentence(window):
    with pytest.raises(ValueError, match="is not a window such as '22:00-04:00'") as caught:
        contains(window, at("mon 12:00"))
    assert "\n" not in str(caught.value)


CLOCKS = st.times().map(lambda time: f"{time.hour:02}:{time.minute:02}")


@hypothesis.settings(deadline=None)
@given(CLOCKS, CLOCKS, st.datetimes(timezones=st.just(UTC)))
def test_a_span_and_its_complement_share_no_moment_and_miss_none(start, end, now):
    if start != end:
        assert contains(f"{start}-{end}", now) is not contains(f"{end}-{start}", now)


@hypothesis.settings(deadline=None)
@given(st.text(max_size=30), st.datetimes(timezones=st.just(UTC)))
def test_any_text_is_a_window_or_a_sentence(text, now):
    try:
        assert contains(text, now) in (True, False)
    except ValueError as error:
        assert "is not a window" in str(error)
