# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file of this package that touches the network: many conversations at once, in one thread.

*Poller.* ``select.epoll`` where there is one, used as it is; elsewhere ``selectors``. Callbacks of asyncio cost 10 us
per connection more, where a bare connection costs 32.

*Rounds.* What has come is read from all sockets, then judged, then what is finished is closed and what is wanted is
begun. Alternating between kernel and interpreter for each connection costs a tenth more.

*Windows.* A connection that is being made costs the peer nothing: there may be 1024. One that talks costs it a thread
or a process: 256. A further connection to a port that is known to be open takes its place among those that talk before
it is begun, so that no server has to wait with an open connection. Networks have a window of their own, hosts two.

*Closing.* A complete conversation ends with FIN: the peer's log has an ordinary end, and TIME_WAIT (60 s) stays with
us, not with it. Local ports do not run short by that, as a port is bound per destination; where they do nevertheless,
the rest of the run resets its connections. A peer that breaks the protocol or stays silent is always reset: nothing of
it is waited for, and nothing stays behind.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .answers import TargetAnswers, document
from .bookkeeping import CONNECTING, DATAGRAM, DELAYED, GONE, TALKING, WAITING, Connection, Deadlines, Host, Network
from .datagrams import WAITS
from .dialogue import CLOSED, ERROR, LIMIT, RESET, SILENT, TIMEOUT, VIOLATION
from .options import Options, Summary, Target
from .polling import (
    BROKEN,
    DATAGRAM_SOCKET,
    EDGES,
    ENDED,
    EXHAUSTED,
    FAILURES,
    IN_PROGRESS,
    READ,
    STREAM_SOCKET,
    WRITE,
    descriptors,
    error_text,
    network_key,
    nonblocking,
    poller,
    resolve,
)
from .questions import Inquiry

__all__ = ["Options", "Summary", "Target", "probe"]

_POLL_SECONDS = 1 / 16
_RECEIVE = 16384
_RETRY_SECONDS = 0.25
_RETRIES = 40
_BACKLOG = 64  # connections that may wait to talk before no more hosts are begun
_RESETTING = frozenset((VIOLATION, TIMEOUT, LIMIT))
_LINGER = struct.pack("ii", 1, 0)


