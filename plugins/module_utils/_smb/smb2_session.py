# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB2 SESSION_SETUP ([MS-SMB2] 2.2.5, 2.2.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .errors import LocalProtocolError, RemoteProtocolError
from .smb2 import SIGNING_ENABLED
from .smb2_header import LENGTH, SESSION_SETUP, request_header, response_header, security_buffer
from .status import MORE_PROCESSING_REQUIRED, SUCCESS

GUEST = 0x0001
NULL = 0x0002
ENCRYPT_DATA = 0x0004

_DFS = 0x00000001
_REQUEST = struct.Struct("<HBBIIHHQ")
_RESPONSE = struct.Struct("<HHHH")


@dataclass(frozen=True)
class SessionSetup:
    """The reply to a SESSION_SETUP.

    Attributes:
        status: NTSTATUS: 0 the session stands; ``status.MORE_PROCESSING_REQUIRED`` the blob holds the challenge;
            ``status.PENDING`` the real reply is still to come; else refused.
        session_id: for the next request.
        flags: ``GUEST``, ``NULL``, ``ENCRYPT_DATA``; where the session stands. Samba sets none for an anonymous one.
        blob: SPNEGO token, or a bare NTLMSSP one.
    """

    status: int
    session_id: int = 0
    flags: int = 0
    blob: bytes = b""


def session_setup_request(message_id: int, session_id: int, blob: bytes) -> bytes:
    """Return a SESSION_SETUP request, without a frame, with signing enabled and not required.

    Args:
        message_id: one more than that of the request before.
        session_id: 0 first, then that of the reply.
        blob: a token of ``spnego``.

    Raises:
        LocalProtocolError: the token is empty or longer than 65535 bytes, an id has more than 64 bits.
    """
    if not 0 < len(blob) <= 0xFFFF:
        raise LocalProtocolError(f"a token of {len(blob)} bytes")
    if not 0 <= message_id < 1 << 64 or not 0 <= session_id < 1 << 64:
        raise LocalProtocolError("ids have 64 bits")
    fixed = _REQUEST.pack(25, 0, SIGNING_ENABLED, _DFS, 0, LENGTH + _REQUEST.size, len(blob), 0)
    return request_header(SESSION_SETUP, message_id, session_id) + fixed + blob


def session_setup_response(message: bytes, *, message_id: int | None = None) -> SessionSetup:
    """Return what a server answers to a SESSION_SETUP.

    Raises:
        RemoteProtocolError: see ``smb2_header.response_header``; "truncated", "bad_value", "bad_offset".
    """
    status, _id, session_id = response_header(message, SESSION_SETUP, message_id)
    if status not in (SUCCESS, MORE_PROCESSING_REQUIRED):
        return SessionSetup(status, session_id)
    minimum = LENGTH + _RESPONSE.size
    if len(message) < minimum:
        raise RemoteProtocolError("truncated", f"a SESSION_SETUP reply of {len(message)} bytes, not {minimum}")
    size, flags, start, length = _RESPONSE.unpack_from(message, LENGTH)
    if size != 9:
        raise RemoteProtocolError("bad_value", f"SESSION_SETUP reply with StructureSize {size}, not 9")
    return SessionSetup(status, session_id, flags, security_buffer(message, start, length, minimum))
