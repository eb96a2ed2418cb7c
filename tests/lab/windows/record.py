# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded form of the hosts, for machines without PowerShell: what the collector answers on each.

``python -m tests.lab.windows.record [HOST ...]`` writes ``recorded/<host>.json`` (all hosts; the large one is left out).
What a host is like is at ``NOW``, so that a recording says the same on every day.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib
import re
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import definition, state
from .execution import Exec, Result

NOW = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.timezone.utc)
NONCE = "recorded"
LEFT_OUT = ("ws2022-large",)
FOLDER = definition.HERE / "recorded"
USERS = {"ws2022": ("admin", "auditor", "localadmin"), "ws2008r2": ("admin", "auditor")}
"""Hosts that are recorded for more users than the administrator."""


def recordings() -> list[tuple[str, str]]:
    """Return (host, user) of every recording."""
    return [(name, user) for name in definition.names() if name not in LEFT_OUT for user in USERS.get(name, ("admin",))]


def path_of(name: str, user: str) -> pathlib.Path:
    """Return where a recording lies."""
    return FOLDER / (f"{name}.json" if user == "admin" else f"{name}.{user}.json")


def collect(name: str, directory: pathlib.Path, user: str = "admin", now: datetime.datetime | None = NOW) -> Result:
    """Run the collector on a simulated host, as the connections do."""
    from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
    from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows

    from .simulated import SimulatedHost

    host = SimulatedHost(name, directory, now)
    return host.run(Exec("winrm", windows.COMMAND, catalogue.windows_collector(NONCE), user))


def digest(name: str, user: str) -> str:
    """Return a sum of all that a recording depends on: collector, addresses, the host's state, the simulation."""
    from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue

    digests = hashlib.sha256(user.encode())
    digests.update(catalogue.windows_collector(NONCE))
    digests.update(json.dumps(state.build(name, NOW), sort_keys=True).encode())
    for path in sorted((definition.HERE / "simulation").rglob("*")):
        if path.is_file():
            digests.update(path.read_bytes())
    return digests.hexdigest()


def recorded(result: Result) -> dict[str, Any]:
    """Return what is kept of an answer: all but how long the records took."""
    text = result.stdout.decode("ascii")
    document = re.search(rf"@@breakwater {NONCE} begin@@\s*(\{{.*\}})\s*@@breakwater {NONCE} end@@", text, re.DOTALL)
    answer = json.loads(document[1]) if document else None
    for record in answer["records"] if answer else ():
        record.pop("ms", None)
    return {
        "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "rc": result.rc,
        "stderr": result.stderr.decode(errors="replace"),
        "stdout": None if answer else text,
        "answer": answer,
    }


def output(recording: dict[str, Any], nonce: str) -> Result:
    """Return what the host would write to somebody who asks with that nonce."""
    text = recording["stdout"]
    if recording["answer"] is not None:
        answer = json.dumps(recording["answer"], separators=(",", ":"))
        text = f"@@breakwater {nonce} begin@@\r\n{answer}\r\n@@breakwater {nonce} end@@\r\n"
    return Result(text.encode("ascii"), recording["stderr"].encode(), recording["rc"])


def read(name: str, user: str = "admin") -> dict[str, Any]:
    """Return a recording."""
    return definition.load(path_of(name, user))


def dumped(recording: dict[str, Any]) -> str:
    """Return a recording as its file's text: one record per line."""
    head = {key: value for key, value in recording.items() if key != "answer"}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    answer = recording["answer"]
    if answer is None:
        return "\n".join(["{", *lines, '  "answer": null', "}", ""])
    about = ",".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items() if key != "records")
    records = ",\n".join(f"    {json.dumps(record, sort_keys=True)}" for record in answer["records"])
    return "\n".join(["{", *lines, f'  "answer": {{{about}, "records": [', records, "  ]}", "}", ""])


def main(names: Sequence[str]) -> int:
    """Write the recordings of the hosts that are named, or of all."""
    wanted = [(name, user) for name, user in recordings() if not names or name in names]
    FOLDER.mkdir(exist_ok=True)

    def one(pair: tuple[str, str]) -> str:
        name, user = pair
        with tempfile.TemporaryDirectory() as folder:
            recording = {"digest": digest(name, user), **recorded(collect(name, pathlib.Path(folder), user))}
            path_of(name, user).write_text(dumped(recording), encoding="utf-8")
        return f"{name} {user}"

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(one, wanted):
            print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
