# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running real ansible-playbook runs from tests."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(sys.executable).parent


@dataclass(frozen=True)
class Played:
    """What a playbook printed, how it ended, and the run it made (None when none)."""

    code: int
    output: str
    results: pathlib.Path

    @property
    def run(self) -> dict[str, Any]:
        """Return run.json of the newest run."""
        document: dict[str, Any] = json.loads((self.results / "latest" / "run.json").read_text(encoding="utf-8"))
        return document

    def host(self, name: str) -> dict[str, Any]:
        """Return a host's file of the newest run."""
        document: dict[str, Any] = json.loads(
            (self.results / "latest" / "hosts" / f"{name}.json").read_text(encoding="utf-8")
        )
        return document

    def verdicts(self, name: str) -> dict[tuple[str, str], str]:
        """Return (control, object) → verdict of a host."""
        return {
            (item["control"], item.get("object", "")): item["verdict"] for item in self.host(name).get("findings", ())
        }


def environment(**extra: str) -> dict[str, str]:
    """Return an environment in which ansible finds the collection and nothing of the user's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_CONNECTION_PLUGINS": str(ROOT / "demo" / "connection_plugins"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_NOCOLOR": "1",
        **extra,
    }


def play(
    playbook: str,
    inventory: dict[str, Any] | pathlib.Path | str,
    folder: pathlib.Path,
    *arguments: str,
    seconds: float = 300,
    **extra: str,
) -> Played:
    """Run ``breakwater.smb.<playbook>`` and return how it went; ``extra`` are environment variables."""
    if isinstance(inventory, dict):
        path = folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": inventory}}), encoding="utf-8")
        inventory = path
    results = folder / "results"
    command = [
        str(BIN / "ansible-playbook"),
        f"breakwater.smb.{playbook}",
        "-i",
        str(inventory),
        "-e",
        f"breakwater_results={results}",
        *arguments,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment(**extra), check=False, timeout=seconds
    )
    output = done.stdout + done.stderr
    assert "Traceback" not in output, output
    return Played(done.returncode, output, results)
