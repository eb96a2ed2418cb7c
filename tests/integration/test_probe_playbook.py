# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""probe.yml and probe_info as a user runs them: from the controller, from a vantage host, and with everything that can be wrong."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.lab import sshd as ssh_lab
from tests.lab.named_server import named
from tests.lab.playbooks import command, ended, environment, play
from tests.lab.probe import smbd, space
from tests.lab.sshd import Sshd

HOSTILE = "{{ 7*7 }}<b>\x1b[2J"
SHOWN = "{{ 7*7 }}<b>\\x1b[2J"


def directory(played):
    """Return the directory of the one run that was made."""
    (found,) = [path for path in played.results.iterdir() if path.is_dir()]
    return found


def answers(played, vantage="localhost"):
    text = (directory(played) / "probe" / f"{vantage}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tasks(tmp_path, *entries, hosts="localhost"):
    """Write a playbook of one play."""
    path = tmp_path / "play.yml"
    path.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": list(entries)}]), encoding="utf-8")
    return str(path)


def extra(**variables):
    return ("-e", json.dumps({f"breakwater_{name}": value for name, value in variables.items()}))


def test_the_playbook_asks_records_and_says_what_it_heard(tmp_path):
    with named(HOSTILE) as port:
        played = play("probe", {}, tmp_path, *extra(targets=["127.0.0.1", "127.0.0.1-2"], ports=[port]))
    assert played.code == 0, played.output
    run = json.loads((directory(played) / "run.json").read_text(encoding="utf-8"))
    assert (run["kind"], run["verdict"], run["scope"]["hosts"]) == ("probe", "observed", ["localhost"])
    assert not (played.results / "latest").exists()
    head, *found, tail = answers(played)
    assert head["targets"] == ["127.0.0.1", "127.0.0.1-2"]
    assert [answer["address"] for answer in sorted(found, key=lambda one: one["address"])] == ["127.0.0.1", "127.0.0.2"]
    told = next(answer for answer in found if answer["address"] == "127.0.0.1")["ports"][f"{port}/tcp"]
    assert {name for name, one in told["dialects"].items() if one["answer"] == "accepted"} == {"2.0.2", "2.1"}
    assert told["ntlm"]["dns_computer"] == SHOWN
    assert tail["states"] == {"open": 1, "closed": 1}
    assert "localhost: 1 open, 1 closed, SMB1 accepted by 0, signing not required by 1, unknown: 1" in played.output
    assert HOSTILE not in played.output

    refused = play("report", {}, tmp_path, "-e", f"breakwater_run={run['id']}")
    assert refused.code == 2
    assert "that run is a probe, which judges nothing" in refused.output
    approved = play("approve", {}, tmp_path, "-e", f"breakwater_run={run['id']}")
    assert approved.code == 2


def test_without_targets_the_inventory_is_asked(tmp_path):
    hosts = {
        "here": {"ansible_host": "127.0.0.1", "breakwater_implementation": "mosmb"},
        "there": {"ansible_host": "127.0.0.2"},
        "far": {"ansible_host": "8.8.8.8"},
    }
    with named("NAS01") as port:
        played = play("probe", hosts, tmp_path, *extra(hosts="here:there", ports=[port], checks="dialects,identity"))
    assert played.code == 0, played.output
    found = {line["target"]: line for line in answers(played) if "target" in line}
    assert found.keys() == {"127.0.0.1", "127.0.0.2"}
    assert found["127.0.0.1"]["implementation"]["name"] == "mosmb"
    assert found["127.0.0.1"]["smb1_attempts"] == []
    assert found["127.0.0.1"]["ports"].keys() == {f"{port}/tcp"}


@pytest.mark.parametrize(
    ("variables", "seen"),
    [
        ({"targets": ["8.8.8.8"]}, "The target may not be probed (8.8.8.8): 8.8.8.8 is no private address"),
        ({"targets": ["10.0.0.0/33"]}, "'33' is no prefix length"),
        ({"targets": "smb://nas01/share"}, "it looks like a share or a URL"),
        ({"targets": []}, "no target is named; set breakwater_targets"),
        ({}, "no target is named; set breakwater_targets"),
        ({"targets": ["127.0.0.1"], "ports": [70000]}, "The option ports cannot be used: [70000]"),
        ({"targets": ["127.0.0.1"], "ports": "smb"}, "unable to convert to int"),
        ({"targets": ["127.0.0.1"], "checks": ["dialect"]}, "value of checks must be one or more of"),
        ({"targets": ["127.0.0.1"], "scope": "nothing.yml"}, "Cannot read the scope file"),
        ({"target": ["127.0.0.1"]}, "Cannot probe while a variable may be misspelt (breakwater_target)"),
        ({"targets": ["fd00::/64"]}, "The targets are too many"),
    ],
)
def test_what_a_user_can_do_wrong_is_one_sentence_and_not_0(tmp_path, variables, seen):
    played = play("probe", {}, tmp_path, *extra(**variables), ANSIBLE_STDOUT_CALLBACK="breakwater.smb.progress")
    assert played.code == 2, played.output
    lines = [line for line in played.output.splitlines() if line.startswith("FAILED:")]
    assert len(lines) == 1, played.output
    assert seen in lines[0]


def test_a_scope_file_lets_other_addresses_be_asked(tmp_path):
    scope = tmp_path / "scope.yml"
    scope.write_text("scope:\n  - {network: 192.0.2.0/24, reason: a test, owner: alice, expires: 2020-01-31}\n")
    played = play("probe", {}, tmp_path, *extra(targets=["192.0.2.1"], scope=str(scope)))
    assert played.code == 2
    assert "what alice answered for expired on 2020-01-31" in played.output


def test_the_module_returns_what_it_recorded(tmp_path):
    with named("NAS01") as port:
        module = {
            "breakwater.smb.probe_info": {
                "targets": f"127.0.0.1:{port},[::1]:{port}",
                "results": str(tmp_path / "results"),
            },
            "register": "wire",
        }
        copy = {
            "ansible.builtin.copy": {
                "content": "{{ wire | to_json }}",
                "dest": str(tmp_path / "told.json"),
                "mode": "0600",
            }
        }
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        played = play(tasks(tmp_path, module, copy), {"localhost": local}, tmp_path)
    assert played.code == 0, played.output
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert (told["asked"], told["states"], told["changed"]) == (2, {"open": 1, "closed": 1}, False)
    assert told["results"] == [line for line in answers(played) if "target" in line]
    assert told["dialects"] == {"2.0.2": 1, "2.1": 1}
    assert told["vantage"] == "localhost"
    assert json.loads((pathlib.Path(told["directory"]) / "run.json").read_text())["verdict"] == "observed"


@pytest.fixture(scope="module")
def jump():
    ssh_lab.needed()
    with Sshd() as running:
        yield running


def python39() -> str:
    """Return the oldest Python that a vantage host may have, where it is installed; else the system's."""
    named_so = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")).glob(
        "versions/3.9*/bin/python"
    )
    return next((str(path) for path in named_so), "/usr/bin/python3")


