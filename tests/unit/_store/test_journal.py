# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import StoreError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import DataVersions, Run, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Change, Native, Step, StepResult, Twin
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import journal, rundir

STEPS = (
    Step(1, "file", "/etc/samba/smb.conf", "", Native("sha256", "aa"), Native("sha256", "bb"), "secret = text\n"),
    Step(
        2,
        "server_property",
        "",
        "EnableSMB1Protocol",
        Native("boolean", True),
        Native("boolean", False),
        twin=Twin("SYSTEM\\X", "SMB1"),
    ),
    Step(3, "registry", "SOFTWARE\\X", "y", Native("absent"), Native("multi_sz", ["a", "\udcff"]), risky=True),
    Step(4, "reload", "smbd"),
)
CHANGES = (Change("c1", "x", 1, 2, step=1), Change("c2", "y", 1, 2, step=1), Change("c3", "z", 1, 2, step=3))


@pytest.fixture
def directory(tmp_path):
    run = Run("20261124T000000Z-aaaa", "t", "remediate", "t", "2.19", "p", Scope("", ("a",)), DataVersions("x"))
    return rundir.create(tmp_path / "results", run)


def test_a_line_per_step_without_the_text_of_files(directory):
    entries = journal.planned(STEPS, CHANGES, "2026-11-25T00:00:00Z")
    path = journal.write(directory, "../a b", entries)
    assert path == directory / "journal" / "..%2Fa%20b.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    text = path.read_text(encoding="ascii")
    assert len(text.splitlines()) == len(STEPS)
    assert "secret" not in text
    back = journal.read(directory, "../a b")
    assert back == entries
    assert [entry.control for entry in back] == ["c1", "", "c3", ""]
    assert back[2].step.after.value == ["a", "\udcff"]
    assert {entry.state for entry in back} == {"planned"}
    assert journal.exists(directory, "../a b")
    assert not journal.exists(directory, "b")


def test_it_is_settled_with_what_is_known(directory):
    entries = journal.planned(STEPS, CHANGES, "before")
    results = [StepResult(1, "done"), StepResult(2, "failed", error="no"), StepResult(3, "skipped")]
    settled = journal.settled(entries, results, "after")
    assert [(entry.state, entry.time, entry.error) for entry in settled] == [
        ("done", "after", ""),
        ("failed", "after", "no"),
        ("skipped", "after", ""),
        ("planned", "before", ""),
    ]
    journal.write(directory, "a", entries)
    journal.write(directory, "a", settled)
    assert journal.read(directory, "a") == settled


@pytest.mark.parametrize("text", ["{", "[]", '{"step": 1}', "\xe4"])
def test_a_damaged_line_is_named(directory, text):
    path = journal.write(directory, "a", journal.planned(STEPS, CHANGES, "t"))
    path.write_bytes(path.read_bytes() + text.encode("latin-1"))
    with pytest.raises(StoreError, match=r"Cannot read the journal .*jsonl"):
        journal.read(directory, "a")


def test_a_missing_one_is_a_sentence(directory):
    with pytest.raises(StoreError, match="Cannot read the journal"):
        journal.read(directory, "a")


def test_one_that_cannot_be_written_is_a_sentence(directory):
    (directory / "journal").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="Cannot write the results"):
        journal.write(directory, "a", journal.planned(STEPS, CHANGES, "t"))


def test_failures_are_remembered_without_reading_records(directory):
    assert not rundir.failures(directory)
    rundir.note_failure(directory, "a")
    rundir.note_failure(directory, "../b")
    assert rundir.failures(directory)
    assert (directory / rundir.FAILURES).read_text(encoding="utf-8") == "a\n..%2Fb\n"
    assert (directory / rundir.FAILURES).stat().st_mode & 0o077 == 0


def test_the_form_of_a_line(directory):
    """What a person or another program finds there."""
    path = journal.write(directory, "a", journal.planned(STEPS[1:2], (), "2026-11-25T00:00:00Z"))
    assert json.loads(path.read_text(encoding="ascii")) == {
        "step": {
            "id": 2,
            "kind": "server_property",
            "target": "",
            "name": "EnableSMB1Protocol",
            "before": {"type": "boolean", "value": True},
            "after": {"type": "boolean", "value": False},
            "restart": "none",
            "twin": {"key": "SYSTEM\\X", "name": "SMB1", "before": {"type": "absent"}},
        },
        "state": "planned",
        "time": "2026-11-25T00:00:00Z",
    }
