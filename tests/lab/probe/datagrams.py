# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Honest and hostile servers of UDP 137 (node status) and UDP 443 (QUIC), each an address of the lab.

    python datagrams.py

It writes "ready" when it listens and ends when its standard input does. ``HONEST`` says whose
answers are to be believed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from tests.lab.probe.space import Space

Answer = Callable[[bytes], list[bytes]]

NAMES = (("HARBOUR", 0x00, False), ("HARBOUR", 0x20, False), ("WATER", 0x00, True))
MAC = "02:00:5e:10:20:30"
VERSIONS = (1, 0x6B3343CF, 0x0A1A2A3A)


def status(request: bytes, names: Sequence[tuple[str, int, bool]] = NAMES, count: int | None = None) -> bytes:
    """Return a node status reply ([RFC 1002] 4.2.18)."""
    rows = b"".join(
        name.encode().ljust(15) + bytes((suffix,)) + struct.pack(">H", 0x8400 if group else 0x0400)
        for name, suffix, group in names
    )
    data = bytes((len(names) if count is None else count,)) + rows + bytes.fromhex(MAC.replace(":", "")) + bytes(40)
    head = request[:2] + struct.pack(">HHHHH", 0x8400, 0, 1, 0, 0)
    return head + request[12:46] + struct.pack(">HHIH", 0x21, 1, 0, len(data)) + data


def versions(request: bytes, known: Sequence[int] = VERSIONS) -> bytes:
    """Return a version negotiation (RFC 8999 6): the identifiers of the request come back swapped."""
    end = 6 + request[5]
    destination, source = request[5:end], request[end : end + 1 + request[end]]
    return b"\xc3" + bytes(4) + source + destination + struct.pack(f">{len(known)}I", *known)


def _echo(request: bytes) -> list[bytes]:
    return [request]


def _noise(_request: bytes) -> list[bytes]:
    return [os.urandom(200)]


def _silence(_request: bytes) -> list[bytes]:
    return []


BEHAVIOURS: dict[str, tuple[Answer, Answer]] = {
    "honest": (lambda asked: [status(asked)], lambda asked: [versions(asked)]),
    "silent": (_silence, _silence),
    "echo": (_echo, _echo),
    "noise": (_noise, _noise),
    "empty": (lambda _asked: [b""], lambda _asked: [b""]),
    "cut": (lambda asked: [status(asked)[:70]], lambda asked: [versions(asked)[:24]]),
    "of another": (
        lambda asked: [status(bytes((asked[0] ^ 1, asked[1])) + asked[2:])],
        lambda asked: [versions(asked[:6] + bytes(8) + asked[14:])],
    ),
    "count lies": (lambda asked: [status(asked, count=255)], lambda asked: [versions(asked) + b"\0\0"]),
    "many": (
        lambda asked: [status(asked, [(f"N{one}", 0, False) for one in range(200)])],
        lambda asked: [versions(asked, list(range(1, 300)))],
    ),
    "flood": (lambda _asked: [os.urandom(60)] * 500, lambda _asked: [os.urandom(60)] * 500),
    "noise before honest": (lambda asked: [b"\0" * 9, status(asked)], lambda asked: [b"\0" * 9, versions(asked)]),
    "late": (_silence, _silence),
}
"""By name: how 137 and how 443 answer."""

ADDRESSES = {name: f"127.67.0.{number}" for number, name in enumerate(BEHAVIOURS, 1)}
HONEST = ("honest", "noise before honest", "late")
"""Those whose answer is right in the end; of all others nothing is known but that they said something, or nothing."""
_LATE_SECONDS = 0.7


@contextlib.contextmanager
def datagrams(lab: Space) -> Iterator[None]:
    """Run the servers; they listen when this returns."""
    process = lab.serve(sys.executable, str(pathlib.Path(__file__).resolve()))
    try:
        yield
    finally:
        lab.stop(process)


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer, late: float) -> None:
        self._answer = answer
        self._late = late

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for one in self._answer(data):
            asyncio.get_running_loop().call_later(self._late, self._transport.sendto, one, addr)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    for name, answers in BEHAVIOURS.items():
        late = _LATE_SECONDS if name == "late" else 0.0
        for port, answer, honest in zip((137, 443), answers, BEHAVIOURS["honest"], strict=True):
            line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            line.bind((ADDRESSES[name], port))
            await loop.create_datagram_endpoint(partial(_Server, honest if late else answer, late), sock=line)
    print("ready", flush=True)
    ended = asyncio.Event()
    loop.add_reader(0, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
