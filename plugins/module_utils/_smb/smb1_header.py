# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form of SMB1 messages: header, words and bytes ([MS-CIFS] 2.2.3)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .errors import LocalProtocolError, RemoteProtocolError

PROTOCOL = b"\xffSMB"

NEGOTIATE = 0x72
SESSION_SETUP = 0x73
TREE_CONNECT = 0x75
TRANSACTION = 0x25

FLAGS2_UNICODE = 0x8000
FLAGS2_NT_STATUS = 0x4000
FLAGS2_EXTENDED_SECURITY = 0x0800
FLAGS2_LONG_NAMES = 0x0001

_FLAGS = 0x18  # canonical paths, case does not count
_FLAG_REPLY = 0x80
_PROCESS = 0xFEFF
_HEADER = struct.Struct("<4sBIBHH8sHHHHH")
# Protocol, Command, Status, Flags, Flags2, TID, UID, MID
_REPLY_HEADER = struct.Struct("<4sBIBH12xH2xHH")


class Reply(NamedTuple):
    """A reply's header, words and bytes.

    ``status`` is an NTSTATUS where ``flags2`` says so; else a DOS error, class | code << 16.
    """

    command: int
    status: int
    flags2: int
    tid: int
    uid: int
    mid: int
    words: bytes
    data: bytes

    @property
    def word_count(self) -> int:
        """Words of two bytes."""
        return len(self.words) // 2


def request(command: int, words: bytes, data: bytes, *, flags2: int, tid: int = 0, uid: int = 0, mid: int = 0) -> bytes:
    """Return a whole request ([MS-CIFS] 2.2.3), without a frame.

    Raises:
        LocalProtocolError: words or data have a length that cannot be told, an id has more than 16 bits.
    """
    if (
        len(words) % 2
        or len(words) > 510
        or len(data) > 0xFFFF
        or min(tid, uid, mid) < 0
        or max(tid, uid, mid) > 0xFFFF
    ):
        raise LocalProtocolError("a request that SMB1 cannot express")
    header = _HEADER.pack(PROTOCOL, command, 0, _FLAGS, flags2, 0, bytes(8), 0, tid, _PROCESS, uid, mid)
    return b"".join((header, bytes((len(words) // 2,)), words, struct.pack("<H", len(data)), data))


def reply(message: bytes, command: int) -> Reply:
    """Return a reply in its parts.

    Raises:
        RemoteProtocolError: "not_smb", "truncated", "wrong_message" (a request, another command, SMB2).
    """
    if len(message) < _HEADER.size or not message.startswith(PROTOCOL):
        raise _not_smb1(message)
    _protocol, its_command, status, flags, flags2, tid, uid, mid = _REPLY_HEADER.unpack_from(message)
    if not flags & _FLAG_REPLY:
        raise RemoteProtocolError("wrong_message", "a request where a reply belongs: an echo?")
    if its_command != command:
        raise RemoteProtocolError("wrong_message", f"command 0x{its_command:02X} answers 0x{command:02X}")
    end_of_words = 33 + 2 * message[32] if len(message) > 32 else 33
    if len(message) < end_of_words + 2:
        # Some errors end with their header ([MS-CIFS] 2.2.3.4 has three bytes of zero there).
        if status and len(message) == 32:
            return Reply(its_command, status, flags2, tid, uid, mid, b"", b"")
        raise RemoteProtocolError("truncated", f"a reply of {len(message)} bytes, not {end_of_words + 2}")
    count = message[end_of_words] | message[end_of_words + 1] << 8
    start = end_of_words + 2
    if len(message) < start + count:
        raise RemoteProtocolError("truncated", f"{count} bytes of data, {len(message) - start} are there")
    return Reply(
        its_command, status, flags2, tid, uid, mid, message[33:end_of_words], message[start : start + count]
    )  # fmt: skip


def status(message: bytes, command: int = TRANSACTION) -> int:
    """Return a reply's status.

    Raises:
        RemoteProtocolError: see ``reply``.
    """
    return reply(message, command).status


def _not_smb1(message: bytes) -> RemoteProtocolError:
    kind = bytes(message[:4])
    if kind == b"\xfeSMB":
        return RemoteProtocolError("wrong_message", "an SMB2 message where SMB1 was asked")
    if PROTOCOL.startswith(kind):
        return RemoteProtocolError("truncated", f"a header of {len(message)} bytes, not {_HEADER.size}")
    return RemoteProtocolError("not_smb", f"a message begins with {kind.hex()}")
