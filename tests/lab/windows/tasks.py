# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible against Windows hosts of the lab, without Breakwater: a module, or one execution as our action plugins do it."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.playbooks import BIN, environment

HERE = pathlib.Path(__file__).resolve().parent
PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "


@dataclass(frozen=True)
class Played:
    """How a playbook ended, and what ``lab_exec`` got on each host."""

    code: int
    output: str
    answers: dict[str, dict[str, Any]]


def encoded(script: str) -> str:
    """Return the command line that runs a small script."""
    return PREFIX + base64.b64encode(script.encode("utf-16-le")).decode()


def play(
    folder: pathlib.Path,
    hosts: dict[str, dict[str, Any]],
    tasks: list[dict[str, Any]],
    *arguments: str,
    timeout: float = 120,
    variables: Mapping[str, str] | None = None,
) -> Played:
    """Run the tasks on all hosts at once, with further environment variables."""
    answers = folder / "answers"
    answers.mkdir(exist_ok=True)
    for old in answers.iterdir():
        old.unlink()
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    document = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    (folder / "play.json").write_text(json.dumps(document), encoding="utf-8")
    command = [str(BIN / "ansible-playbook"), "-f", "50", "-i", str(folder / "hosts.json"), str(folder / "play.json")]
    done = subprocess.run(
        [*command, *arguments],
        env=environment(
            ANSIBLE_ACTION_PLUGINS=str(HERE / "action_plugins"),
            LAB_ANSWERS=str(answers),
            LC_ALL="C.UTF-8",
            **(variables or {}),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=folder,
    )
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in answers.iterdir()}
    return Played(done.returncode, done.stdout + done.stderr, read)


def execution(script: str, stdin: str) -> dict[str, Any]:
    """Return a task that runs a script with a text on standard input, as the product's own plugins do."""
    return {"lab_exec": {"command": encoded(script), "stdin": stdin}}
