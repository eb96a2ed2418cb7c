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
from collections.abc import Mapping, Sequence
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


def command(
    playbook: str, inventory: dict[str, Any] | pathlib.Path | str, folder: pathlib.Path, *arguments: str
) -> list[str]:
    """Return the command that plays ``breakwater.smb.<playbook>``, or a file, and keeps its runs in the folder."""
    if isinstance(inventory, dict):
        path = folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": inventory}}), encoding="utf-8")
        inventory = path
    name = playbook if playbook.endswith(".yml") else f"breakwater.smb.{playbook}"
    results = f"breakwater_results={folder / 'results'}"
    return [str(BIN / "ansible-playbook"), name, "-i", str(inventory), "-e", results, *arguments]


def ended(code: int, output: str, folder: pathlib.Path) -> Played:
    """Return how it went; a traceback is never right."""
    assert "Traceback" not in output, output
    return Played(code, output, folder / "results")


def play(
    playbook: str,
    inventory: dict[str, Any] | pathlib.Path | str,
    folder: pathlib.Path,
    *arguments: str,
    seconds: float = 300,
    **extra: str,
) -> Played:
    """Run ``breakwater.smb.<playbook>``, or a file, and return how it went; ``extra`` are environment variables."""
    done = subprocess.run(
        command(playbook, inventory, folder, *arguments),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**extra),
        check=False,
        timeout=seconds,
    )
    return ended(done.returncode, done.stdout + done.stderr, folder)


def made(record: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return what was changed on a host, or in check mode would be, as a person reads it."""
    keys = ("control", "object", "address", "before", "after")
    return [tuple(_plain(change.get(key)) for key in keys) for change in record["remediation"].get("changes", ())]


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def force_exceptions(
    folder: pathlib.Path, host: str, names: Sequence[str], expires: str = "2099-01-01"
) -> tuple[str, ...]:
    """Return the arguments that name exceptions of kind force from controls."""
    common = {"kind": "force", "hosts": host, "reason": "its client is told", "owner": "alice", "expires": expires}
    path = folder / "exceptions.yml"
    path.write_text(json.dumps({"exceptions": [{**common, "control": name} for name in names]}), encoding="utf-8")
    return ("-e", f"breakwater_exceptions={path}")
