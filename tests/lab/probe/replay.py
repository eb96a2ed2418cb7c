# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The light stand-in: many SMB servers in a few processes, each an address, that answer with bytes of real ones.

    python replay.py '{"peers": {"127.1": "default", "": "strict"}, "ports": [445, 139], "latency": 0.01, "processes": 2}'

``peers`` says which captured server answers on which addresses, by the longest prefix of the address. Every reply waits
``latency`` seconds. It writes "ready" when it listens. Each line on its input is answered by one line of JSON: how many
connections were taken and requests answered since the start. It ends when its input does. With ``record`` (and one
process) the answer to a line also has ``conversations``, per connection the address and, in turn, what came and how much
went back; and ``most``, the connections that were open at once: in all, of one address, of one /24. With ``mutate``, so
many of a hundred replies have something broken in them. For tests and measurements only.
"""

from __future__ import annotations

import collections
import contextlib
import json
import mmap
import os
import pathlib
import random
import select
import signal
import socket
import struct
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from tests.lab.probe.mutations import mutated
from tests.lab.probe.peer import Peer, Talk

_BACKLOG = 4096
_SLOT = struct.Struct("=QQ")


@dataclass(frozen=True)
class Options:
    """What the stand-in is told."""

    peers: dict[str, str]
    ports: tuple[int, ...] = (445,)
    latency: float = 0.0
    processes: int = 1
    record: bool = False
    mutate: int = 0

    def text(self) -> str:
        """Return the argument that says so."""
        return json.dumps(asdict(self))


@dataclass
class _Connection:
    line: socket.socket
    address: str
    peer: Peer
    talk: Talk = field(default_factory=Talk)
    data: bytes = b""
    log: list[tuple[str, int]] | None = None


class _Server:
    """One process: an epoll loop over its listeners and connections."""

    def __init__(self, options: Options, listeners: list[socket.socket], counters: memoryview) -> None:
        self._options = options
        self._counters = counters
        self._epoll = select.epoll()
        self._listeners = {one.fileno(): one for one in listeners}
        self._connections: dict[int, _Connection] = {}
        self._late: collections.deque[tuple[float, _Connection, bytes]] = collections.deque()
        self._taken = self._answered = 0
        self._dice = random.Random(2024)
        self._peers = {variant: Peer(variant) for variant in options.peers.values()}
        self._prefixes = sorted(options.peers, key=len, reverse=True)
        self._only = next(iter(self._peers.values())) if len(self._peers) == 1 and not options.record else None
        self.conversations: list[tuple[str, list[tuple[str, int]]]] = []
        self._open: Counter[str] = Counter()
        self.most = {"all": 0, "address": 0, "network": 0}
        for descriptor in self._listeners:
            self._epoll.register(descriptor, select.EPOLLIN)

    def watch(self, descriptor: int) -> None:
        """Let ``turn`` return True when there is something to read there."""
        self._epoll.register(descriptor, select.EPOLLIN)

    def turn(self, asked: int = -1) -> bool:
        """Wait for something and do it; return whether the watched descriptor has something."""
        wait = max(0.0, self._late[0][0] - time.monotonic()) if self._late else -1
        ready = False
        for descriptor, _events in self._epoll.poll(wait):
            if descriptor in self._connections:
                self._read(self._connections[descriptor])
            elif descriptor in self._listeners:
                self._accept(self._listeners[descriptor])
            else:
                ready = ready or descriptor == asked
        now = time.monotonic()
        while self._late and self._late[0][0] <= now:
            _due, connection, reply = self._late.popleft()
            self._send(connection, reply)
        _SLOT.pack_into(self._counters, 0, self._taken, self._answered)
        return ready

    def _accept(self, listener: socket.socket) -> None:
        for _turn in range(64):
            try:
                line, _address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            line.setblocking(False)
            self._taken += 1
            address = "" if self._only else line.getsockname()[0].removeprefix("::ffff:")
            connection = _Connection(line, address, self._only or self._peer(address))
            if self._options.record:
                connection.log = []
                self.conversations.append((address, connection.log))
                self._count(address, 1)
            self._connections[line.fileno()] = connection
            self._epoll.register(line.fileno(), select.EPOLLIN)

    def _count(self, address: str, change: int) -> None:
        for kind, key in (("all", ""), ("address", address), ("network", address.rpartition(".")[0] + ".")):
            self._open[key] += change
            self.most[kind] = max(self.most[kind], self._open[key])

    def _peer(self, address: str) -> Peer:
        prefix = next(one for one in self._prefixes if address.startswith(one))
        return self._peers[self._options.peers[prefix]]

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.line.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        data = connection.data + data
        while len(data) >= 4 and len(data) >= (size := 4 + (int.from_bytes(data[:4], "big") & 0x1FFFF)):
            frame, data = data[:size], data[size:]
            reply = connection.peer.answer(frame, connection.talk)
            if connection.log is not None:
                connection.log.append((frame.hex(), len(reply or b"")))
            if reply is None:
                self._close(connection)
                return
            self._answered += 1
            if self._options.mutate and self._dice.randrange(100) < self._options.mutate:
                reply = mutated(self._dice, reply)
            if self._options.latency:
                self._late.append((time.monotonic() + self._options.latency, connection, reply))
            else:
                self._send(connection, reply)
        connection.data = data

    def _send(self, connection: _Connection, reply: bytes) -> None:
        with contextlib.suppress(OSError):  # it hung up; replies are far smaller than the socket's buffer
            connection.line.send(reply)

    def _close(self, connection: _Connection) -> None:
        del self._connections[connection.line.fileno()]
        connection.line.close()
        if self._options.record:
            self._count(connection.address, -1)


def _listen(ports: tuple[int, ...]) -> list[socket.socket]:
    found = []
    for port in ports:
        line = socket.socket(socket.AF_INET6)
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        line.bind(("::", port))
        line.listen(_BACKLOG)
        line.setblocking(False)
        found.append(line)
    return found


def _child(options: Options, listeners: list[socket.socket], counters: memoryview, parent: int) -> None:
    server = _Server(options, listeners, counters)
    server.watch(parent)  # the pipe ends with the first process
    while not server.turn(parent):
        pass


def main() -> int:
    """Serve until standard input ends."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    options = Options(**{**told, "ports": tuple(told.get("ports", (445,)))})
    counters = memoryview(mmap.mmap(-1, _SLOT.size * options.processes))
    slots = [counters[one * _SLOT.size : (one + 1) * _SLOT.size] for one in range(options.processes)]
    listeners = [_listen(options.ports) for _process in slots]
    mine, theirs = os.pipe()
    for number in range(1, options.processes):
        if os.fork() == 0:
            os.close(theirs)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            _child(options, listeners[number], slots[number], mine)
            os._exit(0)
    server = _Server(options, listeners[0], slots[0])
    server.watch(0)
    print("ready", flush=True)
    while True:
        if server.turn(0):
            if not os.read(0, 65536):
                return 0
            taken, answered = (sum(column) for column in zip(*map(_SLOT.unpack, slots), strict=True))
            said: dict[str, Any] = {"connections": taken, "requests": answered}
            if options.record:
                said |= {"conversations": server.conversations, "most": server.most}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    sys.exit(main())
