# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server counted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stats:
    """Counts since the server began; ``now - before`` is what happened in between.

    Attributes:
        requests: HTTP requests, those that only carry authentication too.
        bytes_up: what clients sent over TCP, TLS records included.
        bytes_down: what the server sent over TCP.
        connections: TCP connections.
        executions: commands and pipelines that ran.
        operations: requests by name: ``Authenticate``, ``Create``, ``Command``, ``Send``, ``Receive``, ``Signal``, …
    """

    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    connections: int = 0
    executions: int = 0
    operations: Counter[str] = field(default_factory=Counter)

    def __sub__(self, before: Stats) -> Stats:
        """Return what was added since ``before``."""
        return Stats(
            self.requests - before.requests,
            self.bytes_up - before.bytes_up,
            self.bytes_down - before.bytes_down,
            self.connections - before.connections,
            self.executions - before.executions,
            self.operations - before.operations,
        )


class Tally:
    """The counters themselves; every connection of a server adds to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._operations: Counter[str] = Counter()

    def add(self, **counts: int) -> int:
        """Add to counters of Stats by name; return the new value of the last one named."""
        with self._lock:
            self._counts.update(counts)
            return self._counts[list(counts)[-1]]

    def operation(self, name: str) -> None:
        """Count one request by its name."""
        with self._lock:
            self._operations[name] += 1

    def read(self) -> Stats:
        """Return the counts as they are now."""
        with self._lock:
            return Stats(**self._counts, operations=Counter(self._operations))
