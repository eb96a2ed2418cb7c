# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What probes heard, line by line: kept when the probe is broken off, and read again."""

from __future__ import annotations

import datetime
import json
import pathlib
import stat

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import StoreError
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import probes


def told(target, *attempts):
    return {"target": target, "address": target, "smb1_attempts": list(attempts), "ports": {}}


def sent(time, source="10.0.0.9", port=50000):
    return {"time": time, "source": source, "port": port}


def run_of(results, name):
    directory = results / name
    directory.mkdir(parents=True)
    return directory


def test_lines_are_added_and_read_again(tmp_path):
    with probes.Log(tmp_path, "jump01", {"started": "now"}) as log:
        log.answer(told("10.0.0.1"))
        log.answer(told("10.0.0.2"))
        log.end({"ended": "later", "states": {"open": 2}})
    with probes.Log(tmp_path, "a/../b:c", {}) as log:
        log.answer(told("10.0.0.3"))
    assert [(vantage, answer["target"]) for vantage, answer in probes.answers(tmp_path)] == [
        ("a/../b:c", "10.0.0.3"),
        ("jump01", "10.0.0.1"),
        ("jump01", "10.0.0.2"),
    ]
    assert probes.ended(tmp_path) == {"jump01": {"ended": "later", "states": {"open": 2}}, "a/../b:c": None}
    assert {path.name for path in (tmp_path / "probe").iterdir()} == {"jump01.jsonl", "a%2F..%2Fb%3Ac.jsonl"}


def test_a_second_probe_from_the_same_host_is_added(tmp_path):
    for number in range(2):
        with probes.Log(tmp_path, "jump01", {}) as log:
            log.answer(told(f"10.0.0.{number}"))
            if number == 0:
                log.end({"ended": "now"})
    assert len(list(probes.answers(tmp_path))) == 2
    assert probes.ended(tmp_path) == {"jump01": None}


def test_others_cannot_read_it_and_a_link_is_not_followed(tmp_path):
    with probes.Log(tmp_path, "jump01", {}) as log:
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700
    (tmp_path / "probe" / "jump02.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="Cannot write the results"):
        probes.Log(tmp_path, "jump02", {})
    assert not (tmp_path / "elsewhere").exists()


def test_a_task_that_is_killed_loses_no_more_than_a_second(tmp_path, monkeypatch):
    times = iter([0.0, 0.5, 1.1, 1.2, 1.3])
    monkeypatch.setattr(probes.time, "monotonic", lambda: next(times))
    log = probes.Log(tmp_path, "jump01", {})
    log.answer(told("10.0.0.1"))
    assert log.path.read_text(encoding="utf-8") == ""
    log.answer(told("10.0.0.2"))
    assert len(log.path.read_text(encoding="utf-8").splitlines()) == 3
    log.__exit__(None, None, None)


def test_what_is_cut_off_is_passed_over(tmp_path):
    with probes.Log(tmp_path, "jump01", {}) as log:
        log.answer(told("10.0.0.1"))
    path = tmp_path / "probe" / "jump01.jsonl"
    with path.open("a", encoding="utf-8") as stream:
        stream.write('[1]\n"x"\n{"target": "10.0.0.2", "addr')
    assert [answer["target"] for _vantage, answer in probes.answers(tmp_path)] == ["10.0.0.1"]


def test_text_that_is_no_unicode_is_kept_as_text(tmp_path):
    with probes.Log(tmp_path, "jump01", {}) as log:
        log.answer({**told("10.0.0.1"), "reason": "odd \udcff\x1b[2J\n"})
    lines = (tmp_path / "probe" / "jump01.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert "\x1b" not in lines[1]


def test_a_full_disk_is_one_sentence(tmp_path):
    full = pathlib.Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    log = probes.Log(tmp_path, "jump01", {})
    log._stream.close()
    log._stream = full.open("w", encoding="utf-8")
    with pytest.raises(StoreError, match="No space left on device"):
        log.end({"ended": "now"})
    with pytest.raises(StoreError, match="No space left on device"), log:
        pass


def test_attempts_are_found_over_runs_and_days(tmp_path):
    for name, time in (
        ("20261101T000000Z-aaaa", "2026-11-01T00:00:00.000Z"),
        ("20261130T000000Z-bbbb", "2026-11-30T00:00:00.500Z"),
        ("20261201T000000Z-cccc", "2026-12-01T00:00:00.000Z"),
    ):
        with probes.Log(run_of(tmp_path, name), "jump01", {}) as log:
            log.answer(told("10.0.0.1", sent(time), sent(time, port=50001)))
            log.answer(told("10.0.0.2"))
            log.answer(told("10.0.0.3", {"time": "x"}, {}, {"time": time, "source": "10.0.0.9", "port": "no"}))
    found = probes.attempts_since(tmp_path, datetime.date(2026, 11, 30))
    assert len(found) == 4
    assert found[-1] == probes.Attempt(
        datetime.datetime(2026, 11, 30, 0, 0, 0, 500000, tzinfo=datetime.timezone.utc),
        "10.0.0.9",
        50001,
        "10.0.0.1",
        "10.0.0.1",
        "jump01",
    )
    assert not probes.attempts_since(tmp_path / "nothing", datetime.date(2026, 11, 30))
    assert json.dumps(str(found))  # plain values
