# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback breakwater.smb.progress, on a terminal and off it, with the ansible-core that runs the tests."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import subprocess

from tests.lab.playbooks import BIN, ROOT, environment, play

QUIET = {"ANSIBLE_STDOUT_CALLBACK": "breakwater.smb.progress"}
MIXED = """
- hosts: all
  gather_facts: false
  tasks:
    - name: A task of somebody else
      ansible.builtin.debug: {msg: hello}
    - name: Ours that nobody needs to see
      breakwater.smb.audit: {}
    - name: Ours that fails
      breakwater.smb.run: {state: closed, run: "\\e[2Jevil\\u202e"}
      run_once: true
      ignore_errors: true
    - name: Ours that is skipped
      breakwater.smb.audit: {}
      when: false
    - name: Another that fails
      ansible.builtin.fail: {msg: "no luck"}
      when: inventory_hostname == 'smb1'
"""


def hosts() -> dict:
    recordings = sorted((ROOT / "demo" / "recordings").glob("*.txt"))
    found = {path.stem: {"ansible_connection": "replay", "breakwater_recording": str(path)} for path in recordings}
    return {**found, "gone": {"ansible_connection": "replay", "breakwater_recording": "/nowhere\x1b[2J"}}


def command(folder: pathlib.Path, playbook: str) -> list[str]:
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts()}}), encoding="utf-8")
    return [str(BIN / "ansible-playbook"), playbook, "-i", str(inventory), "-e", f"breakwater_results={folder}/results"]


def test_an_audit_is_quiet(tmp_path):
    played = play("audit", hosts(), tmp_path, **QUIET)
    assert played.code == 2
    number = len(hosts())
    assert played.output.strip().splitlines()[0] == f"{number} of {number} hosts audited, {number - 1} with findings"
    for word in ("PLAY", "TASK", "ok:", "RECAP", "\x1b", "localhost"):
        assert word not in played.output, played.output
    assert "gone" in played.output and "NOT READ" in played.output
    assert "FAILED: incomplete: " in played.output


def test_tasks_of_others_look_as_always(tmp_path):
    playbook = tmp_path / "mixed.yml"
    playbook.write_text(MIXED, encoding="utf-8")
    done = subprocess.run(
        command(tmp_path, str(playbook)),
        capture_output=True,
        text=True,
        env=environment(**QUIET),
        cwd=tmp_path,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 2, output
    for words in (
        "PLAY [all]",
        "TASK [A task of somebody else]",
        '"msg": "hello"',
        "no luck",
        "PLAY RECAP",
        "fatal: [smb1]",
    ):
        assert words in output, output
    assert "Ours" not in output
    assert "FAILED: gone: Cannot connect" in output
    assert re.search(r"FAILED: Cannot find the run .*is no run id.*\(ignored\)", output)
    assert f"{len(hosts())} of {len(hosts())} hosts audited" in output
    assert "\x1b" not in output and "\u202e" not in output


def test_one_live_line_on_a_terminal(tmp_path):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        command(tmp_path, "breakwater.smb.audit"),
        stdout=terminal,
        stderr=terminal,
        stdin=subprocess.DEVNULL,
        env=environment(TERM="xterm", **QUIET),
        cwd=tmp_path,
    )
    os.close(terminal)
    received = b""
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:  # the other end was closed
            break
        if not chunk:
            break
        received += chunk
    os.close(controller)
    assert process.wait(60) == 2
    text = received.decode()
    number = len(hosts())
    for done in range(1, number + 1):
        assert f"\r\x1b[K{done} of {number} hosts audited" in text
    assert " s left" in text
    assert "TASK" not in text
    assert "evil" not in text and "\x1b[2J" not in text
