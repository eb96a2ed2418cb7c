# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated Windows hosts of every age, remediated and rolled back over WinRM and PSRP as a user would."""

from __future__ import annotations

import json
import pathlib
import re
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.lab import powershell, samba_host
from tests.lab.playbooks import Played, play
from tests.lab.windows.connections import Kind
from tests.lab.windows.execution import Exec, Result, Run
from tests.lab.windows.fleet import PASSWORD, Fleet, fleet
from tests.lab.windows.simulated import SimulatedHost
from tests.lab.windows.wsman.faults import Fault

HOSTS = ("ws2008r2", "ws2012r2", "ws2016", "ws2019", "ws2022", "ws2025", "win11-24h2")
STEPS = ("audit", "check", "remediate", "after", "again", "rollback", "restored")
PLAYBOOK = {"check": "remediate", "after": "audit", "again": "remediate", "restored": "audit"}
KINDS: tuple[Kind, ...] = ("winrm-ntlm", "psrp-basic-tls")
WORSE = ("high", "critical")
ELSEWHERE = ("firewall", "patch")
"""Areas whose findings name what is to be done: no step of a remediation does it."""
LEFT = {
    "ws2008r2": {  # three sessions whose dialect and signing nobody can tell there
        "win-lm-compatibility-level": "in-use",
        "win-share-permissions": "edit",
        "win-smb-server-signing-required": "in-use",
        "win-smb1-client-dependency": "stage",
        "win-smb1-client-driver-off": "stage",
        "win-smb1-server-off": "in-use",
    },
    "ws2012r2": {  # a session of SMB 1
        "win-lm-compatibility-level": "in-use",
        "win-smb1-client-driver-off": "reboot",
        "win-smb1-feature-absent": "in-use",
        "win-smb1-server-off": "in-use",
    },
    "ws2016": {  # a session of SMB 1, and two clients in the log
        "win-lm-compatibility-level": "in-use",
        "win-share-permissions": "edit",
        "win-smb-server-signing-required": "in-use",
        "win-smb1-client-driver-off": "stage",
        "win-smb1-feature-absent": "in-use",
        "win-smb1-server-off": "in-use",
    },
    "ws2019": {"win-share-permissions": "edit"},
    "ws2022": {  # a session and a connection that are not signed
        "win-lm-compatibility-level": "stage",
        "win-smb-client-signing-required": "in-use",
        "win-smb-server-signing-required": "in-use",
    },
    "ws2025": {  # a client in the log that cannot sign
        "win-lm-compatibility-level": "stage",
        "win-smb-server-signing-required": "in-use",
    },
    "win11-24h2": {},
}
"""What is still grave afterwards on each host, and which rule held it back or what it waits for."""


@dataclass
class Step:
    """What a playbook did and left behind, by host."""

    played: Played
    run: dict[str, Any]
    records: dict[str, dict[str, Any]]
    executions: dict[str, int]
    states: dict[str, dict[str, Any]]

    def failing(self, name: str) -> dict[str, str]:
        """Return control → severity of what fails on a host."""
        return {f["control"]: f["severity"] for f in self.records[name]["findings"] if f["verdict"] == "fail"}

    def changed(self, name: str) -> int:
        """Return what Ansible's recap says."""
        recap = re.search(rf"^{name} .*changed=(\d+)", self.played.output, re.MULTILINE)
        assert recap, self.played.output
        return int(recap[1])

    def blocked(self, name: str) -> dict[str, dict[str, Any]]:
        """Return control → what held it back."""
        return {one["control"]: one for one in self.records[name]["remediation"].get("blocked", ())}

    def journal(self, name: str) -> list[dict[str, Any]]:
        """Return the lines that the controller keeps of a host."""
        path = self.played.results / self.run["id"] / "journal" / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def risky(self, name: str) -> bool:
        """Return whether a step could have cut the line that it came through."""
        return any(line.get("step", {}).get("risky") for line in self.journal(name))


def one_step(name: str, hosts: Fleet, folder: pathlib.Path, *arguments: str) -> Step:
    names = list(hosts.inventory)
    before = {one: hosts.executions(one) for one in names}
    played = play(PLAYBOOK.get(name, name), hosts.inventory, folder, "-f", "4", *arguments, seconds=900)
    return Step(
        played,
        played.run,
        {one: played.host(one) for one in names},
        {one: hosts.executions(one) - before[one] for one in names},
        {one: state(hosts, one) for one in names},
    )


