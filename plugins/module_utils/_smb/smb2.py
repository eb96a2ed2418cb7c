# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB2 NEGOTIATE, dialects 2.0.2 to 3.1.1 ([MS-SMB2] 2.2.3, 2.2.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from .errors import LocalProtocolError, RemoteProtocolError
from .smb2_contexts import CIPHERS, COMPRESSION, NO_CONTEXTS, SALT_LENGTH, SIGNING, Contexts, decode, encode
from .smb2_header import LENGTH, NEGOTIATE, request_header, response_header, security_buffer

DIALECTS = (0x0202, 0x0210, 0x0300, 0x0302, 0x0311)
"""Oldest first."""

WILDCARD = 0x02FF
"""Answers "SMB 2.???" in an SMB1 NEGOTIATE: "ask again, in SMB2". It says nothing about any dialect."""

NAMES: dict[int, str] = {0x0202: "2.0.2", 0x0210: "2.1", 0x0300: "3.0", 0x0302: "3.0.2", 0x0311: "3.1.1"}

CAPABILITY_NAMES: dict[int, str] = {
    0x01: "DFS",
    0x02: "LEASING",
    0x04: "LARGE_MTU",
    0x08: "MULTI_CHANNEL",
    0x10: "PERSISTENT_HANDLES",
    0x20: "DIRECTORY_LEASING",
    0x40: "ENCRYPTION",
    0x80: "NOTIFICATIONS",
}

SIGNING_ENABLED = 0x0001
SIGNING_REQUIRED = 0x0002

_CAPABILITIES = 0x0000007F  # all that a 3.x client has: without them 3.0 answers fewer, and audits count us as weak

_REQUEST = struct.Struct("<HHHHI16sIHH")  # ends with the contexts' offset and count
# StructureSize, SecurityMode, Dialect, ContextCount, Guid, Capabilities, sizes, times, buffer, ContextOffset
_RESPONSE = struct.Struct("<HHHH16sIIIIQQHHI")
_BUFFER = LENGTH + _RESPONSE.size
_MESSAGE_ID = struct.Struct("<Q")


@dataclass(frozen=True)
class Negotiate2:
    """The reply to an SMB2 NEGOTIATE, or to an SMB1 one that offered SMB2 ([MS-SMB2] 2.2.4).

    Attributes:
        status: NTSTATUS; where it is not 0 all that follows is empty. ``status.PENDING``: the reply is still to come.
        dialect: one of ``DIALECTS``, ``WILDCARD``, or None: refused.
        security_mode: bit 1 signing enabled (always set in SMB2: it tells nothing), bit 2 signing required.
        capabilities: see ``CAPABILITY_NAMES``. 3.1.1 says encryption by its context, not here.
        max_transact, max_read, max_write: bytes.
        guid: 16 bytes as they were sent.
        system_time, boot_time: FILETIME, see ``filetime``; 0 not told.
        blob: SPNEGO token, see ``spnego.parse``; empty where the server leaves the first word to the client.
        contexts: what 3.1.1 has chosen; ``NO_CONTEXTS`` for older dialects.
    """

    status: int
    dialect: int | None = None
    security_mode: int = 0
    capabilities: int = 0
    max_transact: int = 0
    max_read: int = 0
    max_write: int = 0
    guid: bytes = b""
    system_time: int = 0
    boot_time: int = 0
    blob: bytes = b""
    contexts: Contexts = NO_CONTEXTS

    @property
    def signing_required(self) -> bool:
        """Whether the server refuses sessions without signing."""
        return bool(self.security_mode & SIGNING_REQUIRED)


def capability_names(capabilities: int) -> tuple[str, ...]:
    """Return the names of the bits that are set; unknown ones as 0x00000100."""
    found = [name for bit, name in CAPABILITY_NAMES.items() if capabilities & bit]
    rest = capabilities & ~0xFF
    found += [f"0x{1 << bit:08X}" for bit in range(32) if rest >> bit & 1]
    return tuple(found)


