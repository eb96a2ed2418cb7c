# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that change hosts are closed after every batch: when that finishes the run, and what it says."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.audit import audit
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.remediate import RemediateRequest, remediate
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.report import ReportRequest, report
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.rollback import RollbackRequest, rollback
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.run import CloseRequest, approve_run, close_run
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.history import open_history

from .conftest import NEW, OLD, subject

KEY = ("global", "server min protocol")


def close(run, context, **more):
    return close_run(CloseRequest(run.name, None, "high", 0, **more), context)


def remembered(context):
    with open_history(f"sqlite:///{context.results / 'history.db'}") as history:
        return [past.id for past in history.trend()]


def change(run, context, host, name="a"):
    host.values[KEY] = OLD
    return remediate(RemediateRequest(subject(run, name)), context, host.hands())


def test_between_batches_it_says_how_far_it_is_and_reads_no_record(
    host, planned, context, open_a_run, shown, monkeypatch
):
    run = open_a_run(("a", "b", "c"))
    change(run, context, host)
    monkeypatch.setattr(rundir, "read_host", lambda *_arguments: pytest.fail("a record was read"))
    told = close(run, context)
    assert (told["failed"], told["msg"]) == (False, "1 of 3 hosts are done")
    assert shown == []
    assert rundir.read_run(run).ended is None
    assert remembered(context) == []


def test_the_last_batch_finishes_it_once(host, planned, context, open_a_run, shown):
    run = open_a_run(("a", "b"))
    for name in ("a", "b"):
        change(run, context, host, name)
        told = close(run, context)
    assert told["verdict"] == "compliant"
    assert told["failed"] is False
    assert remembered(context) == [run.name]
    lines = len(shown)
    assert lines > 0
    again = close(run, context)
    assert again["verdict"] == "compliant"
    assert len(shown) == lines
    assert remembered(context) == [run.name]


def test_a_failure_finishes_it_at_once(host, planned, context, open_a_run, shown):
    run = open_a_run(("a", "b", "c"))
    host.busy = "another change is going on"
    change(run, context, host)
    told = close(run, context)
    assert told["verdict"] == "incomplete"
    assert told["failed"] is True
    assert "1 hosts were not changed as planned (a)" in told["msg"]
    assert "2 hosts were not read (b, c)" in told["msg"]
    assert "another host failed" in rundir.read_host(run, "b").errors[0].reason
    assert shown


def test_hosts_that_come_after_all_are_counted(host, planned, context, open_a_run):
    """A playbook of one's own may go on after a failure."""
    run = open_a_run(("a", "b"))
    host.busy = "another change is going on"
    change(run, context, host)
    close(run, context)
    host.busy = ""
    change(run, context, host, "b")
    told = close(run, context)
    assert "were not read" not in told["msg"]
    assert remembered(context) == [run.name]


def test_a_host_that_was_not_changed_as_planned_is_never_compliance(host, planned, context, open_a_run):
    run = open_a_run()
    host.after = host.before = "hardened"
    host.busy = "another change is going on"
    change(run, context, host)
    told = close(run, context)
    assert told["verdict"] == "incomplete"


def test_a_plan_is_no_failure_and_no_baseline(host, planned, context, open_a_run):
    first = open_a_run(kind="audit")
    audit(subject(first), context, host.execute)
    close(first, context)
    run = open_a_run(check=True)
    remediate(RemediateRequest(subject(run), check=True), context, host.hands())
    told = close(run, context)
    assert told["failed"] is False
    assert told["verdict"] == "noncompliant"
    assert remembered(context) == [first.name]
    assert (run / "reports" / "index.html").exists()
    assert rundir.find(context.results, "latest") == run
    with pytest.raises(BadInput, match="not in the history"):
        approve_run(run.name, None, context)


def test_a_plan_with_a_host_that_was_not_read_fails(host, planned, context, open_a_run):
    run = open_a_run(("a", "b"), check=True)
    remediate(RemediateRequest(subject(run), check=True), context, host.hands())
    assert close(run, context, final=True)["failed"] is True


def test_what_breakwater_changed_itself_is_no_drift_for_the_next_audit(host, planned, context, open_a_run):
    for number in range(2):
        run = open_a_run(kind="audit")
        audit(subject(run), context, host.execute)
        close(run, context)
        if number == 0:
            changing = open_a_run()
            change(changing, context, host)
            close(changing, context)
            assert rundir.read_fleet(changing).drift != []
    fleet = rundir.read_fleet(run)
    assert fleet.baseline == changing.name
    assert fleet.drift == []


def test_a_rollback_that_leads_back_is_no_failure(host, planned, context, open_a_run):
    changed = open_a_run(("a", "b"))
    for name in ("a", "b"):
        change(changed, context, host, name)
    (changed / "journal" / "b.jsonl").unlink()
    run = open_a_run(("a", "b", "elsewhere"), kind="rollback", journal=changed.name)
    host.values[KEY] = NEW
    for name in ("a", "b"):
        rollback(RollbackRequest(subject(run, name), changed.name), context, host.hands())
    told = close(run, context)
    assert told["failed"] is False
    assert told["verdict"] == "noncompliant"
    with open_history(f"sqlite:///{context.results / 'history.db'}") as history:
        assert history.hosts(run.name) == {"a"}


def test_a_report_finishes_a_run_that_was_broken_off(host, planned, context, open_a_run):
    run = open_a_run(("a", "b"))
    change(run, context, host)
    told = report(ReportRequest(run.name, None, ()), context)
    assert told["verdict"] == "incomplete"
    assert told["reports"]


def test_the_kind_of_the_run_is_recorded(context, open_a_run):
    for kind in ("audit", "remediate"):
        assert rundir.read_run(open_a_run(kind=kind)).kind == kind
    assert dataclasses.asdict(rundir.read_run(open_a_run()))["check"] is False
