# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import SectionError
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


@settings(deadline=None)
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
        assert history.state("a", history.baseline(third)).state == host_state(a_record())
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


RECORDER = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import DataVersions, Run, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.history import open_history

hosts = tuple(f"h{number}" for number in range(450))
for number in range(3):
    stamp = f"2026-11-24T00:00:0{number}Z"
    run_id = f"20261124T00000{number}Z-{sys.argv[3]}"
    run = Run(run_id, stamp, "audit", "t", "2.19", "recommended", Scope("", hosts), DataVersions("x"), "compliant")
    with open_history(f"sqlite:///{sys.argv[2]}") as history:
        history.record(run, ((host, {"facts": {"f": {host: number}}, "verdicts": {}, "read": True}) for host in hosts))
"""


def test_two_runs_at_once_on_one_history(tmp_path):
    path = tmp_path / "h.db"
    collections = next(entry for entry in sys.path if entry.endswith("collections"))
    started = [
        subprocess.Popen([sys.executable, "-c", RECORDER, collections, str(path), name], stderr=subprocess.PIPE)
        for name in ("aaaa", "bbbb")
    ]
    for process in started:
        assert process.communicate(timeout=120)[1] == b""
    with open_history(f"sqlite:///{path}") as history:
        assert len(history.trend()) == 6
        assert all(len(history.hosts(past.id)) == 450 for past in history.trend())
        assert history.db.execute("SELECT count(*) FROM states").fetchone()[0] == 3 * 450


def remember(history, number, record=None, *, verdict="compliant", **scope):
    """Record a run of host "a" (with others in scope, by name) and return the run."""
    run = dataclasses.replace(a_run(number, **scope), verdict=verdict)
    chosen = a_record() if record is None else record
    history.record(run, [(host, host_state(dataclasses.replace(chosen, host=host))) for host in run.scope.hosts])
    return run


def test_a_silent_night_does_not_hide_what_changed(tmp_path):
    silent = a_record()
    silent.facts, silent.findings = FactSet(), []
    silent.errors.append(SectionError("connection", "no route"))
    with open_history(f"sqlite:///{tmp_path}/h.db") as history:
        read = remember(history, 0, hosts=("a",))
        remember(history, 1, silent, hosts=("a",), verdict="incomplete")
        now = a_run(2, hosts=("a",))
        known = history.state("a", history.baseline(now))
        assert known.run == read.id
        changed = host_state(a_record(signing="disabled"))
        assert [change.subject for change in compare("a", known.state, changed)] == ["samba.server_signing"]


def test_the_whole_fleet_is_that_of_the_newest_run_without_a_limit(tmp_path):
    with open_history(f"sqlite:///{tmp_path}/h.db") as history:
        limited = remember(history, 0, hosts=("a",), limit="a")
        assert history.fleet(history.baseline(a_run(1))) is None
        remember(history, 2, hosts=("a", "b"))
        remember(history, 3, hosts=("a",), limit="a")
        now = a_run(4)
        assert history.baseline(now).limit == "a"
        assert history.fleet(history.baseline(now)) == {"a", "b"}
        assert history.state("b", history.baseline(now)) is not None
        assert history.baseline(dataclasses.replace(now, kind="probe")) is None
        history.approve(limited.id)
        assert history.fleet(history.baseline(now)) is None


def test_a_run_that_is_closed_late_is_not_compared_with_a_later_one(tmp_path):
    with open_history(f"sqlite:///{tmp_path}/h.db") as history:
        history.approve(remember(history, 5).id)
        assert history.baseline(a_run(3)) is None
        assert history.baseline(a_run(6)).approved


def test_a_run_that_is_not_recorded_yet_is_not_looked_at(tmp_path):
    with open_history(f"sqlite:///{tmp_path}/h.db") as history:
        first = remember(history, 0)

        def breaks_off():
            yield "a", host_state(a_record(signing="disabled"))
            raise RuntimeError

        with pytest.raises(RuntimeError):
            history.record(a_run(1), breaks_off())
        last = remember(history, 2)
        assert [past.id for past in history.trend()] == [first.id, last.id]
        assert history.state("a", history.baseline(a_run(3))).run == last.id


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE states SET state = X'00'", "decompressing"),
        ("UPDATE runs SET counts = '{'", "Expecting"),
        ("PRAGMA user_version=99", "newer release"),
        ("DROP TABLE host_states", "no such table"),
    ],
)
def test_damaged_history_is_one_sentence(tmp_path, damage, words):
    url = f"sqlite:///{tmp_path}/h.db"
    with open_history(url) as history:
        remember(history, 0)
        history.db.execute(damage)
    with pytest.raises(StoreError, match=words), open_history(url) as history:
        history.state("a", history.baseline(a_run(1)))


def test_full_disk_under_the_history(tmp_path):
    with open_history(f"sqlite:///{tmp_path}/h.db") as history:
        remember(history, 0)
        pages = history.db.execute("PRAGMA page_count").fetchone()[0]
        history.db.execute(f"PRAGMA max_page_count={pages}")
        noise = a_record()
        for number in range(3000):
            noise.facts.put("samba.share", Fact(configured=os.urandom(40).hex()), str(number))
        with pytest.raises(StoreError, match="full"):
            remember(history, 1, noise)
        assert len(history.trend()) == 1


def test_a_planted_link_is_not_followed_to_make_a_file(tmp_path):
    target = tmp_path / "elsewhere"
    results = tmp_path / "results"
    results.mkdir()
    run = a_run()
    (results / run.id).symlink_to(target)
    with pytest.raises(StoreError, match="File exists"):
        rundir.create(results, run)
    assert not target.exists()
    (results / "latest").symlink_to("/etc")
    with pytest.raises(BadInput, match="no run yet"):
        rundir.find(results, "latest")


def test_latest_that_points_out_of_the_results_is_refused(tmp_path):
    elsewhere = rundir.create(tmp_path / "other", a_run())
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "latest").symlink_to(elsewhere)
    with pytest.raises(BadInput, match="does not point to a run here"):
        rundir.find(tmp_path / "results", "latest")


@pytest.mark.parametrize(
    "host", ["x" * 400, "ü" * 200, "a\udcffb", "con:1/..", ".", "..", "{{ lookup('pipe', 'id') }}"]
)
def test_any_name_makes_a_file(tmp_path, host):
    run = a_run(hosts=(host, host + "2"))
    directory = rundir.create(tmp_path, run)
    for name in run.scope.hosts:
        path = rundir.write_host(directory, a_record(name))
        assert path.parent == directory / "hosts"
    assert [record.host for record in rundir.hosts(directory, run)] == list(run.scope.hosts)
    assert not any(record.errors for record in rundir.hosts(directory, run))


def test_file_of_another_host_is_not_taken_for_this_one(tmp_path):
    run = a_run()
    directory = rundir.create(tmp_path, run)
    path = rundir.write_host(directory, a_record("a"))
    path.rename(path.with_name("b.json"))
    assert "another host's" in rundir.read_host_or_error(directory, run, "b").errors[0].reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [field.name for field in dataclasses.fields(HostRecord)]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.integers(0, 400))
def test_no_host_file_is_a_traceback(tmp_path_factory, changes, cut):
    run = a_run()
    directory = rundir.create(tmp_path_factory.mktemp("r"), run)
    path = rundir.write_host(directory, a_record("a"))
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, **changes})[: cut or None], encoding="utf-8")
    assert [record.host for record in rundir.hosts(directory, run)] == ["a"]


def test_deeply_nested_host_file(tmp_path):
    run = a_run(hosts=("a",))
    directory = rundir.create(tmp_path, run)
    (directory / "hosts" / "a.json").write_text("[" * 200_000, encoding="utf-8")
    assert next(rundir.hosts(directory, run)).errors


def test_what_became_unreadable_is_not_called_removed():
    gone = a_record()
    gone.facts.put("samba.server_signing", Fact(unreadable="smb.conf: Permission denied"))
    changes = compare("a", host_state(a_record()), host_state(gone))
    assert [(change.change, change.before, change.after) for change in changes] == [
        ("changed", "mandatory", {"unreadable": "smb.conf: Permission denied"})
    ]


def test_new_failure_of_what_did_not_apply_before():
    before, now = host_state(a_record(verdict="not_applicable")), host_state(a_record(verdict="fail"))
    assert [(change.change, change.before) for change in compare("a", before, now)] == [
        ("newly_failing", "not_applicable")
    ]
    assert compare("a", before, now, verdicts=False) == []


def test_default_that_is_overridden_at_run_time_counts():
    record = a_record()
    record.facts.put("samba.log_level", Fact(configured="0", effective="10", origin=Origin("default")))
    assert [change.subject for change in compare("a", host_state(a_record()), host_state(record))] == [
        "samba.log_level"
    ]


def test_documents_match_the_published_schemas(tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    schemas = pathlib.Path(__file__).resolve().parents[3] / "docs" / "schemas"
    directory = rundir.create(tmp_path, a_run())
    rundir.write_host(directory, a_record())
    for name, path in (("run", directory / "run.json"), ("host", directory / "hosts" / "a.json")):
        schema = json.loads((schemas / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)
