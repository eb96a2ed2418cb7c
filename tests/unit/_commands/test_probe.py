# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb probe: what is recorded, what is returned, and what stays when it is broken off."""

from __future__ import annotations

import json
import pathlib
import types

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import probe as verb
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.asking import Settings
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.opening import OpenRequest, open_run
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.probe import ProbeRequest, probe
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.report import ReportRequest, report
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.run import CloseRequest, approve_run, close_run
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, BreakwaterError, Unreachable
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import probes, rundir

GUID = "66696c65733031000000000000000000"


def answer(word):
    return {"answer": word, "reason": "", "evidence": ""}


def smb(target, accepted=("2.1", "3.1.1"), signing="not_required", **more):
    port = {
        "state": "open",
        "reason": "",
        "dialects": {name: answer("accepted") for name in accepted},
        "signing": answer(signing),
        "guid": GUID,
        "boot_time": "",
        **more,
    }
    return document(target, {"445/tcp": port, "139/tcp": {"state": "closed", "reason": ""}})


def document(target, ports):
    return {
        "target": target.given,
        "address": target.address,
        "started": "2026-12-01T00:00:00.000Z",
        "seconds": 0.1,
        "source": "10.0.0.9",
        "connections": 3,
        "smb1_attempts": [{"time": "2026-12-01T00:00:00.000Z", "source": "10.0.0.9", "port": 50000}],
        "ports": ports,
    }


def ask(targets, settings, on_answer, progress):
    for number, target in enumerate(targets, 1):
        last = int(target.address.rpartition(".")[2])
        if last % 5 == 0:
            on_answer(document(target, {"445/tcp": {"state": "filtered", "reason": "silent"}}))
        else:
            on_answer(
                smb(
                    target,
                    ("NT LM 0.12", "3.1.1") if last == 2 else ("3.1.1",),
                    "required" if last > 5 else "not_required",
                )
            )
        progress(number)
    return {"no free port": 3}


def broken(targets, settings, on_answer, progress):
    for number, target in enumerate(targets):
        if number == 2:
            raise Unreachable("Cannot connect", seen="no route", remedy="try again")
        on_answer(smb(target))
    return {}


def request(*targets, **more):
    return ProbeRequest(targets or ("10.0.0.1-9",), Settings(), more.pop("vantage", "jump01"), **more)


def lines(told):
    return [json.loads(line) for line in pathlib.Path(told["file"]).read_text(encoding="utf-8").splitlines()]


def lookup(name):
    raise OSError("Name or service not known")


def test_every_answer_is_recorded_and_counted(context, shown):
    told = probe(request("10.0.0.1-9", "gone"), context, ask, lookup)
    assert told["changed"] is False
    assert (told["asked"], told["unresolved"], told["vantage"]) == (9, ["gone"], "jump01")
    assert told["states"] == {"open": 8, "filtered": 1, "unresolved": 1}
    assert told["dialects"] == {"3.1.1": 8, "NT LM 0.12": 1}
    assert told["signing"] == {"not_required": 4, "required": 4}
    assert told["implementations"] == {"samba": 8}
    assert told["smb1"] == ["10.0.0.1-9"]
    assert told["failures"] == ["no free port (3 times)"]
    head, *answers, tail = lines(told)
    assert head["schema"] == "breakwater/probe/1"
    assert (head["vantage"], head["asked"], head["targets"]) == ("jump01", 9, ["10.0.0.1-9", "gone"])
    assert head["settings"]["ports"] == [445, 139]
    assert tail["states"] == told["states"]
    assert tail["ended"]
    assert answers == told["results"]
    assert len(answers) == 10
    assert answers[1]["implementation"]["name"] == "samba"
    assert answers[1]["implementation"]["evidence"] == [
        "GUID spells the name files01; boot time not disclosed (445/tcp samba-guid)"
    ]
    assert answers[0]["reason"] == "the name cannot be resolved: Name or service not known"
    assert any("no free port (3 times)" in line for line in shown)


def test_a_run_of_its_own_is_closed_and_judges_nothing(context):
    told = probe(request(), context, ask)
    directory = rundir.find(context.results, told["run"])
    run = rundir.read_run(directory)
    assert (run.kind, run.verdict, run.scope.hosts, run.scope.limit) == ("probe", "observed", ("jump01",), "10.0.0.1-9")
    assert run.ended
    assert run.counts == {"open": 8, "filtered": 1}
    assert not (context.results / "latest").exists()
    with pytest.raises(BadInput, match=r"^There is nothing to report .*its answers are in .*probe\.$"):
        report(ReportRequest(run.id, None, ()), context)
    with pytest.raises(BreakwaterError, match=r"\.$"):
        approve_run(run.id, None, context)


