# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames around messages: direct TCP ([MS-SMB2] 2.1) and the NetBIOS session service (RFC 1002 4.3.1).

Both begin with a type and a length, and differ only in how many bits of the length may be set: far more than the 64 KiB
that are read here, so one reader serves both.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .errors import LocalProtocolError, RemoteProtocolError

MESSAGE = 0x00
SESSION_REQUEST = 0x81
POSITIVE = 0x82
NEGATIVE = 0x83
RETARGET = 0x84
KEEP_ALIVE = 0x85
TYPES = frozenset((MESSAGE, SESSION_REQUEST, POSITIVE, NEGATIVE, RETARGET, KEEP_ALIVE))

LIMIT = 65536
"""Bytes of a frame that are read. Replies to what a probe asks have 37 to 300."""

MAX_KEEP_ALIVES = 8
MAX_FRAMES = 8

_LENGTH = struct.Struct(">I")


class Frame(NamedTuple):
    """One frame: its type (``MESSAGE``, ``POSITIVE``, ...) and what it carries, without the header of four bytes."""

    type: int
    payload: bytes


def direct(message: bytes) -> bytes:
    """Return a message with the header of direct TCP before it; the same bytes serve on port 139.

    Raises:
        LocalProtocolError: it is empty, or longer than a NetBIOS frame can be (131071 bytes).
    """
    length = len(message)
    if not 0 < length < 0x20000:
        raise LocalProtocolError(f"a message of {length} bytes cannot be framed")
    return _LENGTH.pack(length) + message


class Frames:
    """Takes bytes as they come and gives whole frames; holds at most one incomplete frame.

    Keep-alives are skipped, at most 8 per connection. What has gone wrong stays wrong: frames that came whole before it
    are given first, then every call raises the same error, however the bytes were cut into pieces.

    Args:
        limit: bytes that a frame may carry; a longer one is refused at its header.
        frames: frames that a connection may bring, keep-alives apart.
    """

    __slots__ = ("_buffer", "_error", "_frames", "_keep_alives", "_limit", "_need")

    def __init__(self, limit: int = LIMIT, frames: int = MAX_FRAMES) -> None:
        self._buffer = bytearray()
        self._need = 0
        self._error: RemoteProtocolError | None = None
        self._frames = frames
        self._keep_alives = MAX_KEEP_ALIVES
        self._limit = limit

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and is not complete: a peer that closes now has cut it off."""
        return bool(self._buffer)

    @property
    def error(self) -> RemoteProtocolError | None:
        """What has gone wrong behind the frames that were given; the next ``receive`` will raise it."""
        return self._error

    def receive(self, data: bytes) -> list[Frame]:
        """Return the frames that ``data`` completes.

        Raises:
            RemoteProtocolError: "not_smb" (no frame begins like this), "too_long", "too_many", "bad_value".
        """
        if self._error is not None:
            raise self._error
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._need:
                return []
            data = bytes(self._buffer)
        found: list[Frame] = []
        try:
            rest = self._take(data, found)
        except RemoteProtocolError as error:
            self._error = error
            self._buffer.clear()
            if not found:
                raise
            return found
        self._buffer = bytearray(data[rest:])
        return found

    def _take(self, data: bytes, found: list[Frame]) -> int:
        """Put whole frames into ``found`` and return where the first incomplete one begins."""
        start = 0
        while start < len(data):
            kind = data[start]
            # By its first byte: the reply of a web server need not be awaited whole.
            if kind not in TYPES:
                raise RemoteProtocolError("not_smb", f"no frame has type 0x{kind:02X}")
            if len(data) - start < 4:
                self._need = 4
                break
            length = int(_LENGTH.unpack_from(data, start)[0]) & 0xFFFFFF
            if length > self._limit:
                raise RemoteProtocolError("too_long", f"a frame of {length} bytes, more than {self._limit}")
            if kind == KEEP_ALIVE:
                self._count_keep_alive(length)
            end = start + 4 + length
            if end > len(data):
                self._need = 4 + length
                break
            if kind != KEEP_ALIVE:
                self._count_frame()
                found.append(Frame(kind, data[start + 4 : end]))
            start = end
        return start

    def receive_eof(self) -> None:
        """Take note that the peer has closed.

        Raises:
            RemoteProtocolError: "truncated" if that was in the middle of a frame; or what was wrong before.
        """
        if self._error is not None:
            raise self._error
        if self._buffer:
            raise RemoteProtocolError("truncated", f"closed after {len(self._buffer)} bytes of a frame")

    def _count_keep_alive(self, length: int) -> None:
        if length:
            raise RemoteProtocolError("bad_value", f"a keep-alive of {length} bytes")
        if not self._keep_alives:
            raise RemoteProtocolError("too_many", f"more than {MAX_KEEP_ALIVES} keep-alives")
        self._keep_alives -= 1

    def _count_frame(self) -> None:
        if not self._frames:
            raise RemoteProtocolError("too_many", "more frames than one connection may bring")
        self._frames -= 1
