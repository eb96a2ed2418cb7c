# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QUIC version negotiation: the one thing that a QUIC server tells without TLS (RFC 8999 6, RFC 9000 6 and 17.2.1).

A version that is reserved for this purpose makes any QUIC server answer with the versions that it speaks, and leaves no
state there. That proves "QUIC is here", not "SMB over QUIC is here": that name is agreed on inside TLS 1.3.
"""

from __future__ import annotations

import struct

from .errors import LocalProtocolError, RemoteProtocolError

RESERVED_VERSION = 0x5A6A7A8A
"""Of the form 0x?a?a?a?a: never spoken, always answered with a version negotiation (RFC 9000 15)."""

NAMES: dict[int, str] = {0x00000001: "1", 0x6B3343CF: "2"}

CONNECTION_ID_LENGTH = 8
MAX_VERSIONS = 32

_DATAGRAM = 1200  # a server must not answer a smaller one (RFC 9000 14.1)
_LONG_HEADER = 0xC0
_VERSION = struct.Struct(">I")


def version_request(destination: bytes, source: bytes) -> bytes:
    """Return a datagram of 1200 bytes in a version that nobody speaks.

    Raises:
        LocalProtocolError: a connection id does not have 8 bytes.
    """
    if len(destination) != CONNECTION_ID_LENGTH or len(source) != CONNECTION_ID_LENGTH:
        raise LocalProtocolError(f"connection ids have {CONNECTION_ID_LENGTH} bytes here")
    length = bytes((CONNECTION_ID_LENGTH,))
    head = bytes((_LONG_HEADER,)) + _VERSION.pack(RESERVED_VERSION) + length + destination + length + source
    return head.ljust(_DATAGRAM, b"\0")


def version_response(data: bytes, destination: bytes, source: bytes) -> tuple[int, ...]:
    """Return the versions that a server offers, without reserved ones (those are there to be ignored).

    Args:
        destination, source: the connection ids of the request; they come back swapped, so that nobody can answer who
            has not seen it.

    Raises:
        RemoteProtocolError: "wrong_message", "truncated", "too_many".
    """
    if len(data) < 7:
        raise RemoteProtocolError("truncated", f"a datagram of {len(data)} bytes")
    if not data[0] & 0x80 or data[1:5] != b"\0\0\0\0":
        raise RemoteProtocolError("wrong_message", "no version negotiation of QUIC")
    length = bytes((CONNECTION_ID_LENGTH,))
    head = length + source + length + destination
    if data[5 : 5 + len(head)] != head:
        raise RemoteProtocolError("wrong_message", "the connection ids are not those of this request")
    rest = data[5 + len(head) :]
    if not rest or len(rest) % 4:
        raise RemoteProtocolError("truncated", f"{len(rest)} bytes of versions")
    if len(rest) > 4 * MAX_VERSIONS:
        raise RemoteProtocolError("too_many", f"{len(rest) // 4} versions, more than {MAX_VERSIONS}")
    versions = struct.unpack(f">{len(rest) // 4}I", rest)
    return tuple(version for version in versions if version & 0x0F0F0F0F != 0x0A0A0A0A)


def version_name(version: int) -> str:
    """Return "1", "2", or the number as 0x00000003."""
    return NAMES.get(version) or f"0x{version:08x}"
