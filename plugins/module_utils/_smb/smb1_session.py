# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB1 after NEGOTIATE: session, tree connect to IPC$, and PeekNamedPipe ([MS-CIFS] 2.2.4.53, .55, 2.2.5.5).

Nothing here changes anything on a server. The last request is refused by every server, and by its status an unpatched
Windows gives itself away (MS17-010).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from . import text
from .errors import LocalProtocolError, RemoteProtocolError
from .smb1_header import (
    FLAGS2_EXTENDED_SECURITY,
    FLAGS2_LONG_NAMES,
    FLAGS2_NT_STATUS,
    FLAGS2_UNICODE,
    SESSION_SETUP,
    TRANSACTION,
    TREE_CONNECT,
    Reply,
    reply,
    request,
)

ACTION_GUEST = 0x0001

_NATIVE_OS = "Unix"
_NATIVE_LM = "breakwater"
_FLAGS2 = FLAGS2_UNICODE | FLAGS2_NT_STATUS | FLAGS2_LONG_NAMES
_NO_ANDX = b"\xff\0\0\0"
_CAPABILITIES = 0x00000054  # Unicode, NT SMBs, NTSTATUS
_CAPABILITIES_EXTENDED = 0x80000000 | _CAPABILITIES
_MAX_BUFFER = 4356
_PEEK_NAMED_PIPE = 0x0023
_PIPE = b"\\PIPE\\\0"


@dataclass(frozen=True)
class SessionSetup1:
    """The reply to a SESSION_SETUP_ANDX ([MS-CIFS] 2.2.4.53.2, [MS-SMB] 2.2.4.6.2).

    Attributes:
        status: NTSTATUS: 0 the session stands; ``status.MORE_PROCESSING_REQUIRED`` the blob holds the challenge.
        uid: for what follows.
        guest: logged on as guest, whoever it was.
        blob: SPNEGO token; empty without extended security.
        native_os, native_lm: what the server calls its system and itself, such as "Samba 4.17.12-Debian".
        domain: its primary domain; "" not told.
    """

    status: int
    uid: int = 0
    guest: bool = False
    blob: bytes = b""
    native_os: str = ""
    native_lm: str = ""
    domain: str = ""


@dataclass(frozen=True)
class TreeConnect1:
    """The reply to a TREE_CONNECT_ANDX.

    Attributes:
        status: NTSTATUS.
        tid: for what follows.
        service: "IPC" for pipes, "A:" for disks.
    """

    status: int
    tid: int = 0
    service: str = ""


def session_setup_request(blob: bytes, *, uid: int = 0, mid: int = 1) -> bytes:
    """Return a session setup with a token, after a NEGOTIATE with extended security ([MS-SMB] 2.2.4.6.1).

    Raises:
        LocalProtocolError: the token is empty or longer than 16384 bytes.
    """
    if not 0 < len(blob) <= 16384:
        raise LocalProtocolError(f"a token of {len(blob)} bytes")
    words = _NO_ANDX + struct.pack("<HHHIHII", _MAX_BUFFER, 2, 1, 0, len(blob), 0, _CAPABILITIES_EXTENDED)
    names = _padding(len(words), len(blob)) + _utf16(_NATIVE_OS) + _utf16(_NATIVE_LM)
    return request(SESSION_SETUP, words, blob + names, flags2=_FLAGS2 | FLAGS2_EXTENDED_SECURITY, uid=uid, mid=mid)


def null_session_request(*, mid: int = 1) -> bytes:
    """Return a session setup without user and password, after a NEGOTIATE without extended security.

    VcNumber is 1: with 0 some servers drop the other sessions of the same client.
    """
    words = _NO_ANDX + struct.pack("<HHHIHHII", _MAX_BUFFER, 2, 1, 0, 0, 0, 0, _CAPABILITIES)
    names = _utf16("") + _utf16("") + _utf16(_NATIVE_OS) + _utf16(_NATIVE_LM)
    return request(SESSION_SETUP, words, _padding(len(words), 0) + names, flags2=_FLAGS2, mid=mid)