def negotiate_request(
    dialects: Sequence[int],
    *,
    message_id: int = 0,
    guid: bytes,
    salt: bytes = b"",
    ciphers: Sequence[int] = CIPHERS,
    signing: Sequence[int] = SIGNING,
    compression: Sequence[int] = COMPRESSION,
    rdma: Sequence[int] = (),
    transport: bool = False,
    netname: str = "",
    capabilities: bool = True,
) -> bytes:
    """Return an SMB2 NEGOTIATE request, without a frame ([MS-SMB2] 2.2.3).

    Signing is always offered as enabled and never as required (a server would then sign too). The request for the same
    offer is made once and only patched then.

    Args:
        dialects: some of ``DIALECTS``, none twice.
        message_id: 0; 1 after ``WILDCARD``; one more after each refusal on the same connection.
        guid: 16 random bytes; not sent where only 2.0.2 is offered.
        salt: 32 random bytes; needed and sent only where 3.1.1 is offered, like what follows.
        ciphers, signing, compression, rdma: ids of ``smb2_contexts`` in order of preference; empty: no such context.
        transport: offer to accept transport-level security (answered over QUIC and TLS only).
        netname: the server's name; empty: no such context.
        capabilities: say that we have all of them, where 3.x is offered.

    Raises:
        LocalProtocolError: an offer that no client may make.
    """
    template = _template(
        tuple(dialects),
        tuple(ciphers),
        tuple(signing),
        tuple(compression),
        tuple(rdma),
        transport,
        netname,
        capabilities,
    )
    if len(guid) != 16:
        raise LocalProtocolError(f"a GUID has 16 bytes, not {len(guid)}")
    if not template.salted:
        salt = b""
    elif len(salt) != SALT_LENGTH:
        raise LocalProtocolError(f"the salt has {SALT_LENGTH} bytes, not {len(salt)}")
    if not 0 <= message_id < 1 << 64:
        raise LocalProtocolError("a MessageId has 64 bits")
    if template.blank_guid:
        guid = bytes(16)
    return b"".join(
        (
            template.before_id,
            _MESSAGE_ID.pack(message_id),
            template.before_guid,
            guid,
            template.before_salt,
            salt,
            template.after_salt,
        )
    )


def negotiate_response(
    message: bytes,
    offered: Sequence[int],
    *,
    message_id: int | None = None,
    ciphers: Sequence[int] = CIPHERS,
    signing: Sequence[int] = SIGNING,
    compression: Sequence[int] = COMPRESSION,
) -> Negotiate2:
    """Return what a server answers to a NEGOTIATE ([MS-SMB2] 2.2.4; judged as 3.2.5.2 has it).

    Args:
        message: a frame's payload.
        offered: the dialects of the request; ``WILDCARD`` or 0x0202 where an SMB1 NEGOTIATE offered these.
        message_id: that of the request; None: not compared.
        ciphers, signing, compression: what the request offered.

    Raises:
        RemoteProtocolError: see ``smb2_header.response_header``; "truncated", "bad_offset", "bad_value", "too_many"; "missing" (3.1.1
            without preauthentication integrity); "not_offered" (dialect, cipher, compression).
    """
    status, _id, _session = response_header(message, NEGOTIATE, message_id)
    if status:
        return Negotiate2(status)
    if len(message) < _BUFFER:
        raise RemoteProtocolError("truncated", f"a NEGOTIATE reply of {len(message)} bytes, not {_BUFFER}")
    (
        size, mode, dialect, count, guid, capabilities, transact, read, write, system_time, boot_time, start, length,
        context_start,
    ) = _RESPONSE.unpack_from(message, LENGTH)  # fmt: skip
    if size != 65:
        raise RemoteProtocolError("bad_value", f"NEGOTIATE reply with StructureSize {size}, not 65")
    if dialect not in offered:
        raise RemoteProtocolError("not_offered", f"dialect 0x{dialect:04X} was not offered")
    contexts = NO_CONTEXTS
    if dialect == 0x0311:
        contexts = decode(message, context_start, count, _BUFFER, ciphers, signing, compression)
    return Negotiate2(
        0, dialect, mode, capabilities, transact, read, write, guid, system_time, boot_time,
        security_buffer(message, start, length, _BUFFER), contexts,
    )  # fmt: skip


class _Template(NamedTuple):
    """A request in pieces, without its MessageId, GUID and salt."""

    before_id: bytes
    before_guid: bytes
    before_salt: bytes
    after_salt: bytes
    salted: bool
    blank_guid: bool


@lru_cache(maxsize=256)
def _template(
    dialects: tuple[int, ...],
    ciphers: tuple[int, ...],
    signing: tuple[int, ...],
    compression: tuple[int, ...],
    rdma: tuple[int, ...],
    transport: bool,
    netname: str,
    capable: bool,
) -> _Template:
    if not dialects or len(set(dialects)) != len(dialects) or not set(dialects) <= set(DIALECTS):
        raise LocalProtocolError(f"cannot offer dialects {dialects!r}")
    salted = 0x0311 in dialects
    capabilities = _CAPABILITIES if capable and max(dialects) >= 0x0300 else 0
    revisions = struct.pack(f"<{len(dialects)}H", *dialects)
    start = count = 0
    padding = contexts = b""
    if salted:
        end = LENGTH + _REQUEST.size + len(revisions)
        padding = bytes(-end % 8)
        start = end + len(padding)
        contexts, count = encode(ciphers, signing, compression, rdma, transport, netname)
    fixed = _REQUEST.pack(36, len(dialects), SIGNING_ENABLED, 0, capabilities, bytes(16), start, count, 0)
    header = request_header(NEGOTIATE, 0)
    # Preauthentication integrity is the first context: its salt begins 14 bytes behind the contexts' beginning.
    lead = contexts[:14]
    return _Template(
        before_id=header[:24],
        before_guid=header[32:] + fixed[:12],
        before_salt=fixed[28:] + revisions + padding + lead,
        after_salt=contexts[14 + SALT_LENGTH :],
        salted=salted,
        blank_guid=max(dialects) == 0x0202,
    )
