# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB1 NEGOTIATE ([MS-CIFS] 2.2.4.52, [MS-SMB] 2.2.4.5)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import filetime, text
from .errors import LocalProtocolError, RemoteProtocolError
from .smb1_header import (
    FLAGS2_EXTENDED_SECURITY,
    FLAGS2_LONG_NAMES,
    FLAGS2_NT_STATUS,
    FLAGS2_UNICODE,
    NEGOTIATE,
    Reply,
    reply,
    request,
)

NT_LM = "NT LM 0.12"
SMB2_002 = "SMB 2.002"
SMB2_WILDCARD = "SMB 2.???"

DIALECTS = (
    "PC NETWORK PROGRAM 1.0",
    "MICROSOFT NETWORKS 1.03",
    "MICROSOFT NETWORKS 3.0",
    "LANMAN1.0",
    "LM1.2X002",
    "DOS LM1.2X002",
    "DOS LANMAN2.1",
    "LANMAN2.1",
    "Windows for Workgroups 3.1a",
    NT_LM,
)
"""Oldest first ([MS-CIFS] 1.7)."""

USER_SECURITY = 0x01
CHALLENGE_RESPONSE = 0x02
SIGNING_ENABLED = 0x04
SIGNING_REQUIRED = 0x08

CAP_UNICODE = 0x00000004
CAP_EXTENDED_SECURITY = 0x80000000

REFUSED = 0xFFFF

_NO_TREE = 0xFFFF
# DialectIndex, SecurityMode, MaxMpx, MaxVcs, MaxBuffer, MaxRaw, SessionKey, Capabilities, SystemTime, zone, key length
_NT = struct.Struct("<HBHHIIIIQhB")
# DialectIndex, SecurityMode, MaxBuffer, MaxMpx, MaxVcs, RawMode, SessionKey, time, date, zone, key length, reserved
_LANMAN = struct.Struct("<HHHHHHIHHhHH")
_MAX_CHALLENGE = 64


@dataclass(frozen=True)
class Negotiate1:
    """The reply to an SMB1 NEGOTIATE.

    Attributes:
        status: NTSTATUS; some refuse by it, some by DialectIndex 0xFFFF, some by no words at all.
        dialect: the string that was chosen, or None: refused.
        word_count: 17 NT LM 0.12, 13 LAN Manager, 1 core or refused, 0 refused.
        security_mode: bits ``USER_SECURITY`` (else share), ``CHALLENGE_RESPONSE``, ``SIGNING_ENABLED``,
            ``SIGNING_REQUIRED``; the last two only in NT LM 0.12.
        capabilities: of NT LM 0.12; ``CAP_EXTENDED_SECURITY``: there is a GUID and a blob, else a challenge.
        max_buffer: bytes.
        system_time: FILETIME, see ``filetime``; 0 not told.
        time_zone: minutes west of UTC.
        guid: 16 bytes, or empty.
        challenge: mostly 8 bytes, or empty.
        domain, server: names that come with a challenge, or empty.
        blob: SPNEGO token, see ``spnego.parse``, or empty.
    """

    status: int
    dialect: str | None = None
    word_count: int = 0
    security_mode: int = 0
    capabilities: int = 0
    max_buffer: int = 0
    system_time: int = 0
    time_zone: int = 0
    guid: bytes = b""
    challenge: bytes = b""
    domain: str = ""
    server: str = ""
    blob: bytes = b""

    @property
    def user_security(self) -> bool:
        """User level security; False: share level, every share with a password of its own."""
        return bool(self.security_mode & USER_SECURITY)


def negotiate_request(dialects: Sequence[str], *, extended_security: bool = True) -> bytes:
    """Return an SMB1 NEGOTIATE request, without a frame ([MS-CIFS] 2.2.4.52.1); made once per offer.

    Args:
        dialects: strings of ``DIALECTS``, ``SMB2_002``, ``SMB2_WILDCARD``; oldest first by custom. The last two ask for
            an answer in SMB2, which ``smb2.negotiate_response`` reads.
        extended_security: ask for SPNEGO instead of a challenge.

    Raises:
        LocalProtocolError: none or more than 32, or one that is not printable ASCII.
    """
    return _negotiate_request(tuple(dialects), extended_security)


