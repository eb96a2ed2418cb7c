# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile behaviours of the line: slow, silent, foreign, endless, gone."""

from __future__ import annotations

import asyncio
import os

from .hostile_line import FOREVER, Line, asks, chosen
from .peer import Peer

XP, ONLY_21 = Peer("nt1only"), Peer("smb2")


async def silent(line: Line) -> None:
    """Takes the connection and says nothing, ever."""
    await line.hang()


async def deaf(_line: Line) -> None:
    """Takes the connection and does not even read."""
    await asyncio.sleep(FOREVER)


async def slow_loris(line: Line) -> None:
    """A byte a second, for ever; the first four announce 96 KiB less than they could."""
    await line.frame()
    for byte in b"\0\0\x80\0" + b"\xfeSMB" + bytes(100000):
        await line.say(bytes((byte,)))
        await asyncio.sleep(1)


async def slow_honest(line: Line) -> None:
    """The right answer, a byte every tenth of a second: half a minute for each."""
    while True:
        for byte in line.honest(await line.frame()) or b"":
            await line.say(bytes((byte,)))
            await asyncio.sleep(0.1)


async def late_honest(line: Line) -> None:
    """The right answer, 400 milliseconds late."""
    while reply := line.honest(await line.frame()):
        await asyncio.sleep(0.4)
        await line.say(reply)


async def chopped_honest(line: Line) -> None:
    """The right answer in pieces of seven bytes, each in a segment of its own."""
    while reply := line.honest(await line.frame()):
        for start in range(0, len(reply), 7):
            await line.say(reply[start : start + 7])
            await asyncio.sleep(0.003)


async def endless_zeros(line: Line) -> None:
    """Zeros without end: to a framing of SMB, empty messages."""
    while True:
        await line.say(bytes(65536))


async def endless_noise(line: Line) -> None:
    """Random bytes without end."""
    while True:
        await line.say(os.urandom(65536))


async def endless_text(line: Line) -> None:
    """Lines of text without end (chargen, RFC 864)."""
    while True:
        await line.say(b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n" * 800)


async def noise(line: Line) -> None:
    """Random bytes, as many as an answer has, and then the end."""
    await line.any_frame()
    await line.say(b"\x47" + os.urandom(283))


async def echo(line: Line) -> None:
    """Whatever comes goes back (RFC 862): our own requests look like SMB."""
    while True:
        await line.say(await line.any_frame())


async def discard(line: Line) -> None:
    """Takes everything, answers nothing (RFC 863), and hangs up after the first request."""
    await line.any_frame()


async def http(line: Line) -> None:
    """A web server."""
    await line.any_frame()
    await line.say(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


async def ssh(line: Line) -> None:
    """An SSH server: it speaks first."""
    await line.say(b"SSH-2.0-OpenSSH_9.6\r\n")
    await line.hang()


async def tls(line: Line) -> None:
    """A TLS server: to it, our request is a bad record (RFC 8446 6.2: decode_error)."""
    await line.any_frame()
    await line.say(bytes.fromhex("15030300020232"))


async def text_banner(line: Line) -> None:
    """A mail server's greeting, and silence."""
    await line.say(b"220 mail.example.org ESMTP\r\n")
    await line.hang()


async def reset_on_accept(line: Line) -> None:
    """Takes the connection and resets it at once, as a middlebox does."""
    line.reset()


async def reset_on_request(line: Line) -> None:
    """Resets when the first request comes."""
    await line.any_frame()
    line.reset()


async def closes_on_accept(_line: Line) -> None:
    """Hangs up as soon as it has taken the connection."""


async def closes_in_header(line: Line) -> None:
    """Hangs up after three bytes of the frame's header."""
    await line.say((line.honest(await line.frame()) or b"")[:3])


async def closes_in_message(line: Line) -> None:
    """Hangs up in the middle of the right answer."""
    reply = line.honest(await line.frame()) or b""
    await line.say(reply[: len(reply) // 2])


async def closes_before_the_last_byte(line: Line) -> None:
    """Hangs up one byte before the end of the right answer."""
    await line.say((line.honest(await line.frame()) or b"")[:-1])


async def resets_in_message(line: Line) -> None:
    """Resets in the middle of the right answer."""
    reply = line.honest(await line.frame()) or b""
    await line.say(reply[: len(reply) // 2])
    await asyncio.sleep(0.02)
    line.reset()


async def stops_in_header(line: Line) -> None:
    """Falls silent after three bytes of the frame's header."""
    await line.say((line.honest(await line.frame()) or b"")[:3])
    await line.hang()


async def stops_in_message(line: Line) -> None:
    """Falls silent in the middle of the right answer."""
    reply = line.honest(await line.frame()) or b""
    await line.say(reply[: len(reply) // 2])
    await line.hang()


async def xp(line: Line) -> None:
    """Speaks SMB1 only, and answers SMB2 with silence, as Windows XP does."""
    asked = await line.frame()
    if asked[4:8] == b"\xfeSMB":
        await line.hang()
    await line.say(line.honest(asked, XP) or b"")
    await line.serve(peer=XP)


async def silent_on_unknown(line: Line) -> None:
    """Speaks 2.0.2 and 2.1, and falls silent at an offer of others, and at SMB1."""
    asked = await line.frame()
    reply = line.honest(asked, ONLY_21)
    if not reply or (asks(asked, 0) and not chosen(reply)) or asked[4:8] == b"\xffSMB":
        await line.hang()
    await line.say(reply or b"")
    await line.serve(peer=ONLY_21)


async def every_second_honest(line: Line) -> None:
    """Resets every second connection; the others are served well."""
    if line.turn % 2 == 0:
        line.reset()
        return
    await line.serve()


async def first_silent(line: Line) -> None:
    """Is silent on the first connection to it, and honest from then on."""
    if line.turn == 1:
        await line.hang()
    await line.serve()
