# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Message encryption, [MS-WSMV] 2.2.9.1: an envelope sealed by the security context of its connection."""

from __future__ import annotations

import re
import struct

import spnego

_BOUNDARY = b"--Encrypted Boundary"
_PROTOCOL = re.compile(r'protocol="(application/HTTP-(?:SPNEGO|Kerberos)-session-encrypted)"')


class SealError(Exception):
    """What came was not sealed by this context."""


def protocol(content_type: str) -> str:
    """Return the protocol of a sealed body, or nothing when the body is not sealed."""
    found = _PROTOCOL.search(content_type) if content_type.startswith("multipart/encrypted") else None
    return found[1] if found else ""


def unseal(context: spnego.ContextProxy, body: bytes) -> bytes:
    """Return the envelope in a sealed body.

    Raises:
        SealError: the context does not fit it.
    """
    length = re.search(rb"Length=(\d+)\r\n", body)
    _head, found, rest = body.partition(b"\tContent-Type: application/octet-stream\r\n")
    if length is None or not found:
        raise SealError("no sealed part")
    data = rest.removesuffix(_BOUNDARY + b"--\r\n")
    (size,) = struct.unpack_from("<I", data)
    try:
        opened = context.unwrap_winrm(data[4 : 4 + size], data[4 + size :])
    except Exception as error:
        raise SealError(str(error)) from error
    if len(opened) != int(length[1]):
        raise SealError("the length is wrong")
    return opened


def seal(context: spnego.ContextProxy, envelope: bytes, name: str) -> tuple[str, bytes]:
    """Return content type and body of a sealed envelope."""
    header, data, padding = context.wrap_winrm(envelope)
    head = (
        _BOUNDARY + b"\r\n\tContent-Type: " + name.encode() + b"\r\n\tOriginalContent: type=application/soap+xml;"
        b"charset=UTF-8;Length=%d\r\n" % (len(envelope) + padding)
    )
    part = (
        _BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n" + struct.pack("<I", len(header)) + header + data
    )
    return (
        f'multipart/encrypted;protocol="{name}";boundary="Encrypted Boundary"',
        head + part + _BOUNDARY + b"--\r\n",
    )
