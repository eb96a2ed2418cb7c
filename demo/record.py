# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the embedded fleet: one file per host below demo/recordings, without traits of this machine.

    sudo python demo/record.py      (with the collection on PYTHONPATH; ``make record`` does)
"""

from __future__ import annotations

import pathlib
import re
import subprocess

import fleet

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue

RECORDINGS = pathlib.Path(__file__).resolve().parent / "recordings"
SCRUB = (
    (r"Linux \S+ \S+", "Linux 6.1.0-32-amd64 x86_64"),
    (r"[^\\\"\s]*" + fleet.PREFIX + r"[^\\\"\s]*", "/dev/vda1"),
    (r'("id":"raw\.[a-z0-9_]+"[^\n]*?"out":)"(?:[^"\\]|\\.)*"', r'\1""'),
)


def main() -> None:
    """Run the collector in every host and keep its answer."""
    with fleet.fleet() as hosts:
        for name, host in hosts.items():
            enter = ["nsenter", f"--target={host.pid}", "--mount", "--uts", "--net", "--pid"]
            script = catalogue.collector("NONCE00")
            text = subprocess.run([*enter, "/bin/sh", "-s"], input=script, capture_output=True, check=True).stdout.decode("utf-8")
            for pattern, replacement in SCRUB:
                text = re.sub(pattern, replacement, text)
            (RECORDINGS / f"{name}.txt").write_text(text.replace("NONCE00", "@NONCE@"), encoding="utf-8")
            print(f"recorded {name}")


if __name__ == "__main__":
    main()
