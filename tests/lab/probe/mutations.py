# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Right answers with something broken in them, at random: bits, lengths, pieces that are missing, doubled, or noise."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

Mutation = Callable[[random.Random, bytearray], bytes]


def bits(dice: random.Random, frame: bytearray) -> bytes:
    """Turn up to eight bits of the message around."""
    for _bit in range(dice.randint(1, 8)):
        frame[dice.randrange(4, len(frame))] ^= 1 << dice.randrange(8)
    return bytes(frame)


def field(dice: random.Random, frame: bytearray) -> bytes:
    """Write an extreme number over two or four bytes of the message."""
    value = dice.choice(
        (b"\0\0", b"\xff\xff", b"\xff\x7f", b"\0\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f")
    )
    start = dice.randrange(4, len(frame) - 4)
    frame[start : start + len(value)] = value
    return bytes(frame)


def cut(dice: random.Random, frame: bytearray) -> bytes:
    """Cut the message off, and say so in its length."""
    kept = dice.randrange(len(frame) - 4)
    return struct.pack(">I", kept) + frame[4 : 4 + kept]


def cut_and_lie(dice: random.Random, frame: bytearray) -> bytes:
    """Cut the message off, with the length of the whole."""
    return bytes(frame[: dice.randrange(1, len(frame))])


def length(dice: random.Random, frame: bytearray) -> bytes:
    """Say another length."""
    frame[:4] = struct.pack(
        ">I", dice.choice((0, 1, len(frame) - 5, len(frame) - 3, 0xFFFF, 0x10000, 0x1FFFF, 0xFFFFFF))
    )
    return bytes(frame)


def longer(dice: random.Random, frame: bytearray) -> bytes:
    """Add noise at the end, and say so."""
    noise = dice.randbytes(dice.randint(1, 3000))
    return struct.pack(">I", len(frame) - 4 + len(noise)) + frame[4:] + noise


def without_a_piece(dice: random.Random, frame: bytearray) -> bytes:
    """Take a piece out of the middle."""
    start = dice.randrange(4, len(frame))
    del frame[start : start + dice.randint(1, 64)]
    return struct.pack(">I", len(frame) - 4) + frame[4:]


def twice(_dice: random.Random, frame: bytearray) -> bytes:
    """Send it twice."""
    return bytes(frame + frame)


def noise(dice: random.Random, frame: bytearray) -> bytes:
    """Nothing but noise, with a true length."""
    return bytes(frame[:4]) + dice.randbytes(len(frame) - 4)


def noise_after_header(dice: random.Random, frame: bytearray) -> bytes:
    """A true header, as far as there is more than that, and noise after it."""
    kept = min(68, len(frame) - 5)
    return bytes(frame[:kept]) + dice.randbytes(len(frame) - kept)


MUTATIONS: dict[Mutation, int] = {
    bits: 6,
    field: 8,
    cut: 3,
    cut_and_lie: 1,
    length: 1,
    longer: 2,
    without_a_piece: 3,
    twice: 1,
    noise: 2,
    noise_after_header: 3,
}
"""How often each is taken; those that end in waiting are rare, as they take a time-out each."""


def mutated(dice: random.Random, reply: bytes) -> bytes:
    """Return a reply with one thing broken; one without a message stays as it is."""
    if len(reply) <= 12:
        return reply
    (mutation,) = dice.choices(list(MUTATIONS), list(MUTATIONS.values()))
    return mutation(dice, bytearray(reply))
