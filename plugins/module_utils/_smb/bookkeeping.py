# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine remembers of networks, hosts and connections, and when which of them is due."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from .options import Target
from .questions import Inquiry

CONNECTING, WAITING, TALKING, DATAGRAM, DELAYED, GONE = range(6)
"""Stages of a connection. ``WAITING``: made, but too many talk already. ``DELAYED``: we ran out of something."""

_TICKS = 16  # buckets per second


class Network:
    """An IPv4 /24 or an IPv6 /64 with hosts that are being asked.

    Attributes:
        hosts, used: numbers of hosts and of connections.
        parked: what waits for one of its connections to end: host, conversation, since when.
        targets: what waits for one of its hosts to end: target, address family, socket address.
    """

    __slots__ = ("hosts", "key", "parked", "targets", "used")

    def __init__(self, key: str | bytes) -> None:
        self.key = key
        self.hosts = 0
        self.used = 0
        self.parked: deque[tuple[Host, Any, float]] = deque()
        self.targets: deque[tuple[Target, int, tuple[Any, ...]]] = deque()


class Host:
    """A target that is being asked.

    Attributes:
        address: of a socket; its port does not count.
        deadline: when its time is over; moves on while it waits for room.
        retries: because of something that we ran out of.
        finished: its answers were handed over.
    """

    __slots__ = ("address", "deadline", "family", "finished", "inquiry", "network", "retries", "started")

    def __init__(
        self,
        inquiry: Inquiry,
        family: int,
        address: tuple[Any, ...],
        network: Network,
        now: float,
        seconds: float,
    ) -> None:
        self.inquiry = inquiry
        self.family = family
        self.address = address
        self.network = network
        self.started = now
        self.deadline = now + seconds
        self.retries = 0
        self.finished = False


class Connection:
    """A socket, or (stage ``DELAYED``) the place of one that could not be made yet.

    Attributes:
        limit: its own deadline; ``deadline`` is that or its host's.
        rest: of a request that the kernel did not take at once.
        slot: whether it counts among those that talk.
        ended: the poller has said that no more will come behind what is there.
        bucket: where its deadline lies.
    """

    __slots__ = (
        "bucket",
        "deadline",
        "descriptor",
        "ended",
        "host",
        "limit",
        "rest",
        "slot",
        "socket",
        "stage",
        "talk",
    )

    bucket: set[Connection]

    def __init__(self, host: Host, talk: Any, made: Any, descriptor: int, stage: int, deadline: float) -> None:
        self.host = host
        self.talk = talk
        self.socket = made
        self.descriptor = descriptor
        self.stage = stage
        self.limit = deadline
        self.deadline = deadline if deadline < host.deadline else host.deadline
        self.rest = b""
        self.slot = self.ended = False


class Deadlines:
    """Connections in buckets of 1/16 s: to add and to remove one costs the same however many there are."""

    def __init__(self, now: float) -> None:
        self._buckets: defaultdict[int, set[Connection]] = defaultdict(set)
        self._swept = int(now * _TICKS)

    def add(self, connection: Connection) -> None:
        """Put it where its deadline belongs. If that moves on later, nothing needs to be done: ``due`` looks again."""
        connection.bucket = bucket = self._buckets[int(connection.deadline * _TICKS) + 1]
        bucket.add(connection)

    def due(self, now: float) -> Iterator[Connection]:
        """Take out and yield what is due; what was given more time is put into a later bucket."""
        last = int(now * _TICKS)
        for tick in range(self._swept + 1, last + 1):
            for connection in tuple(self._buckets.pop(tick, ())):
                if connection.stage == GONE:  # ended by another one that was due with it
                    continue
                if connection.deadline > now:
                    self.add(connection)
                else:
                    yield connection
        self._swept = last
