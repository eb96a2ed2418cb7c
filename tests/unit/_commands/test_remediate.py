# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.remediate import RemediateRequest, remediate
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, StoreError, Unreachable
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import DataVersions, Run, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Blocked, Native
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import journal, rundir

from .conftest import CHANGE, NEW, OLD, PLAN, RELOAD, RISKY, STEP, plan_of, subject

SENTENCE = re.compile(r"[A-Z][^\n]{10,399}\.")
KEY = ("global", "server min protocol")


def states(run):
    return [entry.state for entry in journal.read(run, "a")]


def test_two_executions_and_the_record_is_of_what_stands_now(host, planned, context, open_a_run):
    run = open_a_run()
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.executions == ["collect", "apply"]
    assert host.connections == 1
    assert told["changed"] is True
    assert told["journal"] == run.name == told["run"]
    assert [change["state"] for change in told["changes"]] == ["done"]
    assert told["score"] > told["score_before"]
    assert "samba-server-min-protocol" not in told["failing"]
    assert states(run) == ["done", "done"]
    record = rundir.read_host(run, "a")
    assert record.facts.in_force("samba.server_min_protocol") == "SMB3_11"
    assert record.remediation.journal == run.name
    assert record.remediation.counts_before["fail"] > 0
    assert record.errors == []
    assert not rundir.failures(run)


def test_a_second_time_one_execution_and_nothing_changed(host, planned, context, open_a_run):
    remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    host.executions.clear()
    run = open_a_run()
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.executions == ["collect"]
    assert told["changed"] is False
    assert told["journal"] == ""
    assert not journal.exists(run, "a")
    assert rundir.read_host(run, "a").remediation is not None


def test_check_mode_plans_and_touches_nothing(host, planned, context, open_a_run):
    run = open_a_run(check=True)
    told = remediate(RemediateRequest(subject(run), check=True), context, host.hands())
    assert host.executions == ["collect"]
    assert host.values[KEY] == OLD
    assert told["changed"] is True
    assert told["journal"] == ""
    assert [change["state"] for change in told["changes"]] == ["planned"]
    assert told["diff"] == [
        {
            "before_header": CHANGE.address,
            "after_header": f"{CHANGE.address} ({CHANGE.control})",
            "before": "NT1\n",
            "after": "SMB2_10\n",
        }
    ]
    left = {item["control"] for item in told["remaining"]}
    assert "samba-server-min-protocol" in told["failing"]
    assert "samba-server-min-protocol" not in left
    assert left
    record = rundir.read_host(run, "a")
    assert record.remediation.check is True
    assert not journal.exists(run, "a")


def test_in_check_mode_a_control_that_is_held_back_in_part_remains(host, planned, context, open_a_run):
    part = Blocked(CHANGE.control, "in-use", "192.0.2.7 uses it", CHANGE.object)
    planned(plan_of(STEP, RELOAD, blocked=(part,)))
    told = remediate(RemediateRequest(subject(open_a_run(check=True)), check=True), context, host.hands())
    assert CHANGE.control in {item["control"] for item in told["remaining"]}


def test_the_plan_is_in_the_journal_before_anything_is_sent(host, planned, context, open_a_run, monkeypatch):
    run = open_a_run()
    seen = []
    real = host.execute

    def watching(command, stdin):
        if stdin.startswith(b"order"):
            seen.extend(states(run))
        return real(command, stdin)

    monkeypatch.setattr(host, "execute", watching)
    remediate(RemediateRequest(subject(run)), context, host.hands())
    assert seen == ["planned", "planned"]


def test_a_journal_that_cannot_be_written_means_that_nothing_is_sent(host, planned, context, open_a_run):
    run = open_a_run()
    (run / "journal").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError):
        remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.executions == ["collect"]
    assert host.values[KEY] == OLD


def test_what_is_held_back_is_told(host, planned, context, open_a_run):
    held = Blocked("samba-server-min-protocol", "in-use", "192.0.2.7 uses it", users=("192.0.2.7",))
    planned(plan_of(changes=(), blocked=(held,), watched="Nobody has been watching."))
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert told["changed"] is False
    assert told["blocked"] == [
        {
            "control": held.control,
            "object": "",
            "kind": "in-use",
            "why": "192.0.2.7 uses it",
            "users": ["192.0.2.7"],
        }
    ]
    assert told["watched"] == "Nobody has been watching."
    assert any(item["control"] == held.control for item in told["remaining"])


# The confirmation


def test_a_risky_step_is_confirmed_over_a_new_connection(host, planned, context, open_a_run):
    planned(RISKY)
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert host.executions == ["collect", "apply", "confirm"]
    assert host.connections == 2
    (order,) = host.orders
    assert [(step.before, step.after) for step in order.undo if step.kind == "netconf"] == [(NEW, OLD)]
    assert told["changed"] is True
    assert host.armed is None


