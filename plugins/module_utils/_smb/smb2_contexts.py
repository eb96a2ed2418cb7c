# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Negotiate contexts of SMB 3.1.1 ([MS-SMB2] 2.2.3.1, 2.2.4.1)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import LocalProtocolError, RemoteProtocolError

PREAUTH_INTEGRITY = 0x0001
ENCRYPTION = 0x0002
COMPRESSION_CAPABILITIES = 0x0003
NETNAME = 0x0005
TRANSPORT = 0x0006
RDMA_TRANSFORM = 0x0007
SIGNING_CAPABILITIES = 0x0008

CIPHER_NAMES: dict[int, str] = {1: "AES-128-CCM", 2: "AES-128-GCM", 3: "AES-256-CCM", 4: "AES-256-GCM"}
SIGNING_NAMES: dict[int, str] = {0: "HMAC-SHA256", 1: "AES-CMAC", 2: "AES-GMAC"}
COMPRESSION_NAMES: dict[int, str] = {0: "NONE", 1: "LZNT1", 2: "LZ77", 3: "LZ77+Huffman", 4: "Pattern_V1", 5: "LZ4"}
RDMA_NAMES: dict[int, str] = {0: "NONE", 1: "ENCRYPTION", 2: "SIGNING"}

CIPHERS = (2, 1, 4, 3)
SIGNING = (2, 1, 0)
COMPRESSION = (1, 2, 3, 4, 5)
"""All that exist, in the order in which they are offered."""

SALT_LENGTH = 32
MAX_CONTEXTS = 32

_ONCE = frozenset(
    (PREAUTH_INTEGRITY, ENCRYPTION, COMPRESSION_CAPABILITIES, TRANSPORT, RDMA_TRANSFORM, SIGNING_CAPABILITIES)
)
"""Whatever else a server sends is passed over, twice too ([MS-SMB2] 3.2.5.2)."""

_SHA_512 = 0x0001
_AES_CMAC = 0x0001
_HEADER = struct.Struct("<HHI")
_PREAUTH = struct.Struct("<HHH")
_PAIR = struct.Struct("<HH")
_LIST = struct.Struct("<HHI")


@dataclass(frozen=True)
class Contexts:
    """What a server has chosen for 3.1.1.

    Attributes:
        types: ids of all contexts, in their order, those that are unknown too.
        cipher: id, see ``CIPHER_NAMES``; 0: none in common; None: no such context, thus no encryption.
        signing: id, see ``SIGNING_NAMES``; None: no such context, thus AES-CMAC. A server that shares none of what was
            offered answers AES-CMAC, which then was not in the offer ([MS-SMB2] 3.3.5.4).
        compression: ids, see ``COMPRESSION_NAMES``; (0,): none in common; None: no such context.
        chained: whether chained compression is spoken.
        rdma: ids, see ``RDMA_NAMES``; None: no such context.
        transport: flags, 1 accepts transport-level security; None: no such context.
        salt: of the preauthentication integrity hash, which is always SHA-512.
    """

    types: tuple[int, ...] = ()
    cipher: int | None = None
    signing: int | None = None
    compression: tuple[int, ...] | None = None
    chained: bool = False
    rdma: tuple[int, ...] | None = None
    transport: int | None = None
    salt: bytes = b""


NO_CONTEXTS = Contexts()


def encode(
    ciphers: Sequence[int],
    signing: Sequence[int],
    compression: Sequence[int],
    rdma: Sequence[int] = (),
    transport: bool = False,
    netname: str = "",
) -> tuple[bytes, int]:
    """Return the contexts of a request and their number; preauthentication integrity is the first, its salt zero.

    Each begins at a multiple of 8, nothing follows the last.

    Raises:
        LocalProtocolError: an id that does not exist or is named twice, or a name of more than 255 characters.
    """
    for ids, names in (
        (ciphers, CIPHER_NAMES),
        (signing, SIGNING_NAMES),
        (compression, COMPRESSION_NAMES),
        (rdma, RDMA_NAMES),
    ):
        if len(set(ids)) != len(ids) or not set(ids) <= set(names):
            raise LocalProtocolError(f"cannot offer algorithms {tuple(ids)!r}")
    if len(netname) > 255:
        raise LocalProtocolError("a server's name has 255 characters at most")
    found = [(PREAUTH_INTEGRITY, _PREAUTH.pack(1, SALT_LENGTH, _SHA_512) + bytes(SALT_LENGTH))]
    if ciphers:
        found.append((ENCRYPTION, _counted(ciphers)))
    if compression:
        found.append((COMPRESSION_CAPABILITIES, _LIST.pack(len(compression), 0, 1) + _words(compression)))
    if netname:
        found.append((NETNAME, netname.encode("utf-16-le", "replace")))
    if transport:
        found.append((TRANSPORT, struct.pack("<I", 1)))
    if rdma:
        found.append((RDMA_TRANSFORM, _LIST.pack(len(rdma), 0, 0) + _words(rdma)))
    if signing:
        found.append((SIGNING_CAPABILITIES, _counted(signing)))
    data = b""
    for kind, body in found:
        data += bytes(-len(data) % 8) + _HEADER.pack(kind, len(body), 0) + body
    return data, len(found)