def state(hosts: Fleet, name: str) -> dict[str, Any]:
    """Return all that the simulated host is: its registry with every absent value absent, its services, its rights."""
    document: dict[str, Any] = hosts.simulated[name].document()
    return document


@pytest.fixture(scope="module", params=KINDS)
def story(request, tmp_path_factory) -> dict[str, Step]:
    """Audit, look at the plan, remediate, audit, remediate again, roll back, audit: each once for all hosts."""
    powershell.require()
    folder = tmp_path_factory.mktemp("story")
    told: dict[str, Step] = {}
    with fleet(HOSTS, request.param, folder) as hosts:
        for name in STEPS:
            arguments: tuple[str, ...] = ("-e", '{"breakwater_batches": ["100%"]}')
            if name == "check":
                arguments += ("--check", "--diff")
            if name == "rollback":
                arguments += ("-e", f"breakwater_journal={told['remediate'].run['id']}")
            told[name] = one_step(name, hosts, folder, *arguments)
    return told


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_what_is_still_grave_is_exactly_what_a_rule_held_back(story, name):
    """Everything else that is high or worse, and that a step exists for, holds now."""
    remediation = story["remediate"].records[name]["remediation"]
    held = {control: one["kind"] for control, one in story["remediate"].blocked(name).items()}
    held |= {change["control"]: change["restart"] for change in remediation["changes"] if "restart" in change}
    grave = {
        finding["control"]
        for finding in story["after"].records[name]["findings"]
        if finding["verdict"] == "fail" and finding["severity"] in WORSE and finding["area"] not in ELSEWHERE
    }
    assert {control: held.get(control) for control in grave} == LEFT[name]
    assert story["remediate"].failing(name) == story["after"].failing(name)
    assert len(story["after"].failing(name)) < len(story["audit"].failing(name))


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_check_listed_exactly_what_was_done(story, name):
    planned = samba_host.made(story["check"].records[name])
    assert planned
    assert planned == samba_host.made(story["remediate"].records[name])
    for step, expected in (("check", "planned"), ("remediate", "done")):
        changes = story[step].records[name]["remediation"]["changes"]
        assert {change.get("state", "planned") for change in changes} == {expected}, step
    assert story["check"].states[name] == story["audit"].states[name]
    assert story["check"].changed(name) == story["remediate"].changed(name) == 1


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_a_second_time_changes_nothing(story, name):
    again = story["again"]
    assert again.changed(name) == 0, again.played.output
    assert samba_host.made(again.records[name]) == []
    assert again.states[name] == story["remediate"].states[name]


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_rollback_restores_the_state_and_every_finding(story, name):
    """Absent values are absent again, and every value has its type."""
    first, last = story["audit"].states[name], story["rollback"].states[name]
    assert {key for key in first.keys() | last.keys() if first.get(key) != last.get(key)} == set()
    assert story["remediate"].states[name] != first
    before, after = story["audit"].records[name], story["restored"].records[name]
    assert {
        k for k in before["facts"].keys() | after["facts"] if before["facts"].get(k) != after["facts"].get(k)
    } == set()
    assert after["findings"] == before["findings"]


@pytest.mark.once
def test_executions_counted_by_the_server(story):
    one = dict.fromkeys(HOSTS, 1)
    assert story["audit"].executions == one
    assert story["check"].executions == one
    # Everyone may log on over the network to each of them: that right is changed, with an undo armed.
    assert [name for name in HOSTS if not story["remediate"].risky(name)] == []
    assert story["remediate"].executions == dict.fromkeys(HOSTS, 3)
    assert story["again"].executions == one
    assert [name for name in HOSTS if story["remediate"].states[name]["tasks"]] == [], "an undo is still armed"


@pytest.mark.once
def test_secrets_are_nowhere(story):
    for step in story.values():
        assert PASSWORD not in step.played.output
        for path in step.played.results.rglob("*"):
            if path.is_file() and path.suffix in (".json", ".jsonl", ".txt", ".html", ".xml"):
                assert PASSWORD not in path.read_text(encoding="utf-8"), path


