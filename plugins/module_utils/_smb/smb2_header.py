# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The header of SMB2 messages, and the token that some carry ([MS-SMB2] 2.2.1.2)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .errors import RemoteProtocolError

PROTOCOL = b"\xfeSMB"
LENGTH = 64

NEGOTIATE = 0x0000
SESSION_SETUP = 0x0001

_FLAG_RESPONSE = 0x00000001
_PROCESS = 0x0000FEFF  # Reserved; Windows and Samba put this there
_HEADER = struct.Struct("<4sHHIHHIIQIIQ16s")
# Protocol, StructureSize, Status, Command, Flags, MessageId, SessionId
_RESPONSE = struct.Struct("<4sH2xIH2xI4xQ8xQ16x")


class Header(NamedTuple):
    """What of a reply's header matters here."""

    status: int
    message_id: int
    session_id: int


def request_header(command: int, message_id: int, session_id: int = 0) -> bytes:
    """Return a request's header of 64 bytes ([MS-SMB2] 2.2.1.2), not signed, one credit asked for.

    CreditCharge is 0: 2.0.2 wants it so, and to the others it is as good as 1 where a request is short.
    """
    return _HEADER.pack(PROTOCOL, LENGTH, 0, 0, command, 1, 0, 0, message_id, _PROCESS, 0, session_id, bytes(16))


def response_header(message: bytes, command: int, message_id: int | None = None) -> Header:
    """Return a reply's header.

    Args:
        message_id: that of the request; None: not compared.

    Raises:
        RemoteProtocolError: "not_smb", "truncated", "bad_value", "wrong_message" (a request, another command or id,
            SMB1, encrypted or compressed).
    """
    if len(message) < LENGTH:
        raise _not_smb2(message)
    protocol, size, status, its_command, flags, its_id, session_id = _RESPONSE.unpack_from(message)
    if protocol != PROTOCOL:
        raise _not_smb2(message)
    if size != LENGTH:
        raise RemoteProtocolError("bad_value", f"header StructureSize {size}, not 64")
    if not flags & _FLAG_RESPONSE:
        raise RemoteProtocolError("wrong_message", "a request where a reply belongs: an echo?")
    if its_command != command:
        raise RemoteProtocolError("wrong_message", f"command 0x{its_command:04X} answers 0x{command:04X}")
    if message_id is not None and its_id != message_id:
        raise RemoteProtocolError("wrong_message", f"MessageId {its_id} answers {message_id}")
    return Header(status, its_id, session_id)


def security_buffer(message: bytes, start: int, length: int, minimum: int) -> bytes:
    """Return the token at an offset that the peer gave; it begins at ``minimum`` or later.

    Raises:
        RemoteProtocolError: "bad_offset".
    """
    if not length:
        return b""
    end = start + length
    if start < minimum or end > len(message):
        raise RemoteProtocolError("bad_offset", f"security buffer {start}+{length} of {len(message)} bytes")
    return message[start:end]


def _not_smb2(message: bytes) -> RemoteProtocolError:
    kind = bytes(message[:4])
    if kind == b"\xffSMB":
        return RemoteProtocolError("wrong_message", "an SMB1 message where SMB2 was asked")
    if kind in (b"\xfdSMB", b"\xfcSMB"):
        return RemoteProtocolError("wrong_message", "an encrypted or compressed message before any session")
    if PROTOCOL.startswith(kind):
        return RemoteProtocolError("truncated", f"a header of {len(message)} bytes, not {LENGTH}")
    return RemoteProtocolError("not_smb", f"a message begins with {kind.hex()}")