def decode(
    message: bytes,
    start: int,
    count: int,
    minimum: int,
    ciphers: Sequence[int],
    signing: Sequence[int],
    compression: Sequence[int],
) -> Contexts:
    """Return the contexts of a reply.

    Args:
        message: the whole message, from its header on: offsets count from there.
        start, count: NegotiateContextOffset and NegotiateContextCount as they were sent.
        minimum: where the fixed part ends.
        ciphers, signing, compression: what was offered.

    Raises:
        RemoteProtocolError: "too_many", "bad_offset", "truncated", "bad_value", "missing", "not_offered".
    """
    if count > MAX_CONTEXTS:
        raise RemoteProtocolError("too_many", f"{count} negotiate contexts, more than {MAX_CONTEXTS}")
    if count and (start < minimum or start % 8 or start > len(message)):
        raise RemoteProtocolError("bad_offset", f"negotiate contexts at {start} of {len(message)} bytes")
    bodies: dict[int, bytes] = {}
    for _index in range(count):
        if start + 8 > len(message):
            raise RemoteProtocolError("truncated", f"{len(bodies)} of {count} negotiate contexts")
        kind, length, _reserved = _HEADER.unpack_from(message, start)
        end = start + 8 + length
        if end > len(message):
            raise RemoteProtocolError("truncated", f"context 0x{kind:04X} has {length} bytes, past the message's end")
        if kind in bodies and kind in _ONCE:
            raise RemoteProtocolError("bad_value", f"context 0x{kind:04X} comes twice")
        bodies[kind] = message[start + 8 : end]
        start = end + (-end & 7)
    return _read(bodies, ciphers, signing, compression)


def _read(
    bodies: dict[int, bytes], ciphers: Sequence[int], signing: Sequence[int], compression: Sequence[int]
) -> Contexts:
    if PREAUTH_INTEGRITY not in bodies:
        raise RemoteProtocolError("missing", "3.1.1 without a preauthentication integrity context")
    cipher = algorithm = methods = transforms = flags = None
    chained = False
    salt = _salt(bodies[PREAUTH_INTEGRITY])
    if ENCRYPTION in bodies:
        cipher = _single(bodies[ENCRYPTION], "cipher")
        if cipher and cipher not in ciphers:
            raise RemoteProtocolError("not_offered", f"cipher 0x{cipher:04X} was not offered")
    if SIGNING_CAPABILITIES in bodies:
        algorithm = _single(bodies[SIGNING_CAPABILITIES], "signing algorithm")
        if algorithm not in signing and algorithm != _AES_CMAC:
            raise RemoteProtocolError("not_offered", f"signing algorithm 0x{algorithm:04X} was not offered")
    if COMPRESSION_CAPABILITIES in bodies:
        methods, bits = _several(bodies[COMPRESSION_CAPABILITIES], "compression algorithms")
        if not set(methods) <= {0, *compression}:
            raise RemoteProtocolError("not_offered", "a compression algorithm was not offered")
        chained = bool(bits & 1)
    if RDMA_TRANSFORM in bodies:
        transforms, _bits = _several(bodies[RDMA_TRANSFORM], "RDMA transforms")
    if TRANSPORT in bodies:
        flags = _flags(bodies[TRANSPORT])
    return Contexts(tuple(bodies), cipher, algorithm, methods, chained, transforms, flags, salt)


def _salt(body: bytes) -> bytes:
    if len(body) < _PREAUTH.size:
        raise RemoteProtocolError("truncated", f"a preauthentication context of {len(body)} bytes")
    count, length, algorithm = _PREAUTH.unpack_from(body)
    if count != 1 or algorithm != _SHA_512:
        raise RemoteProtocolError("bad_value", f"{count} preauthentication hashes, the first 0x{algorithm:04X}")
    if _PREAUTH.size + length > len(body):
        raise RemoteProtocolError("truncated", f"a salt of {length} bytes in a context of {len(body)}")
    return body[_PREAUTH.size : _PREAUTH.size + length]


def _single(body: bytes, what: str) -> int:
    """Return the one id of a context that must choose exactly one."""
    if len(body) < _PAIR.size:
        raise RemoteProtocolError("truncated", f"a {what} context of {len(body)} bytes")
    count, chosen = _PAIR.unpack_from(body)
    if count != 1:
        raise RemoteProtocolError("bad_value", f"{count} instead of one {what}")
    return int(chosen)


def _several(body: bytes, what: str) -> tuple[tuple[int, ...], int]:
    """Return the ids and the flags of a context that lists them."""
    if len(body) < _LIST.size:
        raise RemoteProtocolError("truncated", f"a context of {what} with {len(body)} bytes")
    count, _padding, flags = _LIST.unpack_from(body)
    if not count:
        raise RemoteProtocolError("bad_value", f"a context of {what} without any")
    if _LIST.size + 2 * count > len(body):
        raise RemoteProtocolError("truncated", f"{count} {what} in {len(body)} bytes")
    return struct.unpack_from(f"<{count}H", body, _LIST.size), int(flags)


def _flags(body: bytes) -> int:
    if len(body) < 4:
        raise RemoteProtocolError("truncated", f"a transport context of {len(body)} bytes")
    return int.from_bytes(body[:4], "little")


def _words(ids: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(ids)}H", *ids)


def _counted(ids: Sequence[int]) -> bytes:
    return struct.pack("<H", len(ids)) + _words(ids)