@lru_cache(maxsize=64)
def _negotiate_request(dialects: tuple[str, ...], extended_security: bool) -> bytes:
    if not 0 < len(dialects) <= 32 or not all(0 < len(d) <= 64 and d.isascii() and d.isprintable() for d in dialects):
        raise LocalProtocolError(f"cannot offer {len(dialects)} dialects, or one of them")
    data = b"".join(b"\x02" + dialect.encode("ascii") + b"\0" for dialect in dialects)
    flags2 = FLAGS2_UNICODE | FLAGS2_NT_STATUS | FLAGS2_LONG_NAMES
    if extended_security:
        flags2 |= FLAGS2_EXTENDED_SECURITY
    return request(NEGOTIATE, b"", data, flags2=flags2, tid=_NO_TREE)


def negotiate_response(message: bytes, offered: Sequence[str]) -> Negotiate1:
    """Return what a server answers to a NEGOTIATE.

    Args:
        message: a frame's payload, beginning with ``smb1_header.PROTOCOL``.
        offered: the dialects of the request, in their order.

    Raises:
        RemoteProtocolError: see ``smb1_header.reply``; "not_offered", "bad_value" (a form that does not belong to the dialect).
    """
    answer = reply(message, NEGOTIATE)
    words, count = answer.words, answer.word_count
    if answer.status or not count:
        return Negotiate1(answer.status, word_count=count)
    index = words[0] | words[1] << 8
    if index == REFUSED:
        return Negotiate1(answer.status, word_count=count)
    if index >= len(offered):
        raise RemoteProtocolError("not_offered", f"dialect {index} of {len(offered)} was chosen")
    dialect = offered[index]
    if count == 17 and dialect == NT_LM:
        return _nt(answer, dialect)
    if count == 13 and dialect != NT_LM:
        return _lanman(answer, dialect)
    if count == 1 and dialect != NT_LM:
        return Negotiate1(answer.status, dialect, count)
    raise RemoteProtocolError("bad_value", f"{count} words do not belong to dialect {index}")


def _nt(answer: Reply, dialect: str) -> Negotiate1:
    """[MS-CIFS] 2.2.4.52.2, [MS-SMB] 2.2.4.5.2.1."""
    _index, mode, _mpx, _vcs, max_buffer, _raw, _key, capabilities, moment, zone, length = _NT.unpack(answer.words)
    data = answer.data
    guid = challenge = blob = b""
    domain = server = ""
    if capabilities & CAP_EXTENDED_SECURITY:
        if len(data) < 16:
            raise RemoteProtocolError("truncated", f"a GUID of {len(data)} bytes")
        guid, blob = data[:16], data[16:]
    else:
        challenge, rest = _challenge(data, length)
        if answer.flags2 & FLAGS2_UNICODE or capabilities & CAP_UNICODE:
            domain, server = text.utf16_strings(rest, 2)
        else:
            domain, server = text.oem_strings(rest, 2)
    return Negotiate1(
        answer.status, dialect, 17, mode, capabilities, max_buffer, moment, zone, guid, challenge, domain, server, blob
    )


def _lanman(answer: Reply, dialect: str) -> Negotiate1:
    """LAN Manager 1.0 to 2.1: times are local, names single bytes ([MS-CIFS] 1.7 has the dialects)."""
    (_index, mode, max_buffer, _mpx, _vcs, _raw, _key, time, date, zone, length, _reserved) = _LANMAN.unpack(
        answer.words
    )
    challenge, rest = _challenge(answer.data, length)
    domain = text.oem_strings(rest, 1)[0]
    moment = filetime.from_dos(date, time, zone)
    return Negotiate1(answer.status, dialect, 13, mode, 0, max_buffer, moment, zone, b"", challenge, domain)


def _challenge(data: bytes, length: int) -> tuple[bytes, bytes]:
    if length > _MAX_CHALLENGE:
        raise RemoteProtocolError("too_long", f"a challenge of {length} bytes")
    if length > len(data):
        raise RemoteProtocolError("truncated", f"a challenge of {length} bytes, {len(data)} are there")
    return data[:length], data[length:]
