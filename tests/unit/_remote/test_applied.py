# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the interpreters of both families answer, and what is made of answers that are none."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import (
    ABSENT,
    Applied,
    Native,
    Order,
    Step,
    StepResult,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.applied import NO_ANSWER, applied

ORDER = Order("j1", (Step(1, "reload", "smbd"), Step(2, "reload", "nmbd")))


def unix(*steps: tuple[str, str, str], host: tuple[str, str, int] = ("armed no", "", 0)) -> Applied:
    records = [Record("apply.host", "j1", out=host[0], err=host[1], rc=host[2])]
    records += [Record("apply.step", number, out=out, err=err, rc=0) for number, out, err in steps]
    return applied(Collected(records, "0", "sh", "unix"), ORDER)


def windows(*steps: object, host: object = None) -> Applied:
    records = [Record("apply.host", "j1", rc=0, data=host or {"armed": False})]
    records += [Record("apply.step", str(at), rc=0, data=data) for at, data in enumerate(steps, 1)]
    return applied(Collected(records, "S-1-5-18", "5.1", "windows"), ORDER)


def test_unix():
    answer = unix(("2", "refused\nbefore text a b\nafter absent ", "something else"), ("1", "done", ""))
    assert answer.results == (
        StepResult(1, "done"),
        StepResult(2, "refused", Native("text", "a b"), ABSENT, "something else"),
    )
    assert (answer.obstacle, answer.armed) == ("", False)
    assert unix(("1", "planned\nbefore text ", "")).results[0].before == Native("text", "")
    assert unix(host=("armed yes\nfired j0", "", 0)).armed


def test_an_obstacle():
    answer = unix(("1", "skipped", ""), ("2", "skipped", ""), host=("armed no", "another change is going on", 1))
    assert answer.obstacle == "another change is going on"
    assert unix(host=("armed no", "", 1)).obstacle == "it ended with code 1"


@pytest.mark.parametrize(
    "out", ["", "won", "done\nbefore nonsense x", "done\nbefore", "planned\nbefore sha256 x\nbefore"]
)
def test_an_answer_that_cannot_be_read_is_a_failure(out):
    answer = unix(("1", out, ""))
    assert answer.results[0].state == "failed"
    assert "no answer that can be read" in answer.results[0].error
    assert answer.results[1] == StepResult(2, "failed", error=NO_ANSWER)


def test_no_answer_at_all():
    answer = applied(Collected([], "0", "sh", "unix"), ORDER)
    assert {result.state for result in answer.results} == {"failed"}
    assert not answer.armed


def test_windows():
    answer = windows(
        {
            "id": 1,
            "state": "done",
            "before": {"type": "absent", "value": None},
            "after": {"type": "dword", "value": 1},
            "error": "",
        },
        {
            "id": 2,
            "state": "failed",
            "before": {"type": "multi_sz", "value": "one"},
            "after": None,
            "error": "no right",
        },
        host={"armed": True},
    )
    assert answer.armed
    assert answer.results == (
        StepResult(1, "done", ABSENT, Native("dword", 1)),
        StepResult(2, "failed", Native("multi_sz", ["one"]), None, "no right"),
    )


@pytest.mark.parametrize(
    ("data", "native"),
    [
        ({"type": "boolean", "value": True}, Native("boolean", True)),
        ({"type": "qword", "value": 18446744073709551615}, Native("qword", 18446744073709551615)),
        ({"type": "integer", "value": "7"}, Native("integer", 7)),
        ({"type": "list", "value": None}, Native("list", [])),
        ({"type": "multi_sz", "value": ["a", ""]}, Native("multi_sz", ["a", ""])),
        ({"type": "sz", "value": None}, Native("sz", "")),
        ({"type": "text", "value": "None"}, Native("text", "None")),
        ({"type": "binary", "value": "00ff"}, Native("binary", "00ff")),
    ],
)
def test_values_of_windows(data, native):
    result = windows({"state": "planned", "before": data}).results[0]
    assert (result.state, result.before) == ("planned", native)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"state": "planned", "before": {"value": 1}},
        {"state": "planned", "before": {"type": "float", "value": 1}},
        {"state": "planned", "before": {"type": "boolean", "value": "False"}},
        {"state": "planned", "before": {"type": "dword", "value": "x"}},
        {"state": "planned", "before": 7},
        "done",
    ],
)
def test_data_that_cannot_be_read_is_a_failure(data):
    assert windows(data).results[0].state == "failed"