@pytest.mark.once
def test_the_journal_keeps_typed_old_values(story):
    """An undo must know that there was nothing, and what a value's type was."""
    for name in HOSTS:
        lines = story["remediate"].journal(name)
        registry = [line["step"] for line in lines if line["step"]["kind"] == "registry"]
        assert registry, name
        assert {"type"} <= set(registry[0]["after"]), name
        types = {step.get("before", {}).get("type", "none") for step in registry}
        assert types <= {"absent", "dword", "qword", "sz", "expand_sz", "multi_sz", "binary"}, (name, types)
        assert "absent" in types, name


@pytest.fixture
def everything(tmp_path):
    """Return a profile of all controls, strictly."""
    from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
    from tests.lab.windows import expected

    path = tmp_path / "everything.yml"
    path.write_text(yaml.safe_dump(expected.everything(catalogue.controls())), encoding="utf-8")
    return str(path)


def test_what_group_policy_owns_is_never_written(tmp_path):
    powershell.require()
    with fleet(["ws2019-hardened"], "winrm-ntlm", tmp_path) as hosts:
        # Somebody weakened the policy itself: now it asks for less than the profile does.
        first = state(hosts, "ws2019-hardened")
        step = one_step("remediate", hosts, tmp_path, "-e", "breakwater_profile=strict")
        policy = [one for one in step.blocked("ws2019-hardened").values() if one["kind"] == "policy"]
        assert policy, step.played.output
        for one in policy:
            assert "Baseline" in one["why"] or "Policies\\" in one["why"] or "policy" in one["why"], one
        changed = {change["control"] for change in step.records["ws2019-hardened"]["remediation"].get("changes", ())}
        assert changed & {one["control"] for one in policy} == set()
        after = state(hosts, "ws2019-hardened")
        assert after.get("gpos") == first.get("gpos")


def force(folder: pathlib.Path, host: str, *names: str) -> tuple[str, ...]:
    common = {"kind": "force", "hosts": host, "reason": "told", "owner": "alice", "expires": "2099-01-01"}
    path = folder / "exceptions.yml"
    path.write_text(yaml.safe_dump({"exceptions": [{**common, "control": name} for name in names]}), encoding="utf-8")
    return ("-e", f"breakwater_exceptions={path}")


def test_smb1_in_use_is_held_back_with_its_clients_and_forced(tmp_path):
    """Server 2016 has a session of SMB 1 and two clients in its log."""
    powershell.require()
    with fleet(["ws2016"], "winrm-ntlm", tmp_path) as hosts:
        first = state(hosts, "ws2016")
        step = one_step("remediate", hosts, tmp_path)
        held = [one for one in step.blocked("ws2016").values() if one["kind"] == "in-use" and "smb1" in one["control"]]
        assert held, step.blocked("ws2016")
        users = " ".join(user for one in held for user in one["users"])
        assert "10.20.9.40" in users
        assert "10.20.7.3" in users
        assert step.records["ws2016"]["remediation"]["watched"]
        before = {one["control"] for one in held}
        assert before <= set(step.failing("ws2016"))
        stages = [one["control"] for one in step.blocked("ws2016").values() if one["kind"] in ("in-use", "stage")]
        forced = one_step("remediate", hosts, tmp_path, *force(tmp_path, "ws2016", *stages))
        remediation = forced.records["ws2016"]["remediation"]
        assert before <= {change["control"] for change in remediation["changes"]}, forced.blocked("ws2016")
        assert remediation["reboot_required"] and "reboot" in remediation["pending"]
        assert "win-smb1-feature-absent" in forced.failing("ws2016"), "nobody says that SMB1 is still there"
        hosts.simulated["ws2016"].reboot()
        rebooted = one_step("after", hosts, tmp_path)
        assert {control for control in rebooted.failing("ws2016") if "smb1" in control} == set()
        assert first["features"] != rebooted.states["ws2016"]["features"]
        # And all the way back, over a reboot that brings the drivers again.
        for run in (forced, step):
            back = one_step("rollback", hosts, tmp_path, "-e", f"breakwater_journal={run.run['id']}")
            assert back.played.code == 0, back.played.output
        hosts.simulated["ws2016"].reboot()
        last = state(hosts, "ws2016")
        other = {key for key in first.keys() | last.keys() if first.get(key) != last.get(key)}
        assert other <= {"boots", "payload", "services"}, other  # numbers of processes; the registry is as it was