def test_nothing_risky_arms_nothing(host, planned, context, open_a_run):
    remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert host.orders[0].undo == ()


def test_a_change_that_cannot_be_confirmed_is_undone_and_said(host, planned, context, open_a_run):
    planned(RISKY)
    run = open_a_run()
    host.lose = {"confirm"}
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.executions == ["collect", "apply", "confirm", "dry"]
    assert host.waited == [150.0]
    assert host.values[KEY] == OLD
    assert told["failed"] is True
    assert SENTENCE.fullmatch(told["msg"])
    assert "was undone" in told["msg"]
    assert [change["state"] for change in told["changes"]] == ["undone"]
    assert set(states(run)) == {"undone"}
    record = rundir.read_host(run, "a")
    assert record.facts.in_force("samba.server_min_protocol") == "NT1"
    assert [error.reason for error in record.errors] == [record.remediation.failed]
    assert rundir.failures(run)


def test_a_host_that_is_gone_after_the_change_claims_nothing(host, planned, context, open_a_run, monkeypatch):
    planned(RISKY)
    run = open_a_run()

    def gone():
        host.gone = True
        host.armed = None

    monkeypatch.setattr(host, "reconnect", gone)
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert told["failed"] is True
    assert "does not answer" in told["msg"]
    assert SENTENCE.fullmatch(told["msg"])
    record = rundir.read_host(run, "a")
    assert record.findings == []
    assert record.score is None
    assert record.errors[0].section == "connection"


# What goes wrong


@pytest.mark.parametrize(
    ("before_work", "state", "done"), [(True, ["planned", "failed"], "0 of 1"), (False, ["done", "failed"], "1 of 1")]
)
def test_a_lost_connection_looks_at_what_is_there(host, planned, context, open_a_run, before_work, state, done):
    run = open_a_run()
    host.lose, host.lose_before_work = {"apply"}, before_work
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.executions == ["collect", "apply", "dry"]
    assert host.connections == 2
    assert told["failed"] is True
    assert SENTENCE.fullmatch(told["msg"])
    assert done in told["msg"]
    assert run.name in told["msg"]
    assert states(run) == state
    record = rundir.read_host(run, "a")
    assert record.facts.in_force("samba.server_min_protocol") == ("NT1" if before_work else "SMB3_11")


def test_a_lost_connection_to_a_host_that_stays_away(host, planned, context, open_a_run, monkeypatch):
    run = open_a_run()
    host.lose = {"apply"}

    def gone():
        host.gone = True

    monkeypatch.setattr(host, "reconnect", gone)
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert told["failed"] is True
    assert SENTENCE.fullmatch(told["msg"])
    assert "journal" in told["msg"]
    assert states(run) == ["planned", "planned"]
    (error,) = rundir.read_host(run, "a").errors
    assert error.reason == told["msg"]


def test_a_change_that_still_goes_on_is_not_guessed_at(host, planned, context, open_a_run):
    host.lose = {"apply"}
    real, turns = host._carry_out, []

    def busy(order):
        turns.append(order)
        host.busy = "another change is going on (process 7)" if len(turns) > 1 else ""
        return real(order)

    host._carry_out = busy
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert host.executions == ["collect", "apply", "dry", "dry", "dry"]
    assert host.waited == [0.0, 5.0, 10.0]
    assert "wholly done or not at all" in told["msg"]


def test_an_obstacle_is_one_sentence_and_the_host_is_known(host, planned, context, open_a_run):
    run = open_a_run()
    host.busy = "another change is going on (process 7 since 2026-11-25T00:00:00Z)"
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert host.executions == ["collect", "apply"]
    assert told["msg"] == f"Nothing was changed: {host.busy}."
    assert told["changed"] is False
    record = rundir.read_host(run, "a")
    assert record.findings
    assert [error.reason for error in record.errors] == [told["msg"]]


def test_what_somebody_changed_meanwhile_is_shown_with_both_values(host, planned, context, open_a_run):
    host.refuse = Native("text", "SMB3")
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert told["failed"] is True
    assert "NT1 was expected, and SMB3 stands there" in told["msg"]
    assert [change["state"] for change in told["changes"]] == ["refused"]
    assert told["diff"] == []


def test_a_step_that_fails_is_told_with_what_stays(host, planned, context, open_a_run):
    second = dataclasses.replace(STEP, id=2, name="server signing", before=Native("absent"))
    planned(plan_of(STEP, second, dataclasses.replace(RELOAD, id=3)))
    run = open_a_run()
    host.fail_at = 2
    told = remediate(RemediateRequest(subject(run)), context, host.hands())
    assert told["failed"] is True
    assert told["changed"] is True
    assert "global server signing: it is immutable; 1 earlier step was done, and can be rolled back" in told["msg"]
    assert states(run) == ["done", "failed", "skipped"]


