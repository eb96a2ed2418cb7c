# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NTLMSSP messages ([MS-NLMP] 2.2.1): NEGOTIATE, what a CHALLENGE tells, and two AUTHENTICATE that hold no secret."""

from __future__ import annotations

import hmac
import os
import struct
import time
from dataclasses import dataclass
from functools import lru_cache

from . import filetime, text
from .errors import LocalProtocolError, RemoteProtocolError

SIGNATURE = b"NTLMSSP\0"

UNICODE = 0x00000001
OEM = 0x00000002
REQUEST_TARGET = 0x00000004
SIGN = 0x00000010
LM_KEY = 0x00000080
NTLM = 0x00000200
ANONYMOUS = 0x00000800
ALWAYS_SIGN = 0x00008000
TARGET_TYPE_DOMAIN = 0x00010000
TARGET_TYPE_SERVER = 0x00020000
EXTENDED_SESSION_SECURITY = 0x00080000
TARGET_INFO = 0x00800000
VERSION = 0x02000000
KEY_128 = 0x20000000
KEY_EXCHANGE = 0x40000000
KEY_56 = 0x80000000

AV_EOL = 0
AV_NETBIOS_COMPUTER = 1
AV_NETBIOS_DOMAIN = 2
AV_DNS_COMPUTER = 3
AV_DNS_DOMAIN = 4
AV_DNS_FOREST = 5
AV_FLAGS = 6
AV_TIME = 7

MAX_PAIRS = 64
MAX_TARGET_INFO = 8192
"""Bytes of all AV pairs that are read; usual are 60 to 500."""

_OFFER = (
    KEY_56 | KEY_EXCHANGE | KEY_128 | VERSION | EXTENDED_SESSION_SECURITY | ALWAYS_SIGN | NTLM | LM_KEY | SIGN
    | REQUEST_TARGET | OEM | UNICODE
)  # fmt: skip
_ANSWERABLE = _OFFER | TARGET_TYPE_DOMAIN | TARGET_TYPE_SERVER | TARGET_INFO
_VERSION = struct.pack("<BBH3xB", 10, 0, 17763, 15)
_FIELD = struct.Struct("<HHI")
_PAIR = struct.Struct("<HH")
_VERSION_FORMAT = struct.Struct("<BBH3xB")
# [MS-NLMP] 3.3.1: MD4 of an empty password.
_EMPTY_NT_HASH = bytes.fromhex("31d6cfe0d16ae931b73c59d7e0c089c0")
_PAYLOAD = 88


@dataclass(frozen=True)
class Challenge:
    """What a CHALLENGE tells of a server ([MS-NLMP] 2.2.1.2).

    Attributes:
        target: the server's or its domain's NetBIOS name.
        flags: NegotiateFlags.
        challenge: 8 bytes.
        netbios_computer, netbios_domain, dns_computer, dns_domain, dns_forest: from the AV pairs; "" not told.
        time: FILETIME of the server, see ``filetime``; 0 not told.
        version: "10.0.20348": what the server claims to be (Samba says 6.1.0); "" not told.
        revision: NTLMRevisionCurrent, 15; 0 not told.
        pairs: all AV pairs as they came, without the end mark.
        target_info: their raw bytes, which an NTLMv2 response repeats.
    """

    target: str
    flags: int
    challenge: bytes
    netbios_computer: str = ""
    netbios_domain: str = ""
    dns_computer: str = ""
    dns_domain: str = ""
    dns_forest: str = ""
    time: int = 0
    version: str = ""
    revision: int = 0
    pairs: tuple[tuple[int, bytes], ...] = ()
    target_info: bytes = b""


@lru_cache(maxsize=1)
def negotiate() -> bytes:
    """Return the first message, always the same: no names, a usual set of flags ([MS-NLMP] 2.2.1.1)."""
    return SIGNATURE + struct.pack("<II", 1, _OFFER) + bytes(16) + _VERSION


def challenge(token: bytes) -> Challenge:
    """Return what a CHALLENGE message tells.

    Raises:
        RemoteProtocolError: "bad_token" (not NTLMSSP, not a CHALLENGE, cut off, offsets that lead out of it), "too_many",
            "too_long".
    """
    if not token.startswith(SIGNATURE) or len(token) < 32:
        raise RemoteProtocolError("bad_token", f"{len(token)} bytes that are no NTLMSSP message")
    kind = int.from_bytes(token[8:12], "little")
    if kind != 2:
        raise RemoteProtocolError("bad_token", f"NTLMSSP message {kind} where the challenge belongs")
    flags = int.from_bytes(token[20:24], "little")
    name = _field(token, 12)
    target = text.utf16(name) if flags & UNICODE else text.oem(name)
    info = _field(token, 40) if flags & TARGET_INFO and len(token) >= 48 else b""
    if len(info) > MAX_TARGET_INFO:
        raise RemoteProtocolError("too_long", f"{len(info)} bytes of AV pairs")
    pairs = _pairs(info)
    values = dict(reversed(pairs))  # of two with the same id the first counts
    moment = values.get(AV_TIME, b"")
    version, revision = "", 0
    if flags & VERSION and len(token) >= 56:
        major, minor, build, revision = _VERSION_FORMAT.unpack_from(token, 48)
        version = f"{major}.{minor}.{build}"
    return Challenge(
        target,
        flags,
        token[24:32],
        text.utf16(values.get(AV_NETBIOS_COMPUTER, b"")),
        text.utf16(values.get(AV_NETBIOS_DOMAIN, b"")),
        text.utf16(values.get(AV_DNS_COMPUTER, b"")),
        text.utf16(values.get(AV_DNS_DOMAIN, b"")),
        text.utf16(values.get(AV_DNS_FOREST, b"")),
        int.from_bytes(moment, "little") if len(moment) == 8 else 0,
        version,
        revision,
        pairs,
        info,
    )


