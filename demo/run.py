# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``: the embedded fleet, audited, changed and partly rolled back; recorded hosts where none can be made.

Exit code 0: every act did what it should. Findings are what the demonstration is about, and no failure of it.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

import acts
import fleet

RECORDINGS = acts.HERE / "recordings"


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


def show(stage: acts.Stage, play: Callable[[acts.Stage], None]) -> int:
    """Play the acts and return the exit code."""
    try:
        play(stage)
    except acts.Broken as error:
        print(
            f"\nThe demonstration broke in {stage.act}: {error}. The messages above say where; {stage.results} holds"
            " what was recorded.",
            file=sys.stderr,
        )
        return 1
    print(f"\nThe demonstration ran. Open the report above in a browser; {stage.results} holds every run.")
    return 0


def install() -> None:
    """Install what real hosts need, only when asked to."""
    if os.environ.get("DEMO_INSTALL") == "1" and os.geteuid() == 0 and fleet.missing() and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *fleet.missing()], check=True)


def main() -> int:
    """Run the demonstration."""
    fleet.stop_on_sigterm()
    install()
    results = pathlib.Path(os.environ.get("DEMO_RESULTS", acts.ROOT / "results")).absolute()
    with tempfile.TemporaryDirectory(prefix="breakwater-demo-") as name:
        folder = pathlib.Path(name)
        beside, arguments = this_machine(folder), sys.argv[1:]
        reason = fleet.obstacle()
        if reason is None:
            print("Starting four real hosts in namespaces of their own ...", flush=True)
            try:
                with fleet.fleet() as hosts:
                    inventory = next(iter(hosts.values())).directory.parent / "hosts.json"
                    stage = acts.Stage(results, inventory, beside, 6, arguments)
                    return show(stage, lambda stage: acts.whole_story(stage, hosts))
            except fleet.FleetError as error:
                reason = str(error)
        print(f"Playing back recorded hosts: {reason}", flush=True)
        return show(acts.Stage(results, recorded(folder), beside, 2, arguments), acts.recorded)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Stopped. What was collected is kept.", file=sys.stderr)
        sys.exit(130)