def test_a_vantage_host_asks_in_portions_and_every_answer_is_recorded(tmp_path, jump):
    hosts = {"jump01": {**jump.variables(), "ansible_python_interpreter": python39()}}
    with named(HOSTILE, "127.9.2.7") as port:
        played = play(
            "probe",
            hosts,
            tmp_path,
            *extra(vantage="jump01", targets=["127.9.0.1-127.9.2.87"], ports=[port], checks=["dialects", "identity"]),
        )
    assert played.code == 0, played.output
    head, *found, tail = answers(played, "jump01")
    assert head["vantage"] == "jump01"
    assert len(found) == 599
    assert len({answer["address"] for answer in found}) == 599
    assert tail["states"] == {"open": 1, "closed": 598}
    told = next(answer for answer in found if answer["address"] == "127.9.2.7")
    assert told["target"] == "127.9.0.1-127.9.2.87"
    assert told["ports"][f"{port}/tcp"]["ntlm"]["target"] == SHOWN
    assert told["implementation"]["name"] == "unknown"
    assert json.loads((directory(played) / "run.json").read_text())["verdict"] == "observed"


def test_delegation_names_the_vantage(tmp_path, jump):
    hosts = {
        "jump01": {**jump.variables(), "ansible_python_interpreter": "/usr/bin/python3"},
        "nas01": {"ansible_host": "127.0.0.1", "ansible_connection": "local"},
    }
    with named("NAS01") as port:
        module = {
            "breakwater.smb.probe_info": {
                "targets": ["{{ ansible_host }}"],
                "ports": [port],
                "checks": ["dialects"],
                "results": str(tmp_path / "results"),
            },
            "delegate_to": "jump01",
        }
        played = play(tasks(tmp_path, module, hosts="nas01"), hosts, tmp_path, "--check")
    assert played.code == 0, played.output
    assert [line["target"] for line in answers(played, "jump01") if "target" in line] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("variables", "seen"),
    [
        ({"ansible_python_interpreter": "/usr/bin/python0"}, "The vantage host could not probe (jump01)"),
        ({"ansible_port": 1}, "Connection refused"),
    ],
)
def test_a_vantage_host_that_cannot_probe_is_one_sentence(tmp_path, jump, variables, seen):
    hosts = {"jump01": {**jump.variables(), **variables}}
    played = play(
        "probe",
        hosts,
        tmp_path,
        *extra(vantage="jump01", targets=["127.0.0.1"]),
        ANSIBLE_STDOUT_CALLBACK="breakwater.smb.progress",
    )
    assert played.code == 2, played.output
    (line,) = [line for line in played.output.splitlines() if line.startswith("FAILED:")]
    assert seen in line
    assert json.loads((directory(played) / "run.json").read_text())["verdict"] == "incomplete"


