# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile behaviours of messages: a NEGOTIATE response that is right but for one thing ([MS-SMB2] 2.2.4)."""

from __future__ import annotations

import itertools
import struct

from .hostile_line import HONEST, Line, asks, chosen, framed, refusal, written
from .peer import DIALECTS, Peer, offer

ONLY_21, ONLY_311 = Peer("smb2"), Peer("strict")
_SIZES = 4 + 64 + 28
_TIMES = 4 + 64 + 40


async def wildcard_dialect(line: Line) -> None:
    """0x02FF to a NEGOTIATE of SMB2, where [MS-SMB2] 3.3.5.4 has no place for it."""
    await line.serve(written(72, b"\xff\x02"))


async def unknown_dialect(line: Line) -> None:
    """A dialect that does not exist: 0x0310."""
    await line.serve(written(72, b"\x10\x03"))


async def always_311(line: Line) -> None:
    """3.1.1 to any offer."""
    await line.serve(lambda asked, reply: _answers(0x0311, asked, reply))


async def always_202(line: Line) -> None:
    """2.0.2 to any offer."""
    await line.serve(lambda asked, reply: _answers(0x0202, asked, reply))


def _answers(dialect: int, asked: bytes, reply: bytes) -> bytes:
    if not asks(asked, 0):
        return reply
    usual = HONEST.usual(dialect)
    return usual[:28] + asked[28:36] + usual[36:]


async def not_the_highest(line: Line) -> None:
    """2.0.2 where it is offered at all, else the highest: a newer dialect comes after an older one."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return _answers(0x0202, asked, reply) if asks(asked, 0) and 0x0202 in offer(asked[4:]).dialects else reply

    await line.serve(change)


async def two_servers(line: Line) -> None:
    """Two servers behind one address, in turn: one speaks up to 2.1, one nothing but 3.1.1."""
    await line.serve(peer=(ONLY_21, ONLY_311)[line.turn % 2])


async def times_out_of_range(line: Line) -> None:
    """System and boot time are the largest numbers that fit: the year 60055."""
    await line.serve(written(_TIMES, b"\xff" * 16))


async def sizes_out_of_range(line: Line) -> None:
    """Maximum sizes of zero and of four gigabytes."""
    await line.serve(written(_SIZES, bytes(4) + b"\xff" * 8))


async def wrong_message_id(line: Line) -> None:
    """The right answer to another request: MessageId 77."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:28] + struct.pack("<Q", 77) + reply[36:] if asks(asked, 0) else reply

    await line.serve(change)


async def wrong_command(line: Line) -> None:
    """The answer says that it is one to ECHO."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:16] + b"\x0d\0" + reply[18:] if asks(asked, 0) else reply

    await line.serve(change)


async def request_for_answer(line: Line) -> None:
    """The right answer, but the flag that makes it one is not set."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:20] + bytes(4) + reply[24:] if asks(asked, 0) else reply

    await line.serve(change)


async def wrong_structure_size(line: Line) -> None:
    """A NEGOTIATE response whose StructureSize is 64 instead of 65."""
    await line.serve(written(68, b"\x40\0"))


async def encrypted_answer(line: Line) -> None:
    """A message that says that it is encrypted ([MS-SMB2] 2.2.41)."""
    await line.frame()
    await line.say(framed(b"\xfdSMB" + bytes(48) + bytes(64)))
    await line.hang()


async def compressed_answer(line: Line) -> None:
    """A message that says that it unpacks to four gigabytes ([MS-SMB2] 2.2.42)."""
    await line.frame()
    await line.say(framed(b"\xfcSMB" + b"\xff\xff\xff\xff" + bytes(24)))
    await line.hang()


async def smb1_to_smb2(line: Line) -> None:
    """Answers SMB2 with a refusal of SMB1."""
    await line.frame()
    await line.say(framed(bytes.fromhex("ff534d4272000000008803c0000000000000000000000000fffffffe0000000001ffff0000")))
    await line.hang()


async def out_of_resources(line: Line) -> None:
    """STATUS_INSUFFICIENT_RESOURCES to every request: busy is not "no"."""
    await _only(line, 0xC000009A)


async def access_denied(line: Line) -> None:
    """STATUS_ACCESS_DENIED to every request: it says nothing of dialects."""
    await _only(line, 0xC0000022)


async def success_without_body(line: Line) -> None:
    """Status 0 with the body of an error."""
    await _only(line, 0)


async def unknown_status(line: Line) -> None:
    """A status that nobody knows."""
    await _only(line, 0xC0DEDEAD)


async def _only(line: Line, status: int) -> None:
    while True:
        asked = await line.frame()
        if asked[4:8] == b"\xfeSMB":
            await line.say(refusal(asked, status))
        elif reply := line.honest(asked):
            await line.say(reply)
        else:
            return


async def smb1_index_beyond(line: Line) -> None:
    """SMB1: chooses a dialect by a number that the list does not have."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:37] + b"\x63\0" + reply[39:] if asked[4:9] == b"\xffSMB\x72" else reply

    await line.serve(change, Peer("nt1"))


async def smb1_words_lie(line: Line) -> None:
    """SMB1: 255 words are announced, 17 are there."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:36] + b"\xff" + reply[37:] if asked[4:9] == b"\xffSMB\x72" else reply

    await line.serve(change, Peer("nt1"))


async def smb1_bytes_lie(line: Line) -> None:
    """SMB1: 65,535 bytes are announced after the words."""

    def change(asked: bytes, reply: bytes) -> bytes:
        lies = asked[4:9] == b"\xffSMB\x72" and reply[36:37] == b"\x11"
        return reply[:71] + b"\xff\xff" + reply[73:] if lies else reply

    await line.serve(change, Peer("nt1"))


async def smb1_without_terminator(line: Line) -> None:
    """SMB1: names at the end of a response without the zeros that end them."""

    def change(asked: bytes, reply: bytes) -> bytes:
        return reply[:-4] + b"AABB" if asked[4:9] == b"\xffSMB\x72" and len(reply) > 80 else reply

    await line.serve(change, Peer("nt1noext"))


def _every(data: bytes) -> bytes:
    return bytes(itertools.islice(itertools.cycle(data), 65535 - 200))


async def longest_answer(line: Line) -> None:
    """The right answer with 65,000 bytes of nothing after it, and a true length."""

    def change(_asked: bytes, reply: bytes) -> bytes:
        return framed(reply[4:] + _every(b"\xaa")) if chosen(reply) in DIALECTS else reply

    await line.serve(change)