def anonymous(challenge: Challenge) -> bytes:
    """Return the AUTHENTICATE of an anonymous session: no user, one zero byte as LM response ([MS-NLMP] 3.2.5.1.2)."""
    return _authenticate(challenge.flags | ANONYMOUS, b"\0", b"", b"")


def guest(challenge: Challenge, user: str, *, client_challenge: bytes = b"", now: int = 0) -> bytes:
    """Return the AUTHENTICATE of a user with an empty password, by NTLMv2 ([MS-NLMP] 3.3.2).

    A server that maps unknown users to guest accepts it, and one whose account of that name has no password. Every other
    server counts a failed logon.

    Args:
        user: not empty, at most 104 characters.
        client_challenge: 8 bytes; random if empty.
        now: FILETIME, used where the server's challenge has no time; that of the clock if 0.

    Raises:
        LocalProtocolError: such a user cannot be, or this Python refuses MD5 (FIPS mode).
    """
    if not 0 < len(user) <= 104:
        raise LocalProtocolError("a user name has 1 to 104 characters")
    nonce = client_challenge or os.urandom(8)
    if len(nonce) != 8:
        raise LocalProtocolError(f"a client challenge has 8 bytes, not {len(nonce)}")
    name = user.encode("utf-16-le", "replace")
    moment = challenge.time or now or filetime.from_unix(time.time())
    temporary = struct.pack("<BB6xQ8s4x", 1, 1, moment, nonce) + challenge.target_info + bytes(4)
    key = _hmac_md5(_EMPTY_NT_HASH, user.upper().encode("utf-16-le", "replace"))
    proof = _hmac_md5(key, challenge.challenge + temporary)
    # The LM response stays zero where the server tells its time ([MS-NLMP] 3.1.5.1.2).
    lm = bytes(24) if challenge.time else _hmac_md5(key, challenge.challenge + nonce) + nonce
    return _authenticate(challenge.flags, lm, proof + temporary, name)


def _authenticate(flags: int, lm: bytes, nt: bytes, user: bytes) -> bytes:
    """[MS-NLMP] 2.2.1.3, without domain, workstation and session key; nothing will be signed, so no key is exchanged."""
    chosen = (flags & (_ANSWERABLE | ANONYMOUS) & ~(KEY_EXCHANGE | SIGN | OEM)) | UNICODE
    fields = b""
    start = _PAYLOAD
    for value in (lm, nt, b"", user, b"", b""):
        fields += _FIELD.pack(len(value), len(value), start)
        start += len(value)
    head = SIGNATURE + struct.pack("<I", 3) + fields + struct.pack("<I", chosen)
    return head + _VERSION + bytes(16) + lm + nt + user


def _field(token: bytes, place: int) -> bytes:
    length, _space, start = _FIELD.unpack_from(token, place)
    if not length:
        return b""
    if start < 32 or start + length > len(token):
        raise RemoteProtocolError("bad_token", f"a field at {start}+{length} of {len(token)} bytes")
    return token[start : start + length]


def _pairs(info: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return the AV pairs up to their end mark ([MS-NLMP] 2.2.2.1)."""
    found: list[tuple[int, bytes]] = []
    start = 0
    while start < len(info):
        if start + 4 > len(info):
            raise RemoteProtocolError("bad_token", "an AV pair is cut off")
        kind, length = _PAIR.unpack_from(info, start)
        if kind == AV_EOL:
            break
        if len(found) == MAX_PAIRS:
            raise RemoteProtocolError("too_many", f"more than {MAX_PAIRS} AV pairs")
        end = start + 4 + length
        if end > len(info):
            raise RemoteProtocolError("bad_token", f"AV pair {kind} of {length} bytes leads out of its list")
        found.append((kind, info[start + 4 : end]))
        start = end
    return tuple(found)


def _hmac_md5(key: bytes, data: bytes) -> bytes:
    try:
        return hmac.new(key, data, "md5").digest()
    except ValueError:
        raise LocalProtocolError("this Python refuses MD5, without which there is no NTLM") from None
