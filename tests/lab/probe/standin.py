# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting the light stand-in in a network of its own, and asking it what it did."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from .replay import Options
from .space import Space

SCRIPT = pathlib.Path(__file__).resolve().parent / "replay.py"


class StandIn:
    """A running stand-in."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def said(self) -> dict[str, Any]:
        """Return how many connections it took and requests it answered since its start, and what it recorded."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextlib.contextmanager
def stand_in(lab: Space, options: Options) -> Iterator[StandIn]:
    """Run a stand-in; it listens when this returns."""
    process = lab.serve(sys.executable, str(SCRIPT), options.text())
    try:
        yield StandIn(process)
    finally:
        lab.stop(process)