def probe(
    targets: Iterable[Target],
    options: Options,
    on_answer: Callable[[dict[str, Any]], None],
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Ask every target and hand over its answers (``answers.document``) as soon as it is finished.

    Args:
        targets: taken one by one, when there is room for another; never collected.
        options: what to ask, and the limits.
        on_answer: called once per target, in the order in which they finish, from this very thread. What it raises
            ends the run and reaches the caller, after all sockets were closed.
        progress: called about once a second with the numbers of finished and of begun targets.

    Raises:
        KeyboardInterrupt: as it comes, after all sockets were closed; what ``on_answer`` got stays valid.
    """
    engine = _Engine(iter(targets), options, on_answer, progress)
    # Nothing here refers to itself in a circle, and the collector would look at all hosts again and again: 4 % of the time.
    thresholds = gc.get_threshold()
    gc.set_threshold(max(thresholds[0], 50_000), *thresholds[1:])
    try:
        engine.run()
    finally:
        gc.set_threshold(*thresholds)
        engine.close()
    return engine.summary


class _Engine:
    def __init__(
        self,
        targets: Iterator[Target],
        options: Options,
        on_answer: Callable[[dict[str, Any]], None],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.summary = Summary()
        self._targets: Iterator[Target] | None = targets
        self._options = options
        self._on_answer = on_answer
        self._progress = progress
        self._window = descriptors(options.connecting, options.conversing)
        self._connections: dict[int, Connection] = {}
        self._connecting = self._talking = 0
        self._networks: dict[Any, Network] = {}
        self._openings: deque[tuple[Host, Any, float]] = deque()  # host, conversation, since when it waits
        self._further: deque[tuple[Host, Any, float]] = deque()
        self._made: deque[Connection] = deque()  # wait for a place among those that talk
        self._roomy: deque[Network] = deque()  # a host of theirs has ended, and another target waits
        self._arrived: list[tuple[Connection, bytes]] = []
        self._parked = self._hosts = self._finished = 0
        self._reset_all = False
        self._poller, self._level_triggered = poller()
        self._began = self._now = self._next_sweep = time.monotonic()
        self._deadlines = Deadlines(self._now)
        self._next_progress = self._now + 1.0

    def run(self) -> None:
        """Go on until there are no more targets and none is being asked."""
        poll = self._poller.poll
        while True:
            self._fill()
            if self._targets is None and not self._hosts and not self._roomy:
                break
            events = poll(_POLL_SECONDS)
            self._now = time.monotonic()
            self._exchange(events)
            self._judge()
            if self._now >= self._next_sweep:
                self._sweep()
        self.summary.seconds = time.monotonic() - self._began

    def close(self) -> None:
        """Close all sockets at once."""
        for connection in self._connections.values():
            connection.socket.close()
        self._connections.clear()
        self._poller.close()

    # Beginning

    def _fill(self) -> None:
        """Begin what there is room for: first what brings begun hosts to an end."""
        options = self._options
        while self._made and self._talking < options.conversing:
            connection = self._made.popleft()
            if connection.stage == WAITING:
                self._talk(connection)
        while self._further and self._talking < options.conversing:
            self._begin(*self._further.popleft())
        while self._openings and self._connecting < self._window:
            self._begin(*self._openings.popleft())
        while self._roomy and self._connecting < self._window and not self._openings:
            network = self._roomy.popleft()
            if network.targets and network.hosts < options.per_network:
                self._parked -= 1
                self._new_host(network, *network.targets.popleft())
                self._begin_openings()
            elif not network.hosts:
                self._networks.pop(network.key, None)
        while self._connecting < self._window and self._may_begin_hosts():
            target = None if self._targets is None else next(self._targets, None)
            if target is None:
                self._targets = None
                return
            self._new_target(target)
            self._begin_openings()

    def _may_begin_hosts(self) -> bool:
        busy = self._openings or self._made or len(self._further) >= _BACKLOG
        return self._targets is not None and not busy and self._parked < 4 * self._options.connecting

    def _begin_openings(self) -> None:
        while self._openings and self._connecting < self._window:
            self._begin(*self._openings.popleft())

    def _new_target(self, target: Target) -> None:
        self.summary.targets += 1
        family, address, reason = (0, (), target.reason) if target.reason else resolve(target.address)
        if reason:
            self._answer(TargetAnswers(target.name, target.address, time.time(), 0.0, reason=reason))
            return
        key = network_key(family, address[0])
        network = self._networks.get(key)
        if network is None:
            network = self._networks[key] = Network(key)
        if network.hosts < self._options.per_network:
            self._new_host(network, target, family, address)
        else:
            network.targets.append((target, family, address))
            self._parked += 1

    def _new_host(self, network: Network, target: Target, family: int, address: tuple[Any, ...]) -> None:
        network.hosts += 1
        self._hosts += 1
        inquiry = Inquiry(target, self._options, time.time())
        self._advance(Host(inquiry, family, address, network, self._now, self._options.host_seconds))

    def _advance(self, host: Host) -> None:
        """Put what a host wants now into the queues; if it wants nothing any more, hand its answers over."""
        inquiry = host.inquiry
        if self._now >= host.deadline:
            inquiry.expire()
        talk = inquiry.next()
        while talk is not None:
            (self._openings if talk.opening or talk.datagram else self._further).append((host, talk, self._now))
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
            self._answer(inquiry.answers(self._now - host.started))

    def _answer(self, answers: TargetAnswers) -> None:
        self._finished += 1
        states = self.summary.states
        for port in answers.ports.values():
            states[port.state] = states.get(port.state, 0) + 1
        self._on_answer(document(answers))

    def _begin(self, host: Host, talk: Any, since: float) -> None:
        """Make a connection, unless its network has no room."""
        network = host.network
        if network.used >= self._options.per_network:
            network.parked.append((host, talk, since))
            self._parked += 1
            return
        now = self._now
        host.deadline += now - since  # it does not pay for our windows
        datagram = talk.datagram
        try:
            made = nonblocking(host.family, DATAGRAM_SOCKET if datagram else STREAM_SOCKET)
        except OSError as error:
            self._no_socket(host, talk, error.errno or 0)
            return
        address = host.address
        code = made.connect_ex((address[0], talk.port) if len(address) == 2 else (address[0], talk.port, *address[2:]))
        if code == errno.EADDRNOTAVAIL:
            made.close()
            self._reset_all = True
            self._delay(host, talk, code)
            return
        deadline = now + (WAITS[0] if datagram else talk.connect_seconds)
        if deadline > host.deadline:
            deadline = host.deadline
        descriptor = made.fileno()
        connection = Connection(host, talk, made, descriptor, DATAGRAM if datagram else CONNECTING, deadline)
        self._connections[descriptor] = connection
        network.used += 1
        if datagram or talk.opening:
            self._connecting += 1
        else:
            connection.slot = True
            self._talking += 1
        self._deadlines.add(connection)
        if code and code not in IN_PROGRESS:
            self._broken(connection, code)
        elif datagram:
            self._poller.register(descriptor, READ)
            self._send(connection, talk.data_to_send())
        else:
            self._poller.register(descriptor, WRITE if self._level_triggered else EDGES)
            self.summary.connections += 1

    def _no_socket(self, host: Host, talk: Any, code: int) -> None:
        if code in EXHAUSTED:
            self._window = max(8, min(self._window, self._connecting * 9 // 10))
            self._delay(host, talk, code)
        else:
            self._give_up(host, talk, code)

    def _delay(self, host: Host, talk: Any, code: int) -> None:
        """We ran out of something: later again, and never a verdict about the peer."""
        host.retries += 1
        if host.retries > _RETRIES:
            self._give_up(host, talk, code)
            return
        self._count_failure(code)
        self._deadlines.add(Connection(host, talk, None, -1, DELAYED, self._now + _RETRY_SECONDS))

    def _give_up(self, host: Host, talk: Any, code: int) -> None:
        self._count_failure(code)
        talk.fail(ERROR, error_text(code))
        host.inquiry.finished(talk)
        self._advance(host)

    def _count_failure(self, code: int) -> None:
        text = error_text(code)
        self.summary.failures[text] = self.summary.failures.get(text, 0) + 1

    # Talking

    def _exchange(self, events: list[tuple[int, int]]) -> None:
        """Do what the kernel is ready for; what has come is judged later."""
        for descriptor, mask in events:
            connection = self._connections.get(descriptor)
            if connection is None:
                continue
            stage = connection.stage
            if stage == TALKING:
                if connection.rest and mask & WRITE:
                    self._write_rest(connection)
                if mask & ~WRITE and connection.stage == TALKING:
                    connection.ended = mask & ENDED != 0
                    self._read(connection)
            elif stage == CONNECTING:
                self._connected(connection, mask)
            elif stage == DATAGRAM:
                self._read(connection)
            elif mask & BROKEN:
                connection.talk.fail(RESET)
                self._finish(connection)

    def _connected(self, connection: Connection, mask: int) -> None:
        """The connection was made, or was not."""
        if mask & BROKEN:
            code = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code not in (0, errno.ECONNRESET, errno.EPIPE):  # these two: made, and reset already
                self._broken(connection, code)
                return
        if connection.slot:
            self._talk(connection)
            return
        self._connecting -= 1
        connection.stage = WAITING
        host, talk = connection.host, connection.talk
        host.inquiry.connected(talk, connection.socket.getsockname()[0])
        if self._talking < self._options.conversing or talk.done:
            self._talk(connection)
        else:
            # Too many talk already. If it breaks meanwhile, the poller says so.
            connection.deadline = host.deadline
            if self._level_triggered:
                self._poller.modify(connection.descriptor, 0)
            self._made.append(connection)
        self._advance(host)  # now that the port is known to be open there is more to ask

    def _talk(self, connection: Connection) -> None:
        talk = connection.talk
        waited = connection.stage == WAITING
        if not connection.slot:
            connection.slot = True
            self._talking += 1
        if talk.done:  # to have connected was all
            self._finish(connection)
            return
        connection.stage = TALKING
        connection.deadline = min(self._now + talk.seconds, connection.host.deadline)
        self._send(connection, talk.data_to_send())
        if connection.stage != TALKING:
            return
        if self._level_triggered:
            self._poller.modify(connection.descriptor, READ | WRITE if connection.rest else READ)
        elif waited:
            self._read(connection)  # what came before we listened has had its edge

    def _send(self, connection: Connection, data: bytes) -> None:
        try:
            sent = connection.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._broken(connection, error.errno or 0)
            return
        if connection.stage == DATAGRAM:
            return
        if connection.talk.wire_smb1:
            connection.talk.wire_smb1 = False
            name = connection.socket.getsockname()
            connection.host.inquiry.smb1_sent(time.time(), name[0], name[1])
        if sent < len(data):
            connection.rest = data[sent:]
            if self._level_triggered:
                self._poller.modify(connection.descriptor, READ | WRITE)

    def _write_rest(self, connection: Connection) -> None:
        data, connection.rest = connection.rest, b""
        if self._level_triggered:
            self._poller.modify(connection.descriptor, READ)
        self._send(connection, data)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError as error:
            self._broken(connection, error.errno or 0)
            return
        self._arrived.append((connection, data))

    def _judge(self) -> None:
        """Give what has come to the conversations; close those that are through."""
        ending = []
        while self._arrived:
            arrived, self._arrived = self._arrived, []
            for connection, data in arrived:
                host, talk = connection.host, connection.talk
                if connection.stage == GONE:
                    continue
                if data or talk.datagram:
                    talk.receive(data)
                else:
                    talk.receive_eof()
                if talk.done:
                    if not host.inquiry.finished(talk):
                        connection.stage = GONE
                        ending.append(connection)
                        self._advance(host)
                        continue
                elif talk.datagram:
                    continue
                answer = talk.data_to_send()
                if answer:
                    self._send(connection, answer)
                # A full buffer has more behind it, and an end that was told once is not told again.
                if connection.stage == TALKING and data and (len(data) == _RECEIVE or connection.ended):
                    self._read(connection)
        for connection in ending:
            self._close(connection)

    def _broken(self, connection: Connection, code: int) -> None:
        """The kernel says that the connection failed, before or after it was made."""
        failure = FAILURES.get(code, ERROR)
        if connection.stage == TALKING and failure != ERROR:
            failure = TIMEOUT if failure == SILENT else RESET
        if failure == ERROR:
            self._count_failure(code)
        connection.talk.fail(failure, "" if failure in (CLOSED, RESET) else error_text(code))
        self._finish(connection)

    # Ending

    def _finish(self, connection: Connection) -> None:
        """The conversation ended otherwise than by an answer."""
        host = connection.host
        host.inquiry.finished(connection.talk)
        connection.stage = GONE if connection.stage != WAITING else WAITING
        self._close(connection)
        self._advance(host)

    def _close(self, connection: Connection) -> None:
        descriptor, made, talk = connection.descriptor, connection.socket, connection.talk
        del self._connections[descriptor]
        if self._level_triggered:
            self._poller.unregister(descriptor)  # epoll forgets what is closed
        if not talk.datagram and (self._reset_all or talk.outcome.failure in _RESETTING):
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        made.close()
        if connection.slot:
            self._talking -= 1
        elif connection.stage != WAITING:
            self._connecting -= 1
        connection.stage = GONE
        connection.bucket.discard(connection)
        network = connection.host.network
        network.used -= 1
        if network.parked:
            wish = network.parked.popleft()
            self._parked -= 1
            (self._openings if wish[1].opening or wish[1].datagram else self._further).append(wish)

    def _sweep(self) -> None:
        """Look whose time is over, and tell how far we are."""
        self._next_sweep = self._now + _POLL_SECONDS
        for connection in self._deadlines.due(self._now):
            self._expire(connection)
        if self._progress is not None and self._now >= self._next_progress:
            self._next_progress = self._now + 1.0
            self._progress(self._finished, self.summary.targets)

    def _expire(self, connection: Connection) -> None:
        host, talk, stage = connection.host, connection.talk, connection.stage
        if stage == DELAYED:
            connection.stage = GONE
            (self._openings if talk.opening or talk.datagram else self._further).append(
                (host, talk, self._now - _RETRY_SECONDS)
            )
        elif stage == DATAGRAM and self._now < host.deadline and talk.more:
            connection.deadline = self._now + WAITS[talk.sent]
            self._deadlines.add(connection)
            self._send(connection, talk.data_to_send())
        else:
            over = self._now >= host.deadline
            talk.fail(LIMIT if over else SILENT if stage == CONNECTING else TIMEOUT)
            self._finish(connection)
