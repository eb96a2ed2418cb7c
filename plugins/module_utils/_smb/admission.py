# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may begin a connection now: windows, networks, and the targets that wait.

A connection that is being made costs the peer nothing: there may be 1024. One that talks costs it a thread or a process:
256. A further connection to a port that is known to be open takes its place among those that talk before it is begun, so
that no server has to wait with an open connection. Networks have a window of their own, hosts two connections.

Targets are taken one by one, when there is room for another host; what waits for its network is no more than a name.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .answers import TargetAnswers, document
from .bookkeeping import Host, Network
from .options import Options, Summary, Target
from .polling import network_key, resolve
from .questions import Inquiry

_BACKLOG = 64  # connections that may wait to talk before no more hosts are begun
_PARKED = 4  # times the window of connecting: targets that may wait for their networks


class Admission:
    """Hosts that are being asked, and the conversations that they wait to begin.

    Attributes:
        now: monotonic seconds; whoever owns this keeps it.
        connecting, talking: numbers of connections, likewise.
        window: how many may be connecting.
        made: how many are made and wait for a place among those that talk; then no more hosts are begun.
        finished: targets that were answered.
    """

    def __init__(
        self,
        targets: Iterator[Target],
        options: Options,
        on_answer: Callable[[dict[str, Any]], None],
        window: int,
        now: float,
    ) -> None:
        self.summary = Summary()
        self.now = now
        self.connecting = self.talking = self.made = self.finished = 0
        self.window = window
        self._targets: Iterator[Target] | None = targets
        self._options = options
        self._on_answer = on_answer
        self._conversing = options.conversing
        self._per_network = options.per_network
        self._networks: dict[str | bytes, Network] = {}
        self._openings: deque[tuple[Host, Any, float]] = deque()  # host, conversation, since when it waits
        self._further: deque[tuple[Host, Any, float]] = deque()
        self._roomy: deque[Network] = deque()  # a host of theirs has ended, and another target waits
        self._parked = 0
        self._hosts = 0

    @property
    def done(self) -> bool:
        """Whether there are no more targets, and none is being asked."""
        return self._targets is None and not self._hosts and not self._roomy

    def next(self) -> tuple[Host, Any] | None:
        """Return a conversation that may begin now, and its host: first what brings begun hosts to an end."""
        while True:
            if self._further and self.talking < self._conversing:
                host, talk, since = self._further.popleft()
            elif self.connecting >= self.window:
                return None
            elif self._openings:
                host, talk, since = self._openings.popleft()
            elif self._another_host():
                continue
            else:
                return None
            network = host.network
            if network.used < self._per_network:
                host.deadline += self.now - since  # it does not pay for our windows
                return host, talk
            network.parked.append((host, talk, since))
            self._parked += 1

    def advance(self, host: Host) -> None:
        """Put what a host wants now into the queues; if it wants nothing any more, hand its answers over."""
        inquiry = host.inquiry
        if self.now >= host.deadline:
            inquiry.expire()
        talk = inquiry.next()
        while talk is not None:
            self.wish(host, talk, self.now)
            talk = inquiry.next()
        if not inquiry.active and inquiry.done and not host.finished:
            host.finished = True
            self._hosts -= 1
            network = host.network
            network.hosts -= 1
            if network.targets:
                self._roomy.append(network)
            elif not network.hosts:
                del self._networks[network.key]
            self._answer(inquiry.answers(self.now - host.started))

    def wish(self, host: Host, talk: Any, since: float) -> None:
        """Put a conversation into its queue; ``since``: its host's time stands still from then on."""
        (self._openings if talk.opening or talk.datagram else self._further).append((host, talk, since))

    def left(self, network: Network) -> None:
        """A connection of a network has ended."""
        network.used -= 1
        if network.parked:
            self._parked -= 1
            self.wish(*network.parked.popleft())

    def _another_host(self) -> bool:
        """Begin another host, if there is one and it would not only wait; return whether to look again."""
        while self._roomy:
            network = self._roomy.popleft()
            if network.targets and network.hosts < self._per_network:
                self._parked -= 1
                self._begin_host(network, *network.targets.popleft())
                return True
            if not network.hosts:
                self._networks.pop(network.key, None)
        if self._targets is None or self.made or len(self._further) >= _BACKLOG:
            return False
        if self._parked >= _PARKED * self._options.connecting:
            return False
        target = next(self._targets, None)
        if target is None:
            self._targets = None
            return False
        self._take(target)
        return True

    def _take(self, target: Target) -> None:
        self.summary.targets += 1
        family, address, reason = resolve(target.address)
        if target.reason or not all(0 < port < 65536 for port in target.ports):
            reason = target.reason or "a port is 1 to 65535"
        if reason:
            self._answer(TargetAnswers(target.name, target.address, time.time(), 0.0, reason=reason))
            return
        key = network_key(family, address[0])
        network = self._networks.get(key)
        if network is None:
            network = self._networks[key] = Network(key)
        if network.hosts < self._per_network:
            self._begin_host(network, target, family, address)
        else:
            network.targets.append((target, family, address))
            self._parked += 1

    def _begin_host(self, network: Network, target: Target, family: int, address: tuple[Any, ...]) -> None:
        network.hosts += 1
        self._hosts += 1
        inquiry = Inquiry(target, self._options, time.time())
        self.advance(Host(inquiry, family, address, network, self.now, self._options.host_seconds))

    def _answer(self, answers: TargetAnswers) -> None:
        self.finished += 1
        states = self.summary.states
        for port in answers.ports.values():
            states[port.state] = states.get(port.state, 0) + 1
        self._on_answer(document(answers))
