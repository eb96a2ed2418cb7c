# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a connection asks of a Windows host and what it gets back; the WS-Man server, sshd and the hosts share this."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exec:
    """One command on a host.

    ``command`` is a whole command line; over psrp it is the script that runs in the pipeline, and every line of ``stdin``
    an object of its input. ``ended`` is set when nobody waits for the result any longer.
    """

    transport: str
    command: str
    stdin: bytes = b""
    user: str = "admin"
    ended: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)


@dataclass(frozen=True)
class Result:
    """What it wrote and its exit code."""

    stdout: bytes = b""
    stderr: bytes = b""
    rc: int = 0


Run = Callable[[Exec], Result]