def test_a_windows_vantage_is_refused(tmp_path):
    hosts = {
        "win01": {
            "ansible_connection": "winrm",
            "ansible_host": "127.0.0.1",
            "ansible_password": "x",
            "ansible_user": "x",
        }
    }
    played = play("probe", hosts, tmp_path, *extra(vantage="win01", targets=["127.0.0.1"]))
    assert played.code == 2
    assert "The vantage host cannot probe (win01): it is a Windows host; choose one with Python 3.9" in played.output


def test_real_servers_are_told_apart_in_a_network_of_their_own(tmp_path):
    space.require()
    smbd.require()
    servers = {
        "old": smbd.Server("old01", ("10.64.0.1",), ["server min protocol = NT1"]),
        "hard": smbd.Server(
            "hard01", ("10.64.0.2", "fd64::2"), ["server min protocol = SMB3_11", "server signing = mandatory"]
        ),
    }
    tmp_path.chmod(0o755)
    with space.space() as lab, smbd.running(lab, servers, tmp_path / "smbd"):
        words = command("probe", {}, tmp_path, *extra(targets=["10.64.0.0/29", "fd64::2", "10.80.0.1"]))
        done = subprocess.run(
            [*lab.enter, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            check=False,
            timeout=300,
        )
        played = ended(done.returncode, done.stdout + done.stderr, tmp_path)
    assert played.code == 0, played.output
    found = {line["address"]: line for line in answers(played) if "target" in line}
    assert len(found) == 8
    told = found["10.64.0.1"]["implementation"]
    assert (told["name"], told["version"][:2]) == ("samba", "4.")
    assert found["fd64::2"]["implementation"]["evidence"][0].startswith("GUID spells the name hard01")
    assert "SMB1 accepted by 1, signing not required by 1, samba: 3" in played.output
    assert found["10.64.0.1"]["smb1_attempts"]


def test_a_vantage_that_does_not_exist_is_one_sentence(tmp_path):
    played = play("probe", {}, tmp_path, "-e", "breakwater_vantage=nohost", "-e", "breakwater_targets=127.0.0.1")
    assert played.code != 0
    assert "breakwater_vantage 'nohost' is no host of the inventory" in " ".join(played.output.split())
