# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hostile server: every behaviour is an address, and does the same on every port that it listens on.

    python hostile.py 445 139

``ADDRESSES`` says who is where. What must come of each stands, by hand, in ``hostile_expected.py``. It writes "ready" when
it listens and ends when its standard input does. For tests only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from tests.lab.probe import hostile_contexts, hostile_frames, hostile_lines, hostile_messages, hostile_sessions
from tests.lab.probe.hostile_line import Line
from tests.lab.probe.space import Space

Behaviour = Callable[[Line], Awaitable[None]]

BEHAVIOURS: dict[str, Behaviour] = {
    name: function
    for room in (hostile_lines, hostile_frames, hostile_messages, hostile_contexts, hostile_sessions)
    for name, function in vars(room).items()
    if asyncio.iscoroutinefunction(function) and function.__module__ == room.__name__ and not name.startswith("_")
}
"""Every behaviour by its name."""

ADDRESSES = {name: f"127.66.{number // 250}.{1 + number % 250}" for number, name in enumerate(BEHAVIOURS)}


@contextlib.contextmanager
def hostile(lab: Space, *ports: int) -> Iterator[list[str]]:
    """Run the hostile server; it listens when this returns.

    Yields:
        the addresses of nobody that were connected to, once the server has ended.
    """
    strays: list[str] = []
    process = lab.serve(sys.executable, str(pathlib.Path(__file__).resolve()), *map(str, ports))
    try:
        yield strays
    finally:
        if process.stdin and process.stdout:
            process.stdin.close()
            strays += process.stdout.read().decode().split()
        lab.stop(process)


async def _serve(ports: list[int]) -> None:
    names = {address: name for name, address in ADDRESSES.items()}
    turns: Counter[str] = Counter()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        turns[address] += 1
        if address not in names:
            print(address, flush=True)  # nobody was told of it, but by one of us
        try:
            await BEHAVIOURS[names.get(address, "silent")](Line(reader, writer, turns[address]))
        except (ConnectionError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    for port in ports:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind(("0.0.0.0", port))
        await asyncio.start_server(served, sock=line, backlog=4096)
    print("ready", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)
    await ended.wait()
    os._exit(0)  # some of them are to wait for ever, and need no farewell


if __name__ == "__main__":
    asyncio.run(_serve([int(port) for port in sys.argv[1:]]))
