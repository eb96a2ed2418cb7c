# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``: the embedded fleet, audited; real hosts where this machine can make them, recorded ones elsewhere."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import fleet

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RECORDINGS = HERE / "recordings"
PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"


def this_machine(folder: pathlib.Path) -> pathlib.Path:
    """Write the inventory that audits this machine itself."""
    path = folder / "local.json"
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    path.write_text(json.dumps({"all": {"hosts": {"this-machine": host}}}), encoding="utf-8")
    return path


def recorded(folder: pathlib.Path) -> pathlib.Path:
    """Write the inventory of the recorded hosts."""
    hosts = {
        path.stem: {"ansible_connection": "replay", "breakwater_recording": str(path)}
        for path in sorted(RECORDINGS.glob("*.txt"))
    }
    path = folder / "recorded.json"
    path.write_text(json.dumps({"all": {"children": {"fleet": {"hosts": hosts}}}}), encoding="utf-8")
    return path


def audit(*inventories: pathlib.Path) -> int:
    """Audit what the inventories name. Findings are what the demonstration is about, so they are no failure of it."""
    results = pathlib.Path(os.environ.get("DEMO_RESULTS", ROOT / "results")).absolute()
    command = [str(PLAYBOOK), "breakwater.smb.audit", "-e", f"breakwater_results={results}", *sys.argv[1:]]
    for inventory in inventories:
        command += ["-i", str(inventory)]
    environment = {
        **os.environ,
        "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection_plugins"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    before = newest(results)
    try:
        code = fleet.run(command, environment, ROOT)
    except OSError as error:
        print(f"Cannot run {PLAYBOOK}: {error.strerror}; 'make demo' makes what is missing.", file=sys.stderr)
        return 1
    document = newest(results)
    if document is None or document == before or code not in (0, 2):
        said = f"ansible-playbook exited with {code}"
    elif document.get("verdict") in ("compliant", "noncompliant"):
        print(f"\nThe demonstration ran. Open the report above in a browser; {results}/latest holds everything.")
        return 0
    else:
        said = "not every host could be read"
    print(f"\nThe demonstration broke: {said}; the messages above say where.", file=sys.stderr)
    return 1


def newest(results: pathlib.Path) -> dict[str, Any] | None:
    """Return what the newest run says about itself, or None."""
    path = results / "latest" / "run.json"
    document: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return document


def install() -> None:
    """Install what real hosts need, only when asked to."""
    if os.environ.get("DEMO_INSTALL") == "1" and os.geteuid() == 0 and fleet.missing() and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *fleet.missing()], check=True)


def main() -> int:
    """Run the demonstration."""
    fleet.stop_on_sigterm()
    install()
    with tempfile.TemporaryDirectory(prefix="breakwater-demo-") as name:
        folder = pathlib.Path(name)
        reason = fleet.obstacle()
        if reason is None:
            print("Starting four real hosts in namespaces of their own ...", flush=True)
            try:
                with fleet.fleet() as hosts:
                    inventory = next(iter(hosts.values())).directory.parent / "hosts.json"
                    return audit(inventory, this_machine(folder))
            except fleet.FleetError as error:
                reason = str(error)
        print(f"Playing back recorded hosts: {reason}", flush=True)
        return audit(recorded(folder), this_machine(folder))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Stopped. What was collected is kept.", file=sys.stderr)
        sys.exit(130)
