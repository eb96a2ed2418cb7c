# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the embedded fleet: one file per host below demo/recordings, without traits of this machine.

``make record`` runs it, as root.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
from typing import Any

import fleet

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue

RECORDINGS = pathlib.Path(__file__).resolve().parent / "recordings"
KERNEL = "6.1.0-32-amd64"
NONCE = "NONCE00"


def scrub(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what is this machine's and not the host's: its kernel, mirror, firewall and paths.

    Works on the decoded record, so that the recording stays what a host really sends: a JSON document.
    """
    machine = os.uname()
    out = record["out"]
    if record["id"].startswith("raw."):
        out = ""
    out = re.sub(r"[^\s\"]*" + fleet.PREFIX + r"[^\s\"]*", "/dev/vda1", out)
    out = re.sub(r"https?://[^\s/]+(?=/\S* \S+ (?:amd64|arm64|all) Packages)", "http://deb.debian.org", out)
    return {**record, "out": out.replace(machine.release, KERNEL)}


def render(answer: str) -> str:
    """Return the collector's answer, scrubbed, with a placeholder for its nonce and one record on a line."""
    begin, end = f"@@breakwater {NONCE} begin@@", f"@@breakwater {NONCE} end@@"
    document = json.loads(answer[answer.index(begin) + len(begin) : answer.index(end)], strict=False)
    records = [json.dumps(scrub(record), separators=(",", ":")) for record in document.pop("records")]
    head = json.dumps(document, separators=(",", ":"))[:-1]
    text = f'\n{begin}\n{head},"records":[\n' + ",\n".join(records) + f"\n]}}\n{end}\n"
    return text.replace(NONCE, "@NONCE@")


def main() -> None:
    """Run the collector in every host and keep its answer."""
    with fleet.fleet() as hosts:
        for name, host in hosts.items():
            script = catalogue.collector(NONCE)
            done = subprocess.run([*host.enter(), "/bin/sh", "-s"], input=script, capture_output=True, check=True)
            (RECORDINGS / f"{name}.txt").write_text(render(done.stdout.decode("utf-8")), encoding="utf-8")
            print(f"recorded {name}")


if __name__ == "__main__":
    main()