def session_setup_response(message: bytes) -> SessionSetup1:
    """Return what a server answers to a session setup of either kind.

    Raises:
        RemoteProtocolError: see ``smb1_header.reply``; "truncated" (the token), "bad_value" (another form).
    """
    answer = reply(message, SESSION_SETUP)
    words, count = answer.words, answer.word_count
    if not count:
        if not answer.status:
            raise RemoteProtocolError("bad_value", "a session without any word about it")
        return SessionSetup1(answer.status, answer.uid)
    if count not in (3, 4):
        raise RemoteProtocolError("bad_value", f"a session setup reply of {count} words")
    guest = bool(words[4] & ACTION_GUEST)
    blob, rest = b"", answer.data
    if count == 4:
        length = words[6] | words[7] << 8
        if length > len(rest):
            raise RemoteProtocolError("truncated", f"a token of {length} bytes, {len(rest)} are there")
        blob, rest = rest[:length], rest[length:]
    native_os, native_lm, domain = _names(answer, rest)
    return SessionSetup1(answer.status, answer.uid, guest, blob, native_os, native_lm, domain)


def tree_connect_request(server: str, *, uid: int, mid: int = 2) -> bytes:
    r"""Return a tree connect to ``\\server\IPC$`` ([MS-CIFS] 2.2.4.55.1).

    Args:
        server: a name or an address; it is shown to nobody and may be anything.

    Raises:
        LocalProtocolError: a name of more than 255 characters, or none.
    """
    if not 0 < len(server) <= 255:
        raise LocalProtocolError("a server's name has 1 to 255 characters")
    words = _NO_ANDX + struct.pack("<HH", 0, 1)
    data = b"\0" + _padding(len(words), 1) + _utf16(f"\\\\{server}\\IPC$") + b"?????\0"
    return request(TREE_CONNECT, words, data, flags2=_FLAGS2, uid=uid, mid=mid)


def tree_connect_response(message: bytes) -> TreeConnect1:
    """Return what a server answers to a tree connect ([MS-CIFS] 2.2.4.55.2).

    Raises:
        RemoteProtocolError: see ``smb1_header.reply``.
    """
    answer = reply(message, TREE_CONNECT)
    if answer.status:
        return TreeConnect1(answer.status)
    return TreeConnect1(0, answer.tid, text.oem(answer.data, 16))


def peek_named_pipe_request(*, tid: int, uid: int, mid: int = 3) -> bytes:
    """Return a transaction PeekNamedPipe on FID 0, which no server has open ([MS-CIFS] 2.2.5.5.1).

    Its reply's ``smb1_header.status``: ``status.INSUFF_SERVER_RESOURCES`` from a Windows without MS17-010,
    ``status.ACCESS_DENIED`` or ``status.INVALID_HANDLE`` from a patched one and from others.
    """
    head = struct.pack("<HHHHBBHIHHHHHBB", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0)
    setup = struct.pack("<HH", _PEEK_NAMED_PIPE, 0)
    words = bytearray(head + setup)
    # Neither parameters nor data follow: both would begin where the name ends.
    end = 32 + 1 + len(words) + 2 + len(_PIPE)
    struct.pack_into("<H", words, 20, end)
    struct.pack_into("<H", words, 24, end)
    flags2 = FLAGS2_NT_STATUS | FLAGS2_LONG_NAMES
    return request(TRANSACTION, bytes(words), _PIPE, flags2=flags2, tid=tid, uid=uid, mid=mid)


def _names(answer: Reply, data: bytes) -> list[str]:
    if answer.flags2 & FLAGS2_UNICODE:
        return text.utf16_strings(data, 3)
    return text.oem_strings(data, 3)


def _utf16(value: str) -> bytes:
    return value.encode("utf-16-le", "replace") + b"\0\0"


def _padding(words: int, data: int) -> bytes:
    """Return the byte that brings a UTF-16 string to an even distance from the header, or nothing."""
    return bytes((32 + 1 + words + 2 + data) % 2)
