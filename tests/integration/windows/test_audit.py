# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole audits of simulated Windows hosts by Ansible's own connections: verdicts, requests, bytes, rights, secrets."""

from __future__ import annotations

import json
import math
import subprocess

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from tests.lab import powershell
from tests.lab.playbooks import play
from tests.lab.windows import expected
from tests.lab.windows.connections import Kind
from tests.lab.windows.fleet import PASSWORD, fleet

HOSTS = sorted(path.stem for path in expected.HOSTS.glob("*.json"))
UNREADABLE = {"ws2022-constrained"}
REQUESTS: dict[Kind, int] = {"winrm-ntlm": 9, "winrm-basic-tls": 6, "psrp-basic-tls": 6, "psrp-ntlm": 9}
BYTES_UP = 100_000
PER_RECEIVE = 110_000


@pytest.fixture(autouse=True)
def shell():
    powershell.require()


def profile(folder) -> str:
    path = folder / "everything.yml"
    path.write_text(yaml.safe_dump(expected.everything(catalogue.controls())), encoding="utf-8")
    return str(path)


def secret_is_nowhere(folder, played) -> bool:
    found = subprocess.run(
        ["grep", "-rlF", PASSWORD, str(folder / "results")], capture_output=True, text=True, check=False
    )
    return found.returncode == 1 and PASSWORD not in played.output


@pytest.mark.once
@pytest.mark.parametrize("kind", ["winrm-ntlm", "psrp-basic-tls"])
def test_every_host_is_judged_as_people_say(tmp_path, kind: Kind):
    with fleet(HOSTS, kind, tmp_path) as hosts:
        played = play(
            "audit",
            hosts.inventory,
            tmp_path,
            "-f",
            "4",
            "-e",
            f"breakwater_profile={profile(tmp_path)}",
            seconds=900,
        )
        stats = {name: hosts[name].stats for name in HOSTS}
    wrong = {}
    for name in set(HOSTS) - UNREADABLE:
        wanted = expected.expected(name)
        found = expected.worst((control, verdict) for (control, _object), verdict in played.verdicts(name).items())
        wrong[name] = {
            control: (found.get(control), wanted.get(control))
            for control in (found.keys() | wanted.keys()) - expected.DATED
            if found.get(control) != wanted.get(control)
        }
    assert {name: differences for name, differences in wrong.items() if differences} == {}
    (reason,) = [error["reason"] for error in played.host("ws2022-constrained")["errors"]]
    assert "language mode" in reason
    assert played.run["verdict"] == "incomplete"
    assert played.code == 2
    for name, one in stats.items():
        assert one.executions == 1, name
        assert one.bytes_up <= BYTES_UP, (name, one)
        assert one.requests <= REQUESTS[kind] + math.floor(one.bytes_down / PER_RECEIVE), (name, one)
    assert secret_is_nowhere(tmp_path, played)


@pytest.mark.parametrize("kind", REQUESTS)
def test_budget(tmp_path, answer, kind: Kind):
    """One execution, so many requests and bytes on the wire; the answer is a real one of a stock Server 2022."""
    with fleet({"web01": "ws2022"}, kind, tmp_path, wrap=lambda name, run: answer.run) as hosts:
        played = play("audit", hosts.inventory, tmp_path)
        stats = hosts["web01"].stats
    assert played.run["verdict"] == "noncompliant"
    assert stats.executions == 1
    assert stats.requests <= REQUESTS[kind], stats
    assert stats.bytes_up <= BYTES_UP, stats
    assert secret_is_nowhere(tmp_path, played)


@pytest.mark.parametrize("kind", ["winrm-ntlm", "psrp-ntlm"])
def test_thousands_of_rules_and_shares_cost_one_request_per_110_kilobytes(tmp_path, kind: Kind):
    with fleet(["ws2022-large"], kind, tmp_path) as hosts:
        played = play("audit", hosts.inventory, tmp_path)
        stats = hosts["ws2022-large"].stats
    record = played.host("ws2022-large")
    assert len(record["facts"]["windows.share"]) > 500
    assert not [error for error in record.get("errors", ()) if error["section"] in ("connection", "collector")]
    more = math.ceil(stats.bytes_down / PER_RECEIVE)
    assert stats.requests <= REQUESTS[kind] + more, stats
    assert stats.bytes_up <= BYTES_UP + 2_000 * more, stats  # each Receive asks with an envelope of its own


def test_ipv6_names_and_other_ports_are_the_connections_business(tmp_path, answer):
    """Nothing of a host's address is looked at: what the connection reaches is audited."""
    with fleet({"web01": "ws2022"}, "winrm-ntlm", tmp_path, wrap=lambda name, run: answer.run) as hosts:
        hosts.inventory["web01"]["ansible_host"] = "localhost"
        played = play("audit", hosts.inventory, tmp_path)
    assert played.host("web01")["address"] == "localhost"
    assert len(played.verdicts("web01")) > 100


@pytest.mark.parametrize(("user", "lost"), [("auditor", True), ("localadmin", True), ("admin", False)])
def test_who_may_read_what(tmp_path, user, lost):
    """What an account may not read is unknown, with the reason, and nothing passes that the administrator sees fail."""
    names = ["ws2022", "ws2025", "ws2012r2"]
    with fleet(names, "winrm-ntlm", tmp_path, user=user) as hosts:
        played = play("audit", hosts.inventory, tmp_path, "-e", f"breakwater_profile={profile(tmp_path)}")
    for name in names:
        facts = played.host(name)["facts"]
        wanted = expected.expected(name)
        found = expected.worst((control, verdict) for (control, _object), verdict in played.verdicts(name).items())
        assert facts["host.privileged"][""]["effective"] is not lost
        unknown = {control for control, verdict in found.items() if verdict == "unknown"}
        assert (len(unknown) > 15) is lost, (name, sorted(unknown))
        passes = {control for control, verdict in found.items() if verdict in ("pass", "not_applicable")}
        assert [c for c in passes if wanted[c] == "fail" and c not in expected.DATED] == []
        if lost:
            assert "access denied" in json.dumps(facts).lower()


@pytest.mark.parametrize("method", [{}, {"ansible_become_method": "runas", "ansible_become_user": "SYSTEM"}])
def test_become_is_refused_in_one_sentence(tmp_path, answer, method):
    with fleet({"web01": "ws2022", "web02": "ws2022"}, "winrm-ntlm", tmp_path, wrap=lambda n, run: answer.run) as hosts:
        hosts.inventory["web01"] |= {"ansible_become": True, **method}
        played = play("audit", hosts.inventory, tmp_path)
        requests = hosts["web01"].stats.requests
    (error,) = played.host("web01")["errors"]
    assert error["section"] == "privilege"
    assert error["reason"] == (
        "Cannot become another user on Windows: become is set for this host; "
        "set ansible_become to false there, and connect as an administrator."
    )
    assert requests == 0
    assert len(played.verdicts("web02")) > 100


def test_a_host_of_powershell_2_is_marked_as_never_tried(tmp_path):
    with fleet(["ws2008r2", "ws2022"], "winrm-ntlm", tmp_path) as hosts:
        played = play("audit", hosts.inventory, tmp_path)
    assert played.host("ws2008r2")["labels"] == ["PowerShell 2.0: tried on simulated hosts only"]
    assert played.host("ws2022").get("labels", []) == []
    page = (played.results / "latest" / "reports" / "index.html").read_text(encoding="utf-8")
    assert "PowerShell 2.0: tried on simulated hosts only" in page
