# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least that a client in Python can do: an epoll loop that sends recorded requests and counts the bytes that return.

    python bench/bare.py SCRIPT WINDOW < ADDRESSES

SCRIPT is JSON: a list of conversations, each a port and a list of requests (hex) with the length of the reply. Every address gets
all of them, as many at a time as WINDOW says. Nothing is decoded, judged, or kept in time. It prints JSON: connections,
bytes, and the CPU seconds that had gone before the first of them.
"""

from __future__ import annotations

import collections
import json
import pathlib
import select
import socket
import sys
import time

Step = tuple[bytes, int]


class _Connection:
    """One conversation under way."""

    __slots__ = ("line", "missing", "steps", "turn")

    def __init__(self, line: socket.socket, steps: list[Step]) -> None:
        self.line = line
        self.steps = steps
        self.turn = 0
        self.missing = 0


def exchange(addresses: list[str], script: list[tuple[int, list[Step]]], window: int) -> tuple[int, int]:
    """Hold every conversation with every address; return how many there were and how many bytes came."""
    waiting = collections.deque((address, port, steps) for address in addresses for port, steps in script)
    open_: dict[int, _Connection] = {}
    epoll = select.epoll()
    held = received = 0
    while waiting or open_:
        while waiting and len(open_) < window:
            address, port, steps = waiting.popleft()
            line = socket.socket()
            line.setblocking(False)
            line.connect_ex((address, port))
            open_[line.fileno()] = _Connection(line, steps)
            epoll.register(line.fileno(), select.EPOLLOUT)
            held += 1
        for descriptor, event in epoll.poll():
            one = open_[descriptor]
            if event & select.EPOLLOUT:
                epoll.modify(descriptor, select.EPOLLIN)
            else:
                data = one.line.recv(65536)
                received += len(data)
                one.missing -= len(data)
                if data and one.missing > 0:
                    continue
                one.turn += 1
            if one.turn < len(one.steps):
                request, one.missing = one.steps[one.turn]
                one.line.send(request)
                continue
            one.line.close()
            del open_[descriptor]
    return held, received


def main() -> int:
    """Run the script against the addresses of standard input."""
    document = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    script = [(port, [(bytes.fromhex(request), length) for request, length in steps]) for port, steps in document]
    addresses = sys.stdin.read().split()
    before = time.process_time()
    held, received = exchange(addresses, script, int(sys.argv[2]))
    print(json.dumps({"connections": held, "bytes": received, "before": before}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
