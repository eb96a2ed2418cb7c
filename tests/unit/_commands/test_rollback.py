# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.remediate import RemediateRequest, remediate
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.rollback import RollbackRequest, rollback
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, StoreError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import JournalEntry, Native, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import journal, rundir

from .conftest import NEW, OLD, RELOAD, RISKY, STEP, plan_of, subject

KEY = ("global", "server min protocol")


@pytest.fixture
def changed(host, planned, context, open_a_run):
    """A host that a run has changed; the run's directory."""
    run = open_a_run()
    remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.values[KEY] == NEW
    host.executions.clear()
    host.orders.clear()
    return run


def test_one_execution_and_the_old_value_stands(host, context, open_a_run, changed):
    run = open_a_run(kind="rollback", journal=changed.name)
    told = rollback(RollbackRequest(subject(run), changed.name), context, host.hands())
    assert host.executions == ["apply"]
    assert host.values[KEY] == OLD
    assert told["changed"] is True
    assert told["journal"] == run.name
    (change,) = told["changes"]
    assert (change["before"], change["after"], change["state"]) == ("SMB2_10", "NT1", "done")
    assert change["address"] == "registry [global] server min protocol"
    record = rundir.read_host(run, "a")
    assert record.facts.in_force("samba.server_min_protocol") == "NT1"
    assert [entry.state for entry in journal.read(run, "a")] == ["done", "done"]
    assert journal.read(run, "a")[0].control == "samba-server-min-protocol"


@pytest.mark.parametrize(
    ("restart", "pending"), [("reload", []), ("restart", ["restart of smbd"]), ("reboot", ["reboot"])]
)
@pytest.mark.parametrize("check", [False, True])
def test_what_the_old_values_wait_for_is_told(host, planned, context, open_a_run, restart, pending, check):
    planned(plan_of(dataclasses.replace(STEP, restart=restart), RELOAD))
    run = open_a_run()
    remediate(RemediateRequest(subject(run)), context, host.hands())
    back = open_a_run(kind="rollback", journal=run.name, check=check)
    told = rollback(RollbackRequest(subject(back), run.name, check=check), context, host.hands())
    assert told["pending"] == pending
    assert told["reboot_required"] is (pending == ["reboot"])
    assert told["restart_done"] == []


def test_a_service_that_the_undo_started_anew_is_not_waited_for(host, planned, context, open_a_run):
    planned(plan_of(dataclasses.replace(STEP, restart="restart"), Step(2, "restart", "smbd")))
    run = open_a_run()
    remediate(RemediateRequest(subject(run)), context, host.hands())
    back = open_a_run(kind="rollback", journal=run.name)
    told = rollback(RollbackRequest(subject(back), run.name), context, host.hands())
    assert (told["pending"], told["restart_done"]) == ([], ["smbd"])


def test_check_mode_shows_it_and_touches_nothing(host, context, open_a_run, changed):
    run = open_a_run(kind="rollback", journal=changed.name, check=True)
    told = rollback(RollbackRequest(subject(run), changed.name, check=True), context, host.hands())
    assert host.executions == ["dry"]
    assert host.values[KEY] == NEW
    assert told["changed"] is True
    assert [change["state"] for change in told["changes"]] == ["planned"]
    assert told["diff"][0]["after"] == "NT1\n"
    assert told["journal"] == ""
    assert not journal.exists(run, "a")
    assert rundir.read_host(run, "a").remediation.check is True


def test_a_second_time_everything_stands_already(host, context, open_a_run, changed):
    for again in (False, True):
        run = open_a_run(kind="rollback", journal=changed.name)
        told = rollback(RollbackRequest(subject(run), changed.name), context, host.hands())
        assert told["changed"] is not again
    assert "Nothing to undo" in told["msg"]
    assert "failed" not in told


def test_a_rollback_can_be_rolled_back(host, context, open_a_run, changed):
    first = open_a_run(kind="rollback", journal=changed.name)
    rollback(RollbackRequest(subject(first), changed.name), context, host.hands())
    second = open_a_run(kind="rollback", journal=first.name)
    told = rollback(RollbackRequest(subject(second), first.name), context, host.hands())
    assert told["changed"] is True
    assert host.values[KEY] == NEW


def test_what_somebody_changed_since_is_kept_and_both_values_shown(host, context, open_a_run, changed):
    host.values[KEY] = Native("text", "SMB3")
    run = open_a_run(kind="rollback", journal=changed.name)
    told = rollback(RollbackRequest(subject(run), changed.name), context, host.hands())
    assert told["failed"] is True
    assert "SMB2_10 was expected, and SMB3 stands there" in told["msg"]
    assert host.values[KEY] == Native("text", "SMB3")
    assert told["changed"] is False
    assert rundir.failures(run)


def test_in_check_mode_that_is_seen_too(host, context, changed):
    host.values[KEY] = Native("text", "SMB3")
    told = rollback(RollbackRequest(subject(), changed.name, check=True), context, host.hands())
    assert told["failed"] is True
    assert "SMB3 stands there" in told["msg"]


