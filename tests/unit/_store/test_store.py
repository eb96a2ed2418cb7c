# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, StoreError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import DataVersions, HostRecord, Run, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.drift import compare, host_state
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.history import open_history


def a_run(number=0, hosts=("a", "b"), limit="", verdict="compliant"):
    stamp = f"2026-11-24T00:00:{number:02d}Z"
    return Run(
        rundir.new_id(stamp),
        stamp,
        "audit",
        "t",
        "2.19",
        "recommended",
        Scope(limit, hosts),
        DataVersions("x"),
        verdict,
    )


def a_record(host="a", signing="mandatory", shares=("x",), verdict="pass"):
    facts = FactSet()
    facts.put("samba.server_signing", Fact(configured=signing, origin=Origin("local", "f:1")))
    facts.put("samba.deadtime", Fact(configured=10080, origin=Origin("default")))
    facts.put("usage.session", Fact(effective={"user": "u"}), "1")
    facts.put("host.listener", Fact(effective={"port": 445, "pid": 77}), "tcp/*:445")
    for share in shares:
        facts.put("samba.share", Fact(configured={"path": "/p"}), share)
    record = HostRecord(host, "addr", "ssh", "2026-11-24T00:00:00Z", facts=facts)
    record.findings.append(Finding("samba-server-signing", "t", "high", "signing", verdict))
    return record


def test_round_trip_and_permissions(tmp_path):
    run = a_run()
    directory = rundir.create(tmp_path / "r", run)
    path = rundir.write_host(directory, a_record("../evil host"))
    assert path.parent == directory / "hosts"
    assert path.name == "..%2Fevil%20host.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700
    assert rundir.read_host(directory, "../evil host") == a_record("../evil host")
    assert rundir.read_run(directory) == run
    assert rundir.find(tmp_path / "r", "latest") == directory
    assert rundir.find(tmp_path / "r", run.id[:18]) == directory


@pytest.mark.parametrize("name", ["../..", "/etc", "20261124T000000Z-zzzz", "", "a/b"])
def test_run_names_with_tricks_are_refused(tmp_path, name):
    with pytest.raises(BadInput):
        rundir.find(tmp_path, name)


@pytest.mark.parametrize("text", ["", "{", '{"schema": "other/1"}', '{"schema":"breakwater/host/1","host":"a","x":1}'])
def test_damaged_host_file_is_one_host_not_a_crash(tmp_path, text):
    run = a_run()
    directory = rundir.create(tmp_path, run)
    rundir.write_host(directory, a_record("a"))
    (directory / "hosts" / "b.json").write_text(text, encoding="utf-8")
    records = {record.host: record for record in rundir.hosts(directory, run)}
    assert records["a"].errors == []
    assert "Cannot read the results" in records["b"].errors[0].reason


def test_full_disk_keeps_what_was_there(tmp_path, monkeypatch):
    directory = rundir.create(tmp_path, a_run())
    path = rundir.write_host(directory, a_record())
    before = path.read_bytes()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        rundir.write_host(directory, a_record(signing="disabled"))
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".*part"))


VALUES = st.dictionaries(st.sampled_from(["x", "y"]), st.booleans() | st.text(max_size=3), max_size=2)
STATES = st.fixed_dictionaries(
    {
        "facts": st.dictionaries(
            st.sampled_from(["samba.a", "samba.b"]),
            st.dictionaries(st.sampled_from(["", "s"]), VALUES, max_size=2),
            max_size=2,
        ),
        "verdicts": st.dictionaries(
            st.sampled_from(["c", "d"]),
            st.dictionaries(st.sampled_from(["", "s"]), st.sampled_from(["pass", "fail", "unknown"]), max_size=2),
            max_size=2,
        ),
        "read": st.just(True),
    }
)


@given(STATES, STATES)
def test_drift_properties(left, right):
    assert compare("h", left, left) == []
    opposite = {
        "added": "removed",
        "removed": "added",
        "changed": "changed",
        "newly_failing": "newly_passing",
        "newly_passing": "newly_failing",
    }
    there = sorted((d.subject, d.object, d.change) for d in compare("h", left, right))
    back = sorted((d.subject, d.object, opposite[d.change]) for d in compare("h", right, left))
    assert there == back


def test_drift_of_a_host():
    before, now = host_state(a_record()), host_state(a_record(signing="disabled", shares=("x", "new"), verdict="fail"))
    changes = {(d.change, d.subject, d.object) for d in compare("a", before, now)}
    assert changes == {
        ("changed", "samba.server_signing", ""),
        ("added", "samba.share", "new"),
        ("newly_failing", "samba-server-signing", ""),
    }
    assert "usage.session" not in before["facts"]
    assert before["facts"]["host.listener"]["tcp/*:445"]["effective"] == {"port": 445}


def test_baseline_is_the_approved_run_else_the_one_before(tmp_path):
    with open_history(f"sqlite:///{tmp_path}/h.db") as history:
        first, second, third = (a_run(number) for number in range(3))
        for run in (first, second):
            history.record(run, [("a", host_state(a_record()))])
        assert history.baseline(third).id == second.id
        history.approve(first.id)
        assert history.baseline(third).id == first.id
        assert history.baseline(third).approved
        assert history.state("a", history.baseline(third)) == host_state(a_record())
        assert history.state("never", history.baseline(third)) is None
        history.record(first, [("a", host_state(a_record()))])
        assert history.baseline(third).approved
        assert history.db.execute("SELECT count(*) FROM states").fetchone()[0] == 1
        with pytest.raises(BadInput, match="not in the history"):
            history.approve(third.id)
        history.record(a_run(9, verdict="incomplete"), [])
        with pytest.raises(BadInput, match="incomplete"):
            history.approve(history.trend()[-1].id)


def test_bad_histories(tmp_path):
    with pytest.raises(BadInput) as caught:
        open_history("postgresql://user:secret@host/db")
    assert "secret" not in str(caught.value)
    path = tmp_path / "h.db"
    path.write_text("this is no database, " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="file is not a database"):
        open_history(f"sqlite:///{path}")


def _record(arguments):
    path, number = arguments
    with open_history(f"sqlite:///{path}") as history:
        history.record(a_run(number), [(f"h{index}", host_state(a_record(f"h{index}"))) for index in range(50)])


def test_two_runs_at_once_on_one_history(tmp_path):
    path = tmp_path / "h.db"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_record, [(str(path), number) for number in range(8)])
    with open_history(f"sqlite:///{path}") as history:
        assert len(history.trend()) == 8


def test_documents_match_the_published_schemas(tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    schemas = pathlib.Path(__file__).resolve().parents[3] / "docs" / "schemas"
    directory = rundir.create(tmp_path, a_run())
    rundir.write_host(directory, a_record())
    for name, path in (("run", directory / "run.json"), ("host", directory / "hosts" / "a.json")):
        schema = json.loads((schemas / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)
