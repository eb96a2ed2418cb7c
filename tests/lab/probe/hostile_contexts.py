# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile behaviours of a NEGOTIATE response's variable parts: blob and contexts ([MS-SMB2] 2.2.4, 2.2.3.1)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .hostile_line import Line, chosen, framed, written

_BLOB = 4 + 64 + 56
_CONTEXTS = 4 + 64 + 60


def _context(kind: int, data: bytes) -> Callable[[bytes, bytes], bytes]:
    """Return a change that writes bytes into the data of one context of a 3.1.1 response."""

    def change(_asked: bytes, reply: bytes) -> bytes:
        if chosen(reply) != 0x0311:
            return reply
        number, position = struct.unpack_from("<H", reply, 74)[0], 4 + struct.unpack_from("<I", reply, _CONTEXTS)[0]
        for _one in range(number):
            found, length = struct.unpack_from("<HH", reply, position)
            if found == kind:
                return reply[: position + 8] + data + reply[position + 8 + len(data) :]
            position += (8 + length + 7) // 8 * 8
        return reply

    return change


async def bad_blob_offset(line: Line) -> None:
    """The security blob lies outside the message."""
    await line.serve(written(_BLOB, struct.pack("<HH", 0xFFF0, 0x100)))


async def bad_blob_length(line: Line) -> None:
    """The security blob is longer than the message."""
    await line.serve(written(_BLOB + 2, b"\xff\xff"))


async def blob_in_header(line: Line) -> None:
    """The security blob begins in the header."""
    await line.serve(written(_BLOB, b"\x04\0"))


async def bad_context_offset(line: Line) -> None:
    """The contexts lie outside the message."""
    await line.serve(written(_CONTEXTS, b"\xf8\xff\xff\x7f", only_311=True))


async def contexts_in_header(line: Line) -> None:
    """The contexts begin in the header."""
    await line.serve(written(_CONTEXTS, b"\x08\0\0\0", only_311=True))


async def contexts_65535(line: Line) -> None:
    """65,535 contexts are announced, three are there."""
    await line.serve(written(74, b"\xff\xff", only_311=True))


async def context_too_long(line: Line) -> None:
    """The first context says that it is 65,535 bytes long."""

    def change(_asked: bytes, reply: bytes) -> bytes:
        if chosen(reply) != 0x0311:
            return reply
        position = 4 + struct.unpack_from("<I", reply, _CONTEXTS)[0] + 2
        return reply[:position] + b"\xff\xff" + reply[position + 2 :]

    await line.serve(change)


async def many_contexts(line: Line) -> None:
    """A thousand empty contexts of an unknown type before the three."""

    def change(_asked: bytes, reply: bytes) -> bytes:
        if chosen(reply) != 0x0311:
            return reply
        start = 4 + struct.unpack_from("<I", reply, _CONTEXTS)[0]
        head = reply[:74] + struct.pack("<H", 1003) + reply[76:start]
        return framed(head[4:] + struct.pack("<HHI", 0x7777, 0, 0) * 1000 + reply[start:])

    await line.serve(change)


async def cipher_not_offered(line: Line) -> None:
    """A cipher that nobody knows (0x0063)."""
    await line.serve(_context(2, struct.pack("<HH", 1, 0x63)))


async def cipher_never_changes(line: Line) -> None:
    """AES-128-GCM whatever ciphers are offered: asking without it never ends for who believes it."""
    await line.serve(_context(2, struct.pack("<HH", 1, 2)))


async def ciphers_by_the_thousand(line: Line) -> None:
    """A list of 65,535 ciphers in a context of four bytes."""
    await line.serve(_context(2, b"\xff\xff"))


async def hash_not_offered(line: Line) -> None:
    """Preauthentication by a hash that was not offered."""
    await line.serve(_context(1, struct.pack("<HHH", 1, 32, 0x77)))
