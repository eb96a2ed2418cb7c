# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook over breakwater.smb.paramiko: modules, loops, delegation, many hosts at once, and what users get to read."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import sshd as lab
from tests.lab.sshd import Sshd

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
USERS = {"alice": "alices-secret"}


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    lab.needed()
    with Sshd(users=USERS, sudoers="alice ALL=(ALL) ALL") as running:
        yield running


def play(
    directory: pathlib.Path, hosts: dict[str, dict[str, Any]], tasks: list[dict[str, Any]], *more: str
) -> tuple[int, str]:
    """Run a playbook of ``tasks`` in all hosts at once; return its exit code and all that it printed."""
    interpreter = {"ansible_python_interpreter": "/usr/bin/python3"}  # the virtual environment's may be root's alone
    (directory / "ansible.cfg").touch()
    inventory = {"all": {"hosts": {name: {**interpreter, **variables} for name, variables in hosts.items()}}}
    (directory / "hosts.json").write_text(json.dumps(inventory))
    (directory / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SSH_"))},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_PIPELINING": "1",
        "HOME": str(directory),
        "LC_ALL": "C.UTF-8",
    }
    command = [
        str(BIN / "ansible-playbook"),
        "-f",
        "50",
        "-i",
        str(directory / "hosts.json"),
        str(directory / "play.json"),
        *more,
    ]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=240
    )
    return done.returncode, done.stdout + done.stderr


def test_modules_loops_and_delegation(server: Sshd, tmp_path: pathlib.Path) -> None:
    hosts = {"one": server.variables(), "two": server.variables("alice")}
    hosts["two"]["ansible_become_password"] = USERS["alice"]
    tasks = [
        {"ansible.builtin.ping": None},
        {
            "ansible.builtin.copy": {"content": "text", "dest": "{{ dir }}/{{ inventory_hostname }}", "mode": "0600"},
            "become": True,
        },
        {"ansible.builtin.raw": "echo item {{ item }}", "loop": [1, 2, 3]},
        {"ansible.builtin.command": "id -un", "become": True, "register": "who"},
        {"ansible.builtin.assert": {"that": "who.stdout == 'root'"}},
        {"ansible.builtin.raw": "id -un", "delegate_to": "two", "register": "other"},
        {"ansible.builtin.assert": {"that": "other.stdout.strip() == 'alice'"}},
        {"ansible.builtin.raw": "id -un", "become": True, "register": "raw"},
        {"ansible.builtin.assert": {"that": "raw.stdout.strip() == 'root'"}},
        {"ansible.builtin.meta": "reset_connection"},
        {"ansible.builtin.raw": "sleep 60", "timeout": 2, "ignore_errors": True, "register": "late"},
        {"ansible.builtin.assert": {"that": "late is failed"}},
    ]
    (tmp_path / "dir").mkdir()
    code, output = play(tmp_path, hosts, tasks, "-e", f"dir={tmp_path}/dir")
    assert code == 0, output[-3000:]
    assert (tmp_path / "dir" / "two").read_text() == "text"
    assert "alices-secret" not in output
    assert "Deprecat" not in output.replace("[DEPRECATION WARNING]: ansible-core", "")


def test_one_channel_and_one_connection_per_task(server: Sshd, tmp_path: pathlib.Path) -> None:
    connections, executions = server.connections(), server.executions()
    code, output = play(tmp_path, {"one": server.variables()}, [{"ansible.builtin.raw": "true"}])
    assert code == 0, output
    assert (server.connections() - connections, server.executions() - executions) == (1, 1)


def test_twenty_hosts_at_once(server: Sshd, tmp_path: pathlib.Path) -> None:
    names = [f"host{number}" for number in range(1, 21)]
    hosts = {name: {**server.variables(), "ansible_host": "127.0.0.1"} for name in names}
    for name in names:
        hosts[name]["breakwater_paramiko_known_hosts"] = str(tmp_path / "shared" / "known")
        hosts[name]["breakwater_paramiko_host_key_auto_add"] = True
    executions = server.executions()
    code, output = play(tmp_path, hosts, [{"ansible.builtin.raw": "true"}])
    assert code == 0, output[-3000:]
    assert server.executions() - executions == 20
    assert (tmp_path / "shared" / "known").read_text() == server.entry()


def test_options_of_the_command_line(server: Sshd, tmp_path: pathlib.Path) -> None:
    variables = {
        name: value
        for name, value in server.variables().items()
        if name not in ("ansible_user", "ansible_ssh_private_key_file")
    }
    task = [
        {"ansible.builtin.raw": "id -un", "register": "who"},
        {"ansible.builtin.assert": {"that": "who.stdout.strip() == 'alice'"}},
    ]
    code, output = play(tmp_path, {"one": variables}, task, "-u", "alice", "--private-key", str(server.key), "-T", "7")
    assert code == 0, output


def test_what_a_user_reads(server: Sshd, tmp_path: pathlib.Path) -> None:
    good = server.variables("alice")
    wrong_password = {**good, "ansible_password": "wr0ng-secret", "ansible_ssh_private_key_file": ""}
    hosts = {
        "stranger": {**good, "breakwater_paramiko_known_hosts": "/dev/null"},
        "password": wrong_password,
        "closed": {**good, "ansible_port": lab.free_port()},
        "sudo": {**good, "ansible_become": True, "ansible_become_password": "wr0ng-secret"},
        "jinja": {**good, "ansible_host": "{{ 'no.such' ~ '.invalid' }}"},
    }
    code, output = play(tmp_path, hosts, [{"ansible.builtin.raw": "true"}])
    assert code != 0
    for sentence in (
        "is not known",
        "did not let alice in",
        "Connection refused",
        "Incorrect sudo password",
        "no.such.invalid",
    ):
        assert sentence in output
    assert "wr0ng-secret" not in output
    assert "Traceback" not in output
    assert (
        output.count("did not let alice in") <= 2
    )  # ansible-core 2.19 prints an error twice: as a message and in the result


def test_without_the_library(server: Sshd, tmp_path: pathlib.Path) -> None:
    (tmp_path / "paramiko.py").write_text("raise ImportError('hidden by the test')\n")
    os.environ["PYTHONPATH"], before = str(tmp_path), os.environ.get("PYTHONPATH")
    try:
        code, output = play(tmp_path, {"one": server.variables()}, [{"ansible.builtin.raw": "true"}])
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    assert code != 0
    assert "The Python library paramiko is missing" in output
    assert "Traceback" not in output


def test_documentation_prints() -> None:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
    }
    command = [str(BIN / "ansible-doc"), "-t", "connection", "breakwater.smb.paramiko"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "breakwater_paramiko_legacy_algorithms" in done.stdout
