# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated Windows hosts of every age, remediated and rolled back over WinRM and PSRP as a user would."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.lab import powershell, story
from tests.lab.playbooks import force_exceptions, play
from tests.lab.story import differing
from tests.lab.windows.connections import Kind
from tests.lab.windows.execution import Exec, Result, Run
from tests.lab.windows.fleet import PASSWORD, Fleet, fleet
from tests.lab.windows.simulated import SimulatedHost
from tests.lab.windows.wsman.faults import Fault

HOSTS = ("ws2008r2", "ws2012r2", "ws2016", "ws2019", "ws2022", "ws2025", "win11-24h2")
KINDS: tuple[Kind, ...] = ("winrm-ntlm", "psrp-basic-tls")
WORSE = ("high", "critical")
ELSEWHERE = ("firewall", "patch")
"""Areas whose findings name what is to be done: no step of a remediation does it."""
LEFT = {
    "ws2008r2": {  # three sessions whose dialect and signing nobody can tell there, nor what the host is connected to
        "win-lm-compatibility-level": "in-use",
        "win-share-permissions": "edit",
        "win-smb-client-signing-required": "no-evidence",
        "win-smb-server-signing-required": "in-use",
        "win-smb1-client-dependency": "no-evidence",
        "win-smb1-client-driver-off": "no-evidence",
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


class Step(story.Step):
    """What a playbook did and left behind, by host, with its journals."""

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
    played = play(story.PLAYBOOK.get(name, name), hosts.inventory, folder, "-f", "4", *arguments, seconds=900)
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
def told(request, tmp_path_factory) -> dict[str, Step]:
    """The whole of it once for all hosts."""
    powershell.require()
    folder = tmp_path_factory.mktemp("story")
    with fleet(HOSTS, request.param, folder) as hosts:
        return story.tell(lambda name, *arguments: one_step(name, hosts, folder, *arguments))


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_what_is_still_grave_is_exactly_what_a_rule_held_back(told, name):
    """Everything else that is high or worse, and that a step exists for, holds now."""
    remediation = told["remediate"].records[name]["remediation"]
    held = {control: one["kind"] for control, one in told["remediate"].blocked(name).items()}
    held |= {change["control"]: change["restart"] for change in remediation["changes"] if "restart" in change}
    grave = {
        finding["control"]
        for finding in told["after"].records[name]["findings"]
        if finding["verdict"] == "fail" and finding["severity"] in WORSE and finding["area"] not in ELSEWHERE
    }
    assert {control: held.get(control) for control in grave} == LEFT[name]
    assert told["remediate"].failing(name) == told["after"].failing(name)
    assert len(told["after"].failing(name)) < len(told["audit"].failing(name))


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_check_listed_exactly_what_was_done(told, name):
    story.check_plan(told, name)


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_a_second_time_changes_nothing(told, name):
    story.check_again(told, name)


@pytest.mark.once
@pytest.mark.parametrize("name", HOSTS)
def test_rollback_restores_the_state_and_every_finding(told, name):
    """Absent values are absent again, and every value has its type."""
    first, last = told["audit"].states[name], told["rollback"].states[name]
    assert differing(first, last) == set()
    assert told["remediate"].states[name] != first
    before, after = told["audit"].records[name], told["restored"].records[name]
    assert differing(before["facts"], after["facts"]) == set()
    assert after["findings"] == before["findings"]


@pytest.mark.once
def test_executions_counted_by_the_server(told):
    one = dict.fromkeys(HOSTS, 1)
    assert told["audit"].executions == one
    assert told["check"].executions == one
    # Everyone may log on over the network to each of them: that right is changed, with an undo armed.
    assert [name for name in HOSTS if not told["remediate"].risky(name)] == []
    assert told["remediate"].executions == dict.fromkeys(HOSTS, 3)
    assert told["again"].executions == one
    assert [name for name in HOSTS if told["remediate"].states[name]["tasks"]] == [], "an undo is still armed"


@pytest.mark.once
def test_secrets_are_nowhere(told):
    for step in told.values():
        assert PASSWORD not in step.played.output
        for path in step.played.results.rglob("*"):
            if path.is_file() and path.suffix in (".json", ".jsonl", ".txt", ".html", ".xml"):
                assert PASSWORD not in path.read_text(encoding="utf-8"), path


@pytest.mark.once
def test_the_journal_keeps_typed_old_values(told):
    """An undo must know that there was nothing, and what a value's type was."""
    for name in HOSTS:
        lines = told["remediate"].journal(name)
        registry = [line["step"] for line in lines if line["step"]["kind"] == "registry"]
        assert registry, name
        assert {"type"} <= set(registry[0]["after"]), name
        types = {step.get("before", {}).get("type", "none") for step in registry}
        assert types <= {"absent", "dword", "qword", "sz", "expand_sz", "multi_sz", "binary"}, (name, types)
        assert "absent" in types, name


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
        forced = one_step("remediate", hosts, tmp_path, *force_exceptions(tmp_path, "ws2016", stages))
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
        other = differing(first, last)
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
        assert differing(first, step.states["ws2019"]) == {"user_rights"}


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
        assert differing(first, step.states["ws2019"]) <= {"clock"}


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
        assert differing(first, state(hosts, "ws2019")) == set()