def test_a_risky_step_is_armed_and_confirmed(host, planned, context, open_a_run):
    planned(RISKY)
    run = open_a_run()
    remediate(RemediateRequest(subject(run)), context, host.hands())
    host.executions.clear()
    told = rollback(RollbackRequest(subject(), run.name), context, host.hands())
    assert host.executions == ["apply", "confirm"]
    assert [(step.before, step.after) for step in host.orders[-1].undo if step.kind == "netconf"] == [(OLD, NEW)]
    assert told["changed"] is True


def test_a_run_that_was_broken_off_before_its_record_can_be_undone(host, context, open_a_run, changed):
    """The journal was written before anything was sent; that is all there is."""
    for path in (changed / "hosts").glob("*"):
        path.unlink()
    entries = [dataclasses.replace(entry, state="planned") for entry in journal.read(changed, "a")]
    journal.write(changed, "a", entries)
    told = rollback(RollbackRequest(subject(), changed.name), context, host.hands())
    assert host.values[KEY] == OLD
    (change,) = told["changes"]
    assert (change["address"], change["before"], change["after"]) == ("global server min protocol", "SMB2_10", "NT1")


def test_a_host_that_the_run_did_not_change_is_not_asked(host, context, open_a_run):
    run = open_a_run(("a", "b"))
    journal.write(run, "b", [JournalEntry(STEP, "done", "t")])
    mine = open_a_run(("a", "b"), kind="rollback", journal=run.name)
    told = rollback(RollbackRequest(subject(mine), run.name), context, host.hands())
    assert host.executions == []
    assert told["changed"] is False
    assert told["msg"] == f"Nothing to undo: {run.name} changed nothing here."
    record = rundir.read_host(mine, "a")
    assert (record.collected, record.errors, record.findings) == ("", [], [])


def test_steps_that_were_never_done_are_nothing_to_undo(host, context, open_a_run):
    run = open_a_run()
    journal.write(run, "a", [JournalEntry(STEP, "refused", "t")])
    told = rollback(RollbackRequest(subject(), run.name), context, host.hands())
    assert (told["changed"], host.executions) == (False, [])


def test_a_host_of_another_run_is_refused(host, context, open_a_run, changed):
    with pytest.raises(BadInput, match="no entries for b"):
        rollback(RollbackRequest(subject(host="b"), changed.name), context, host.hands())
    assert host.executions == []


@pytest.mark.parametrize("name", ["20200101T000000Z-none", "../../etc", "latest", ""])
def test_an_unknown_journal_is_one_sentence(host, context, open_a_run, changed, name):
    with pytest.raises(BadInput, match=r"^Cannot (find the journal|roll back).*\.$"):
        rollback(RollbackRequest(subject(), name), context, host.hands())
    with pytest.raises(BadInput, match=r"^Cannot (find the journal|roll back).*\.$"):
        open_a_run(kind="rollback", journal=name)
    assert host.executions == []


def test_a_run_that_changed_nothing_is_no_journal(host, context, open_a_run):
    with pytest.raises(BadInput, match="changed nothing"):
        rollback(RollbackRequest(subject(), open_a_run().name), context, host.hands())


def test_a_damaged_journal_is_a_sentence_and_nothing_is_done(host, context, open_a_run, changed):
    path = journal.path_of(changed, "a")
    path.write_text(path.read_text(encoding="ascii")[:-40], encoding="ascii")
    run = open_a_run(kind="rollback", journal=changed.name)
    with pytest.raises(StoreError, match="jsonl:2"):
        rollback(RollbackRequest(subject(run), changed.name), context, host.hands())
    assert host.executions == []
    assert rundir.read_host(run, "a").errors


def test_what_has_no_way_back_is_named(host, planned, context, open_a_run):
    gone = Step(2, "role_feature", "FS-SMB1", "", Native("text", "installed"), Native("text", "removed"))
    host.values[("FS-SMB1", "")] = Native("text", "installed")
    planned(plan_of(STEP, dataclasses.replace(gone, irreversible=True)))
    run = open_a_run()
    remediate(RemediateRequest(subject(run)), context, host.hands())
    told = rollback(RollbackRequest(subject(), run.name), context, host.hands())
    assert "role feature FS-SMB1" in told["msg"]
    assert host.values[("FS-SMB1", "")] == Native("text", "removed")


def test_the_own_run_of_a_rollback(host, context, changed):
    told = rollback(RollbackRequest(subject(), changed.name), context, host.hands())
    run = rundir.read_run(context.results / told["run"])
    assert run.kind == "rollback"
    assert run.ended is not None
    assert rundir.find(context.results, "latest").name == changed.name


def test_only_hosts_of_that_run_are_in_scope(context, open_a_run, changed):
    run = rundir.read_run(open_a_run(("a", "b"), kind="rollback", journal=changed.name))
    assert run.scope.hosts == ("a",)
    assert run.scope.limit == f"the hosts of {changed.name}"
    with pytest.raises(BadInput, match="none of the hosts"):
        open_a_run(("b",), kind="rollback", journal=changed.name)