def test_a_host_that_cannot_be_read_fails_and_is_recorded(host, planned, context, open_a_run):
    run = open_a_run()
    host.lose = {"collect"}
    with pytest.raises(Unreachable):
        remediate(RemediateRequest(subject(run)), context, host.hands())
    record = rundir.read_host(run, "a")
    assert record.errors[0].section == "connection"
    assert record.remediation.failed
    assert rundir.failures(run)


@pytest.mark.parametrize("wanted", [{"areas": ["dialekt"]}, {"window": "always"}, {"observe_days": -1}])
def test_a_choice_that_means_nothing_asks_no_host_and_is_recorded(host, planned, context, open_a_run, wanted):
    run = open_a_run()
    with pytest.raises(BadInput, match="breakwater_"):
        remediate(RemediateRequest(subject(run), wanted), context, host.hands())
    assert host.executions == []
    assert "breakwater_" in rundir.read_host(run, "a").remediation.failed
    assert rundir.failures(run)


def test_a_plan_that_is_no_script_is_a_sentence(host, planned, context, open_a_run, monkeypatch):
    def too_large(family, order, nonce):
        raise ValueError("the script has 99999 bytes, more than 98304")

    monkeypatch.setattr(catalogue, "apply_script", too_large)
    with pytest.raises(BadInput, match="change fewer controls at once"):
        remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert host.executions == ["collect"]


def test_a_recorded_host_cannot_be_changed(host, planned, context, open_a_run):
    recorded = dataclasses.replace(subject(open_a_run()), labels=("recorded",))
    assert remediate(RemediateRequest(recorded, check=True), context, host.hands())["changed"] is True
    with pytest.raises(BadInput, match="recorded"):
        remediate(RemediateRequest(recorded), context, host.hands())


# Without a run, and reboots


def test_without_a_run_it_makes_one_of_its_own(host, planned, context):
    told = remediate(RemediateRequest(subject()), context, host.hands())
    run = context.results / told["run"]
    assert states(run) == ["done", "done"]
    document = rundir.read_run(run)
    assert (document.kind, document.scope.hosts, document.ended is not None) == ("remediate", ("a",), True)
    assert document.verdict == "compliant"
    assert not (context.results / "latest").exists()
    assert json.loads((run / "inputs.json").read_text(encoding="utf-8"))["profile"] == "recommended"


@pytest.mark.parametrize("check", [True, False])
def test_without_a_run_nothing_to_do_leaves_nothing(host, planned, context, check):
    host.values[KEY] = NEW
    told = remediate(RemediateRequest(subject(), check=check), context, host.hands())
    assert told["changed"] is False
    assert not context.results.exists()


def test_a_reboot_waits_for_another_boot_and_looks_again(host, planned, context, open_a_run):
    planned(plan_of(STEP, RELOAD, reboot=True))
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert host.executions == ["collect", "apply", "boot", "reboot", "boot", "collect"]
    assert told["restart_done"] == ["reboot"]
    assert told["reboot_required"] is False


def test_a_reboot_that_may_not_be_is_pending(host, planned, context, open_a_run):
    planned(plan_of(STEP, RELOAD, reboot=True, pending=("reboot",)))
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert host.executions == ["collect", "apply"]
    assert (told["pending"], told["reboot_required"], told["restart_done"]) == (["reboot"], True, [])


def test_a_host_that_does_not_come_back_is_told(host, planned, context, open_a_run, monkeypatch):
    planned(plan_of(changes=(), reboot=True))
    real = host.execute

    def stuck(command, stdin):
        if "reboot" in host.executions:
            raise Unreachable("Cannot connect", seen="no route", remedy="wait")
        return real(command, stdin)

    monkeypatch.setattr(host, "execute", stuck)
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert sum(host.waited) == 600
    assert "did not come back" in told["msg"]
    assert told["restart_done"] == []


def test_the_services_that_were_restarted_are_named(host, planned, context, open_a_run):
    planned(plan_of(STEP, dataclasses.replace(RELOAD, kind="restart")))
    told = remediate(RemediateRequest(subject(open_a_run())), context, host.hands())
    assert told["restart_done"] == ["smbd"]


def test_hostile_text_is_shown_harmless(host, planned, context):
    nasty = dataclasses.replace(CHANGE, before="\x1b[2J\udcff{{ 1 }}", address="\x1b]0;x", after=["a\nb", "\x07"])
    planned(plan_of(STEP, RELOAD, changes=(nasty,)))
    told = remediate(RemediateRequest(subject(), check=True), context, host.hands())
    text = "".join(told["diff"][0].values())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "{{ 1 }}" in text
    json.dumps(told).encode("utf-8")
    told["changes"][0]["before"].encode("utf-8")


def test_the_run_of_the_plan_says_so(context, open_a_run):
    assert rundir.read_run(open_a_run(check=True)).check is True
    assert rundir.read_run(open_a_run(kind="audit", check=True)).check is False
    assert Run("i", "s", "audit", "t", "a", "p", Scope("", ()), DataVersions("x")).check is False
    assert PLAN.steps