def test_several_vantages_in_one_run(context, shown):
    opened = open_run(OpenRequest(("jump01", "jump02"), "", "recommended", None, kind="probe"), context)
    directory = rundir.find(context.results, opened["run"])
    probe(request(run=directory), context, ask)
    early = close_run(CloseRequest(opened["run"], None, "high", 0), context)
    assert (early["failed"], early["verdict"]) == (True, "incomplete")
    assert early["msg"] == "incomplete: 1 vantage hosts did not finish (jump02)"
    probe(request(run=directory, vantage="jump02"), context, ask)
    closed = close_run(CloseRequest(opened["run"], None, "high", 0), context)
    assert (closed["failed"], closed["verdict"], closed["counts"]) == (False, "observed", {"open": 16, "filtered": 2})
    assert "jump02: 8 open, 1 filtered, SMB1 accepted by 1, signing not required by 4, samba: 8" in shown
    assert {vantage for vantage, _answer in probes.answers(directory)} == {"jump01", "jump02"}


def test_a_variable_that_is_nearly_one_of_ours_stops_a_probe(context):
    with pytest.raises(BadInput, match=r"Cannot probe while a variable may be misspelt .*write breakwater_targets"):
        open_run(OpenRequest(("a",), "", "recommended", None, ("breakwater_target",), kind="probe"), context)


def test_the_answers_of_a_probe_may_be_part_of_an_audit(context):
    opened = open_run(OpenRequest(("nas01",), "", "recommended", None), context)
    directory = rundir.find(context.results, opened["run"])
    told = probe(request(run=directory), context, ask)
    assert told["run"] == opened["run"]
    assert rundir.read_run(directory).ended is None


def test_what_was_heard_stays_when_the_vantage_fails(context, shown):
    with pytest.raises(Unreachable):
        probe(request(), context, broken)
    (directory,) = rundir.newest_first(context.results)
    run = rundir.read_run(directory)
    assert (run.verdict, run.reasons) == ("incomplete", ("1 vantage hosts did not finish (jump01)",))
    assert [found["address"] for _vantage, found in probes.answers(directory)] == ["10.0.0.1", "10.0.0.2"]
    assert "jump01: broken off; what it heard until then is kept" in shown
    assert len(list(probes.attempts(directory))) == 2


def test_nothing_is_made_when_the_targets_cannot_be_used(context):
    for targets in (("8.8.8.8",), ("10.0.0.300",), ()):
        with pytest.raises(BadInput):
            probe(ProbeRequest(targets, Settings(), "jump01"), context, ask)
    assert not context.results.exists()


def test_a_name_that_the_user_gives_is_only_for_what_the_wire_does_not_tell(context):
    def silent(targets, settings, on_answer, progress):
        for target in targets:
            on_answer(smb(target, guid="00" * 15 + "ff"))
        return {}

    named = {"10.0.0.1": "mosmb", "10.0.0.2-3": "tuxera"}
    told = probe(request("10.0.0.1", "10.0.0.2-3", named=named), context, silent)
    assert [found["implementation"]["name"] for found in told["results"]] == ["mosmb", "tuxera", "tuxera"]
    assert told["results"][0]["implementation"]["named"] is True
    told = probe(request("10.0.0.1", named=named), context, ask)
    assert told["results"][0]["implementation"]["name"] == "samba"


def test_many_answers_are_in_the_file_alone(context, monkeypatch):
    monkeypatch.setattr(verb, "MAX_RETURNED", 4)
    told = probe(request("10.0.0.1-4"), context, ask)
    assert len(told["results"]) == 4
    told = probe(request("10.0.0.1-5"), context, ask)
    assert told["results"] == []
    assert len(lines(told)) == 7


def test_progress_is_told_now_and_then_and_the_file_follows(context, shown, monkeypatch):
    times = iter(range(0, 10_000, 4))
    monkeypatch.setattr(verb, "time", types.SimpleNamespace(monotonic=lambda: float(next(times))))
    probe(request("10.0.0.1-9"), context, ask)
    told = [line for line in shown if " of 9 targets" in line]
    assert told == [
        "jump01: 3 of 9 targets, 3 speak SMB, about 24 s left",
        "jump01: 6 of 9 targets, 5 speak SMB, about 12 s left",
        "jump01: 9 of 9 targets, 8 speak SMB, about 0 s left",
    ]


def test_text_of_the_peer_cannot_move_the_cursor(context, shown):
    def odd(targets, settings, on_answer, progress):
        for target in targets:
            on_answer(smb(target))
        return {"bad \x1b[2J\nnews": 1}

    probe(request("10.0.0.1", vantage="jump\x1b[2J"), context, odd)
    assert not [line for line in shown if "\x1b" in line]
