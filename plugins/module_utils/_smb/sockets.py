# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file of this package that touches the network: many conversations at once, in one thread.

*Poller.* ``select.epoll`` where there is one, used as it is; elsewhere ``selectors``. Callbacks of asyncio cost 10 us
per connection more, where a bare connection costs 32.

*Rounds.* What has come is read from all sockets, then judged, then what is finished is closed and what is wanted is
begun. Alternating between kernel and interpreter for each connection costs a tenth more.

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

from .admission import Admission
from .bookkeeping import CONNECTING, DATAGRAM, DELAYED, GONE, TALKING, WAITING, Connection, Deadlines, Host
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
    nonblocking,
    poller,
)

__all__ = ["Options", "Summary", "Target", "probe"]

_POLL_SECONDS = 1 / 16
_RECEIVE = 16384
_RETRY_SECONDS = 0.25
_RETRIES = 40
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
        progress: called about once a second, and at the end, with the numbers of finished and of begun targets.

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
        self._progress = progress
        self._conversing = options.conversing
        self._connections: dict[int, Connection] = {}
        self._made: deque[Connection] = deque()  # wait for a place among those that talk
        self._arrived: list[tuple[Connection, bytes]] = []
        self._reset_all = False
        self._poller, self._level_triggered = poller()
        self._began = self._now = self._next_sweep = time.monotonic()
        self._next_progress = self._now + 1.0
        self._deadlines = Deadlines(self._now)
        window = descriptors(options.connecting, options.conversing)
        self._admission = Admission(targets, options, on_answer, window, self._now)
        self.summary = self._admission.summary

    def run(self) -> None:
        """Go on until there are no more targets and none is being asked."""
        poll, admission = self._poller.poll, self._admission
        while True:
            self._fill()
            if admission.done:
                break
            events = poll(_POLL_SECONDS)
            self._now = admission.now = time.monotonic()
            self._exchange(events)
            self._judge()
            if self._now >= self._next_sweep:
                self._sweep()
        self.summary.seconds = time.monotonic() - self._began
        if self._progress is not None:
            self._progress(admission.finished, self.summary.targets)

    def close(self) -> None:
        """Close all sockets at once."""
        for connection in self._connections.values():
            connection.socket.close()
        self._connections.clear()
        self._poller.close()

    # Beginning

    def _fill(self) -> None:
        """Begin what there is room for."""
        admission = self._admission
        while self._made and admission.talking < self._conversing:
            connection = self._made.popleft()
            if connection.stage == WAITING:
                self._talk(connection)
        admission.made = len(self._made)
        wish = admission.next()
        while wish is not None:
            self._begin(*wish)
            wish = admission.next()

    def _begin(self, host: Host, talk: Any) -> None:
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
        deadline = self._now + (WAITS[0] if datagram else talk.connect_seconds)
        descriptor = made.fileno()
        connection = Connection(host, talk, made, descriptor, DATAGRAM if datagram else CONNECTING, deadline)
        self._connections[descriptor] = connection
        host.network.used += 1
        if datagram or talk.opening:
            self._admission.connecting += 1
        else:
            connection.slot = True
            self._admission.talking += 1
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
            self._admission.window = max(8, min(self._admission.window, self._admission.connecting * 9 // 10))
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
        self._admission.advance(host)

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
        self._admission.connecting -= 1
        connection.stage = WAITING
        host, talk = connection.host, connection.talk
        host.inquiry.connected(talk, connection.socket.getsockname()[0])
        if self._admission.talking < self._conversing or talk.done:
            self._talk(connection)
        else:
            # Too many talk already. If it breaks meanwhile, the poller says so.
            connection.limit = connection.deadline = host.deadline
            if self._level_triggered:
                self._poller.modify(connection.descriptor, 0)
            self._made.append(connection)
        self._admission.advance(host)  # now that the port is known to be open there is more to ask

    def _talk(self, connection: Connection) -> None:
        talk = connection.talk
        waited = connection.stage == WAITING
        if not connection.slot:
            connection.slot = True
            self._admission.talking += 1
        if talk.done:  # to have connected was all
            self._finish(connection)
            return
        connection.stage = TALKING
        connection.limit = self._now + talk.seconds
        connection.deadline = min(connection.limit, connection.host.deadline)
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
                        self._admission.advance(host)
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
        self._admission.advance(host)

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
            self._admission.talking -= 1
        elif connection.stage != WAITING:
            self._admission.connecting -= 1
        connection.stage = GONE
        connection.bucket.discard(connection)
        self._admission.left(connection.host.network)

    def _sweep(self) -> None:
        """Look whose time is over, and tell how far we are."""
        self._next_sweep = self._now + _POLL_SECONDS
        for connection in self._deadlines.due(self._now):
            self._expire(connection)
        if self._progress is not None and self._now >= self._next_progress:
            self._next_progress = self._now + 1.0
            self._progress(self._admission.finished, self.summary.targets)

    def _expire(self, connection: Connection) -> None:
        host, talk, stage = connection.host, connection.talk, connection.stage
        if stage == DELAYED:
            connection.stage = GONE
            self._admission.wish(host, talk, self._now - _RETRY_SECONDS)
        elif stage == DATAGRAM and self._now < host.deadline and talk.more:
            connection.limit = connection.deadline = self._now + WAITS[talk.sent]
            self._deadlines.add(connection)
            self._send(connection, talk.data_to_send())
        elif self._now < min(connection.limit, host.deadline):  # the host was given more time since
            connection.deadline = min(connection.limit, host.deadline)
            self._deadlines.add(connection)
        else:
            over = self._now >= host.deadline
            talk.fail(LIMIT if over else SILENT if stage == CONNECTING else TIMEOUT)
            self._finish(connection)