RIGHTS = ("-e", '{"breakwater_controls": ["win-right-*"]}')
NO_RIGHTS = ("-e", '{"breakwater_exclude": ["win-right-*", "*-ntlm-*"]}')


def test_a_right_is_changed_with_an_undo_armed_and_confirmed_over_a_new_connection(tmp_path):
    powershell.require()
    with fleet(["ws2019"], "winrm-ntlm", tmp_path) as hosts:
        connections, first = hosts["ws2019"].stats.connections, state(hosts, "ws2019")
        step = one_step("remediate", hosts, tmp_path, *RIGHTS)
        assert step.risky("ws2019"), step.journal("ws2019")
        assert step.executions["ws2019"] == 3
        assert hosts["ws2019"].stats.connections - connections >= 2
        assert step.states["ws2019"]["tasks"] == {}, "the undo is still armed"
        assert {key for key in first if first[key] != step.states["ws2019"][key]} == {"user_rights"}


def test_without_a_risk_two_executions_are_enough(tmp_path):
    powershell.require()
    with fleet({"web01": "ws2022", "web02": "ws2019"}, "psrp-ntlm", tmp_path) as hosts:
        step = one_step("remediate", hosts, tmp_path, *NO_RIGHTS)
        assert not step.risky("web01") and not step.risky("web02")
        assert step.changed("web01") == step.changed("web02") == 1
        assert step.executions == {"web01": 2, "web02": 2}


@pytest.mark.once  # it waits for the timer of the undo
def test_unconfirmed_a_right_is_undone_by_the_host_itself(tmp_path):
    """The login that was changed does not let anybody in any more: the host's own timer puts it back."""
    powershell.require()
    ran: list[str] = []
    simulated: list[SimulatedHost] = []

    def locked_out(name: str, run: Run) -> Run:
        def instead(execution: Exec) -> Result:
            ran.append(name)
            if len(ran) == 3:  # after looking and changing: the confirmation
                assert simulated[0].document()["tasks"], "nothing was armed"
                simulated[0].wait(600)
                return Result(b"", b"Access is denied.\r\n", 5)
            return run(execution)

        return instead

    with fleet(["ws2019"], "winrm-ntlm", tmp_path, wrap=locked_out) as hosts:
        simulated.append(hosts.simulated["ws2019"])
        first = state(hosts, "ws2019")
        step = one_step("remediate", hosts, tmp_path, *RIGHTS)
        assert step.played.code != 0
        failed = step.records["ws2019"]["remediation"]["failed"]
        assert "undone" in failed and "confirmed" in failed, failed
        after = step.states["ws2019"]
        assert {key for key in first.keys() | after.keys() if first.get(key) != after.get(key)} <= {"clock"}


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("winrm-ntlm", Fault("drop-after", "Send", nth=2)), ("psrp-ntlm", Fault("drop", "Receive", nth=3))],
)
def test_a_lost_connection_while_it_changes_is_finished_or_undone(tmp_path, kind, fault):
    powershell.require()
    with fleet(["ws2019"], kind, tmp_path, faults={"ws2019": (fault,)}) as hosts:
        first = state(hosts, "ws2019")
        broken = one_step("remediate", hosts, tmp_path, *NO_RIGHTS)
        assert "connection" in broken.records["ws2019"]["remediation"]["failed"], broken.played.output
        assert broken.run["verdict"] == "incomplete"
        again = one_step("remediate", hosts, tmp_path, *NO_RIGHTS)
        assert again.records["ws2019"]["remediation"].get("failed", "") == ""
        for run in (again, broken):
            back = one_step("rollback", hosts, tmp_path, "-e", f"breakwater_journal={run.run['id']}")
            assert back.records["ws2019"]["remediation"].get("failed", "") == "", back.played.output
        last = state(hosts, "ws2019")
        assert {key for key in first.keys() | last.keys() if first.get(key) != last.get(key)} == set()
