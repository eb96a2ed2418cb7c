# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine as a process of its own, so that its time, its CPU and its memory can be told from those of the servers.

    python ask.py '{"ports": [445], "checks": ["dialects"]}' < ADDRESSES

Every address gives a line of JSON as soon as it is answered; with ``"quiet": true`` the answers are only counted, by what
they come to on the first port. The last line is a summary: seconds, CPU seconds (``before``: spent until the first
question), the largest resident size in KiB (``peak``), and how many answers had come when the first, the middle and the last target
was asked for.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / ".build" / "collections"))

from ansible_collections.breakwater.smb.plugins.module_utils._smb.sockets import Options, Target, probe
from tests.lab.probe.space import Space


@dataclass(frozen=True)
class Asked:
    """What came of a run: the documents by address, and the last line."""

    answers: dict[str, Any]
    summary: dict[str, Any]


def ask(lab: Space, addresses: Iterable[str], seconds: float = 120.0, **options: Any) -> Asked:
    """Run the engine inside a network; a run that takes longer than ``seconds`` is ended and fails."""
    done = subprocess.run(
        [*lab.enter, sys.executable, __file__, json.dumps(options)],
        input="\n".join(addresses).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=seconds,
    )
    *lines, last = map(json.loads, done.stdout.splitlines())
    return Asked({line["target"]: line for line in lines}, last)


def gist(document: dict[str, Any]) -> str:
    """Return the state of a document's first port, its accepted dialects and what it says of signing, as one text."""
    port = next(iter(document["ports"].values()))
    accepted = [name for name, answer in port.get("dialects", {}).items() if answer["answer"] == "accepted"]
    return f"{port['state']}: {' '.join(sorted(accepted))}, signing {port.get('signing', {}).get('answer', 'unknown')}"


def peak(process: int | str = "self") -> int:
    """Return the largest resident size of a process so far, in KiB; 0 where it has gone.

    The resource usage of a process would be no measure: it begins with the size of the one that started it.
    """
    try:
        text = pathlib.Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")), 0)


def _options(told: dict[str, Any]) -> Options:
    kinds = {"checks": frozenset, "ports": tuple, "session_ports": frozenset, "connect_seconds": tuple}
    return Options(**{name: kinds[name](value) if name in kinds else value for name, value in told.items()})


def main() -> int:
    """Ask the addresses of standard input."""
    told = json.loads(sys.argv[1])
    quiet = told.pop("quiet", False)
    addresses = sys.stdin.read().split()
    answered = 0
    asked: list[int] = []
    counted: Counter[str] = Counter()

    def targets() -> Iterator[Target]:
        for address in addresses:
            asked.append(answered)
            yield Target(address, address)

    def take(document: dict[str, Any]) -> None:
        nonlocal answered
        answered += 1
        if quiet:
            counted[gist(document)] += 1
        else:
            print(json.dumps(document))

    begun, before = time.monotonic(), time.process_time()
    summary = probe(targets(), _options(told), take)
    last = {
        "seconds": time.monotonic() - begun,
        "before": before,
        "cpu": time.process_time(),
        "peak": peak(),
        "answered": answered,
        "asked": [asked[0], asked[len(asked) // 2], asked[-1]] if asked else [],
        "counted": counted,
        "summary": {**vars(summary)},
    }
    print(json.dumps(last), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
