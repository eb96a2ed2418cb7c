# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that change hosts, on recorded ones, which nobody can change: batches, closing, and what is refused."""

from __future__ import annotations

import json
import pathlib
import re

import pytest

from tests.lab.playbooks import ROOT, play

QUIET = {"ANSIBLE_STDOUT_CALLBACK": "breakwater.smb.progress"}


def hosts(*more: str) -> dict[str, dict[str, str]]:
    recordings = {path.stem: str(path) for path in (ROOT / "demo" / "recordings").glob("*.txt")}
    named = sorted({**recordings, **dict.fromkeys(more, "/nowhere")}.items())
    return {name: {"ansible_connection": "replay", "breakwater_recording": path} for name, path in named}


def runs(results: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in results.glob("2*") if path.is_dir())


def summaries(output: str) -> int:
    """Return how often a summary was printed."""
    return len(re.findall(r"^ *Verdict: ", output, re.MULTILINE))


def test_a_plan_for_all_hosts_touches_nothing_and_is_summed_up_once(tmp_path):
    played = play("remediate", hosts(), tmp_path, "--check", "--diff")
    assert played.code == 0, played.output
    assert summaries(played.output) == 1
    assert played.output.count("TASK [Remediate the host]") == 3, "one host, one of the rest, the rest"
    assert played.run["check"] is True
    assert played.run["kind"] == "remediate"
    assert played.run["verdict"] == "noncompliant"
    assert re.search(r"^-NT1$", played.output, re.MULTILINE)
    assert re.search(r"^\+SMB2_10$", played.output, re.MULTILINE)
    for name in hosts():
        assert played.host(name)["remediation"]["check"] is True
        assert re.search(rf"^{name} .*changed={int(name != 'hardened')} .*failed=0", played.output, re.MULTILINE)
    assert not (runs(played.results)[-1] / "journal").exists()


def test_a_plan_is_no_baseline_for_the_next_audit(tmp_path):
    play("remediate", hosts(), tmp_path, "--check")
    play("audit", hosts(), tmp_path)
    fleet = json.loads((runs(tmp_path / "results")[-1] / "fleet.json").read_text(encoding="utf-8"))
    assert fleet.get("baseline") is None


def test_the_first_failure_stops_the_batches_and_closes_the_run(tmp_path):
    played = play("remediate", hosts("aa"), tmp_path, "--check")
    assert played.code == 2
    assert summaries(played.output) == 1
    assert played.output.count("TASK [Remediate the host]") == 1
    assert played.run["verdict"] == "incomplete"
    assert "another host failed" in played.host("smb1")["errors"][0]["reason"]
    assert "/nowhere" in played.host("aa")["errors"][0]["reason"]


def test_a_failure_in_the_last_batch_leaves_the_others_as_they_are(tmp_path):
    played = play("remediate", hosts("zz"), tmp_path, "--check", "-e", '{"breakwater_batches": ["100%"]}')
    assert played.code == 2
    assert summaries(played.output) == 1
    assert played.run["verdict"] == "incomplete"
    assert played.host("smb1")["findings"]


def test_the_progress_callback_knows_the_verb(tmp_path):
    played = play("remediate", hosts(), tmp_path, "--check", "--diff", **QUIET)
    assert played.code == 0, played.output
    assert "1 of 1 hosts planned" in played.output
    for word in ("PLAY", "TASK", "ok:", "RECAP"):
        assert word not in played.output
    assert re.search(r"^smb1:$", played.output, re.MULTILINE)
    assert re.search(r"^\+SMB2_10$", played.output, re.MULTILINE)


def test_variables_are_text_on_the_command_line(tmp_path):
    extra = (
        "breakwater_observe_days=14 breakwater_restart=true breakwater_reboot=no breakwater_areas=signing,dialect"
        " breakwater_stages=observe,signing breakwater_exclude='samba-client-*'"
    )
    played = play("remediate", hosts(), tmp_path, "--check", "-e", extra, "-e", '{"breakwater_window": "22:00-04:00"}')
    assert played.code == 0, played.output
    assert "WARNING" not in played.output
    controls = {change["control"] for change in played.host("smb1")["remediation"].get("changes", ())}
    held = {item["control"] for item in played.host("smb1")["remediation"].get("blocked", ())}
    assert "samba-server-signing" in controls | held
    assert "samba-map-to-guest" not in controls | held
    assert "samba-server-min-protocol" not in controls


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("breakwater_areas=dialekt", "'dialekt' fits none; did you mean 'dialect'?"),
        ("breakwater_controls=samba-*,ksmbd-*", "'ksmbd-*' fits none"),
        ("breakwater_window=always", "breakwater_window"),
        ("breakwater_observe_days=-1", "breakwater_observe_days"),
        ("breakwater_stages=later", "value of stages must be one or more of: observe"),
        ("breakwater_observe_days=soon", "observe_days"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, extra, said):
    played = play("remediate", hosts(), tmp_path, "--check", "-e", extra)
    assert played.code == 2
    assert said in played.output, played.output
    assert played.run["verdict"] == "incomplete"


def test_a_recorded_host_cannot_be_changed(tmp_path):
    played = play("remediate", {"smb1": hosts()["smb1"]}, tmp_path)
    assert played.code == 2
    assert "A recorded host cannot be changed" in played.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Cannot roll back: no run is named; set breakwater_journal to the id that the change told."),
        (("-e", "breakwater_journal=latest"), "Cannot find the journal"),
        (("-e", "breakwater_journal=20200101T000000Z-none"), "Cannot find the journal"),
    ],
)
def test_a_rollback_of_nothing_is_one_sentence_and_opens_no_run(tmp_path, arguments, said):
    played = play("rollback", hosts(), tmp_path, *arguments)
    assert played.code == 2
    assert said in played.output, played.output
    assert runs(played.results) == []
