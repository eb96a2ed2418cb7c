# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile behaviours of the session: SPNEGO and NTLM that lie, and names that want to be more than text.

Dialects and signing are honest here; only the identity cannot be had, or is poison.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from .hostile_line import Line, asks, chosen, framed, refusal

_MORE = 0xC0000016
POISON = "{{lookup('pipe','id')}}\x1b[2J\n=cmd|\u202e<script>"
"""A name that a template, a terminal, a spreadsheet or a browser would act on."""


def _setup(change: Callable[[bytes], bytes]) -> Callable[[bytes, bytes], bytes]:
    """Return a change of the token of SESSION_SETUP responses."""

    def changed(asked: bytes, reply: bytes) -> bytes:
        if not asks(asked, 1) or struct.unpack_from("<I", reply, 12)[0] != _MORE:
            return reply
        token = change(reply[4 + 72 :])
        return framed(reply[4 : 4 + 70] + struct.pack("<H", len(token) & 0xFFFF) + token)

    return changed


def _ntlm(change: Callable[[bytearray, int], None]) -> Callable[[bytes, bytes], bytes]:
    """Return a change of the NTLM CHALLENGE itself; it is given the token and where the challenge begins."""

    def changed(token: bytes) -> bytes:
        found = bytearray(token)
        change(found, found.index(b"NTLMSSP\0"))
        return bytes(found)

    return _setup(changed)


async def no_session(line: Line) -> None:
    """Hangs up when a session is asked for."""
    while not asks(asked := await line.frame(), 1):
        await line.say(line.honest(asked) or b"")


async def session_refused(line: Line) -> None:
    """STATUS_NOT_SUPPORTED to NTLM, as where only Kerberos is taken."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return refusal(asked, 0xC00000BB) if asks(asked, 1) else reply

    await line.serve(change)


async def session_for_nothing(line: Line) -> None:
    """Lets anyone in at the first token: status 0 where a challenge should be."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:12] + bytes(4) + reply[16:] if asks(asked, 1) else reply

    await line.serve(change)


async def empty_token(line: Line) -> None:
    """A challenge of no bytes."""
    await line.serve(_setup(lambda _token: b""))


async def token_of_noise(line: Line) -> None:
    """A challenge that is neither SPNEGO nor NTLM."""
    await line.serve(_setup(lambda _token: b"\x93\x17" * 90))


async def token_nested(line: Line) -> None:
    """DER in DER in DER, six hundred deep."""
    await line.serve(_setup(lambda _token: b"\xa1\x80" * 600))


async def token_length_lies(line: Line) -> None:
    """DER whose length has 127 bytes."""
    await line.serve(_setup(lambda token: b"\xa1\xff" + b"\xff" * 127 + token))


async def target_outside(line: Line) -> None:
    """NTLM: the target's name lies outside the message."""
    await line.serve(_ntlm(lambda token, start: struct.pack_into("<HHI", token, start + 12, 64, 64, 0x7FFFFFFF)))


async def pairs_outside(line: Line) -> None:
    """NTLM: the AV pairs lie outside the message."""
    await line.serve(
        _ntlm(lambda token, start: struct.pack_into("<HHI", token, start + 40, 0xFFFF, 0xFFFF, 0xFFFFFFF0))
    )


async def pair_too_long(line: Line) -> None:
    """NTLM: the first AV pair says that it is 65,535 bytes long."""

    def change(token: bytearray, start: int) -> None:
        where = struct.unpack_from("<I", token, start + 44)[0]
        struct.pack_into("<H", token, start + where + 2, 0xFFFF)

    await line.serve(_ntlm(change))


async def names_half_a_character(line: Line) -> None:
    """NTLM: names of half a UTF-16 surrogate pair."""

    def change(token: bytearray, start: int) -> None:
        length, _room, where = struct.unpack_from("<HHI", token, start + 12)
        token[start + where : start + where + length] = (b"\x00\xd8" * length)[:length]

    await line.serve(_ntlm(change))


async def names_of_poison(line: Line) -> None:
    """NTLM: every name is one that templates, terminals, spreadsheets and browsers would act on."""
    await line.serve(_setup(lambda _token: _challenge(POISON)))


def _challenge(name: str) -> bytes:
    """Return a raw NTLM CHALLENGE ([MS-NLMP] 2.2.1.2) whose names are all the same."""
    text = name.encode("utf-16-le")
    pairs = b"".join(struct.pack("<HH", kind, len(text)) + text for kind in (2, 1, 4, 3, 5)) + bytes(4)
    head = b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(text), len(text), 56) + struct.pack("<I", 0xE2898215)
    return (
        head
        + bytes(range(8))
        + bytes(8)
        + struct.pack("<HHI", len(pairs), len(pairs), 56 + len(text))
        + (b"\x0a\0\x63\x45\0\0\0\x0f" + text + pairs)
    )


async def guid_of_poison(line: Line) -> None:
    """The server's GUID spells a template."""

    def change(_asked: bytes, reply: bytes) -> bytes:
        return reply[:76] + b"{{7*7}}<b>\x1b[31m\0" + reply[92:] if chosen(reply) else reply

    await line.serve(change)


async def endless_challenges(line: Line) -> None:
    """A challenge to every token, for ever."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return refusal(asked, _MORE) if asks(asked, 1) else reply

    await line.serve(change)
