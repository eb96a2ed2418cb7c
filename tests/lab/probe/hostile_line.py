# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection of the hostile server, and the honest server that it could have been."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from .peer import Peer, Talk

FOREVER = 3600.0
HONEST = Peer("default")
"""What a behaviour that lies about one thing says of all others: smbd with its defaults, SMB1 off, 2.0.2 to 3.1.1."""


class Line:
    """A connection as a behaviour sees it.

    Attributes:
        turn: how many connections came to this address before and with this one.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: int) -> None:
        self._reader = reader
        self._writer = writer
        self._talk = Talk()
        self.turn = turn

    async def frame(self) -> bytes:
        """Return the next frame with a message; a session request before it (RFC 1002 4.3.2) is granted."""
        while (found := await self.any_frame())[:1] == b"\x81":
            await self.say(b"\x82\0\0\0")
        return found

    async def any_frame(self) -> bytes:
        """Return the next whole frame, its four bytes of length included."""
        head = await self._reader.readexactly(4)
        return head + await self._reader.readexactly(int.from_bytes(head, "big") & 0x1FFFF)

    async def say(self, data: bytes) -> None:
        """Send bytes, and wait until the peer has taken most of them."""
        self._writer.write(data)
        await self._writer.drain()

    async def hang(self) -> None:
        """Say nothing more until the peer hangs up."""
        while await self._reader.read(65536):
            pass

    def honest(self, frame: bytes, peer: Peer = HONEST) -> bytes | None:
        """Return what an honest server answers; None: it hangs up."""
        return peer.answer(frame, self._talk)

    async def serve(self, change: Callable[[bytes, bytes], bytes] | None = None, peer: Peer = HONEST) -> None:
        """Be honest to the end, but for what ``change`` (request, reply) makes of each reply."""
        while True:
            asked = await self.frame()
            reply = self.honest(asked, peer)
            if reply is None:
                return
            await self.say(change(asked, reply) if change else reply)

    def reset(self) -> None:
        """Hang up with a reset."""
        line = self._writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


def framed(message: bytes) -> bytes:
    """Return a message with its length before it ([MS-SMB2] 2.1)."""
    return struct.pack(">I", len(message)) + message


def asks(frame: bytes, command: int) -> bool:
    """Return whether a frame holds that command of SMB2."""
    return frame[4:8] == b"\xfeSMB" and frame[16] == command


def chosen(reply: bytes) -> int:
    """Return the dialect that a NEGOTIATE response of SMB2 names; 0 where it is none, or refuses."""
    good = asks(reply, 0) and reply[12:16] == bytes(4) and len(reply) >= 4 + 64 + 64
    return int(struct.unpack_from("<H", reply, 72)[0]) if good else 0


def refusal(frame: bytes, status: int) -> bytes:
    """Return an error response ([MS-SMB2] 2.2.2) to a request."""
    header = frame[4:12] + struct.pack("<I", status) + frame[16:18] + struct.pack("<HI", 1, 1) + bytes(4) + frame[28:68]
    return framed(header + struct.pack("<HHI", 9, 0, 0) + b"\0")


def written(position: int, data: bytes, only_311: bool = False) -> Callable[[bytes, bytes], bytes]:
    """Return a change that writes bytes into every accepted NEGOTIATE response (of 3.1.1)."""

    def change(_asked: bytes, reply: bytes) -> bytes:
        dialect = chosen(reply)
        if not dialect or (only_311 and dialect != 0x0311):
            return reply
        return reply[:position] + data + reply[position + len(data) :]

    return change
