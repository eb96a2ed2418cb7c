# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile behaviours of the framing: lengths that lie, keep-alives, answers of the NetBIOS session service."""

from __future__ import annotations

import asyncio
import struct

from .hostile_line import Line, asks, refusal

KEEP_ALIVE = b"\x85\0\0\0"
PENDING = 0x00000103
_ASYNC = 0x00000002


async def frame_of_16_mb(line: Line) -> None:
    """Announces 16 MB and sends them."""
    await line.frame()
    await line.say(b"\0\xff\xff\xff\xfeSMB")
    for _block in range(256):
        await line.say(bytes(65536))
    await line.hang()


async def frame_of_16_mb_unsent(line: Line) -> None:
    """Announces 16 MB and sends nothing of it."""
    await line.frame()
    await line.say(b"\0\xff\xff\xff")
    await line.hang()


async def longer_than_said(line: Line) -> None:
    """The right answer with a length that is eight bytes too short: the rest looks like another frame."""
    while reply := line.honest(await line.frame()):
        await line.say(struct.pack(">I", len(reply) - 12) + reply[4:])


async def shorter_than_said(line: Line) -> None:
    """The right answer with a length that is eight bytes too long, and silence."""
    reply = line.honest(await line.frame()) or b""
    await line.say(struct.pack(">I", len(reply) + 4) + reply[4:])
    await line.hang()


async def empty_frame(line: Line) -> None:
    """A frame without a message, and silence."""
    await line.frame()
    await line.say(bytes(4))
    await line.hang()


async def header_only(line: Line) -> None:
    """The header of the right answer without its body."""
    while reply := line.honest(await line.frame()):
        await line.say(struct.pack(">I", min(64, len(reply) - 4)) + reply[4:68])


async def unknown_frame_type(line: Line) -> None:
    """A frame of a type that RFC 1002 4.3.1 does not know."""
    await line.frame()
    await line.say(b"\x42\0\0\x04abcd")
    await line.hang()


async def keep_alive_flood(line: Line) -> None:
    """Session keep-alives without end."""
    await line.frame()
    while True:
        await line.say(KEEP_ALIVE * 4096)


async def keep_alive_drip(line: Line) -> None:
    """A keep-alive every tenth of a second."""
    await line.frame()
    while True:
        await line.say(KEEP_ALIVE)
        await asyncio.sleep(0.1)


async def keep_alive_before_honest(line: Line) -> None:
    """Three keep-alives, and then the right answer."""
    while reply := line.honest(await line.frame()):
        await line.say(KEEP_ALIVE * 3 + reply)


async def session_negative(line: Line) -> None:
    """A negative response of the session service to everything: not listening on the called name."""
    while True:
        await line.any_frame()
        await line.say(b"\x83\0\0\x01\x80")


async def session_retarget(line: Line) -> None:
    """Sends everyone to another address and port, where something else listens."""
    while True:
        await line.any_frame()
        await line.say(b"\x84\0\0\x06" + bytes((127, 66, 9, 9)) + struct.pack(">H", 445))


async def session_positive_only(line: Line) -> None:
    """A positive response of the session service to everything, SMB included."""
    while True:
        await line.any_frame()
        await line.say(b"\x82\0\0\0")


async def two_answers(line: Line) -> None:
    """The right answer, and at once a second one that says otherwise: STATUS_NOT_SUPPORTED."""
    asked = await line.frame()
    reply = line.honest(asked) or b""
    second = refusal(asked, 0xC00000BB) if asks(asked, 0) else b""
    await line.say(reply + second)
    await line.hang()


async def pending_then_honest(line: Line) -> None:
    """An interim response ([MS-SMB2] 3.3.4.4), and then the right answer."""
    while True:
        asked = await line.frame()
        reply = line.honest(asked)
        if not reply:
            return
        await line.say((_interim(asked) if asked[4:8] == b"\xfeSMB" else b"") + reply)


async def pending_flood(line: Line) -> None:
    """Interim responses without end."""
    asked = await line.frame()
    while True:
        await line.say((_interim(asked) if asked[4:8] == b"\xfeSMB" else KEEP_ALIVE) * 256)


async def pending_forever(line: Line) -> None:
    """One interim response, and never the final one."""
    asked = await line.frame()
    if asked[4:8] == b"\xfeSMB":
        await line.say(_interim(asked))
    await line.hang()


def _interim(asked: bytes) -> bytes:
    """Return STATUS_PENDING with an AsyncId, as the first answer to a request that takes its time."""
    reply = bytearray(refusal(asked, PENDING))
    struct.pack_into("<I", reply, 20, 1 | _ASYNC)
    struct.pack_into("<Q", reply, 36, 8)
    return bytes(reply)
