# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An SMB client that misbehaves on purpose, to see what a real server turns away.

    host = Endpoint(namespace=f"/proc/{pid}/ns/net")
    smb1_only(host).accepted
    tree_connect(host, Login("alice", "secret"), "files", 0x0302, signed=False).accepted

It shares nothing with the collection: MS-SMB2, MS-CIFS and MS-NLMP, on a plain socket. For tests only.
"""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import os
import secrets
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import spnego
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

DIALECTS = (0x0202, 0x0210, 0x0300, 0x0302, 0x0311)
SECONDS = 20.0
_CLONE_NEWNET = 0x40000000
_NEGOTIATE, _SESSION_SETUP, _TREE_CONNECT = 0, 1, 3
_SIGNED = 0x00000008
_MORE_PROCESSING = 0xC0000016
_STATUS = {
    0xC000000D: "STATUS_INVALID_PARAMETER",
    0xC0000022: "STATUS_ACCESS_DENIED",
    0xC000006D: "STATUS_LOGON_FAILURE",
    0xC00000BB: "STATUS_NOT_SUPPORTED",
    0xC00000CC: "STATUS_BAD_NETWORK_NAME",
    0xC0000203: "STATUS_USER_SESSION_DELETED",
}
_NTLM_FLAGS = 0x00088205  # UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY
_NTLM_ANONYMOUS = 0x00000800


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens; ``namespace`` is the file of its network namespace, "" is our own."""

    address: str = "127.0.0.1"
    port: int = 445
    namespace: str = ""


@dataclass(frozen=True)
class Login:
    """A user of the server."""

    user: str
    password: str


@dataclass(frozen=True)
class Answer:
    """How far a client got: the last step, and "accepted", "closed" or the status that the server gave there."""

    step: Literal["negotiate", "session setup", "tree connect"]
    said: str

    @property
    def accepted(self) -> bool:
        """Return whether the server did what was asked."""
        return self.said == "accepted"


def smb1_only(endpoint: Endpoint) -> Answer:
    """Offer "NT LM 0.12" and nothing else."""
    header = b"\xffSMB" + struct.pack("<BIBHH8sHHHHH", 0x72, 0, 0x18, 0xC801, 0, b"", 0, 0, 0xFEFF, 0, 0)
    dialects = b"\x02NT LM 0.12\0"
    with _connected(endpoint) as line:
        reply = line.exchange(header + struct.pack("<BH", 0, len(dialects)) + dialects)
    if not reply:
        return Answer("negotiate", "closed")
    if reply[:4] != b"\xffSMB" or len(reply) < 35:
        return Answer("negotiate", f"no SMB1: {reply[:8].hex()}")
    status, words = struct.unpack_from("<I", reply, 5)[0], reply[32]
    index = struct.unpack_from("<H", reply, 33)[0] if words else 0xFFFF
    good = status == 0 and words in (13, 17) and index == 0
    return Answer("negotiate", "accepted" if good else f"refused ({status:#010x}, {words} words, dialect {index:#06x})")


def tree_connect(endpoint: Endpoint, login: Login, share: str, dialect: int, *, signed: bool) -> Answer:
    """Log in as a user over one dialect and connect to a share, never encrypted, signed or not."""
    identity = spnego.client(login.user, login.password, hostname=endpoint.address, protocol="ntlm")
    with _connected(endpoint) as line:
        return _Conversation(line, dialect).run(identity, share, signed)


def anonymous(endpoint: Endpoint, share: str, dialect: int) -> Answer:
    """Log in as nobody and connect to a share."""
    with _connected(endpoint) as line:
        return _Conversation(line, dialect).run(_Nobody(), share, signed=False)


def guest(endpoint: Endpoint, share: str, dialect: int) -> Answer:
    """Log in as a user that the server cannot know and connect to a share."""
    return tree_connect(endpoint, Login("nobody-knows-me", secrets.token_hex(4)), share, dialect, signed=False)


class _Identity(Protocol):
    """What makes the tokens of a login."""

    @property
    def session_key(self) -> bytes: ...

    def step(self, in_token: bytes | None = None) -> bytes | None: ...


class _Nobody:
    """An anonymous login, by hand: MS-NLMP 3.2.5.1.2 (empty user, an LM response of one zero byte)."""

    session_key = bytes(16)

    def step(self, in_token: bytes | None = None) -> bytes:
        if in_token is None:
            return b"NTLMSSP\0" + struct.pack("<II", 1, _NTLM_FLAGS) + bytes(16)
        end = 64
        empty = struct.pack("<HHI", 0, 0, end)
        fields = struct.pack("<HHI", 1, 1, end) + empty * 5
        return b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", _NTLM_FLAGS | _NTLM_ANONYMOUS) + b"\0"


class _Line:
    """One connection; each message has a length before it (MS-SMB2 2.1)."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer

    def exchange(self, message: bytes) -> bytes:
        """Send a message and return the answer; empty when the server hung up instead."""
        try:
            self._peer.sendall(struct.pack(">I", len(message)) + message)
            (size,) = struct.unpack(">I", self._exactly(4))
            return self._exactly(size & 0xFFFFFF)
        except (ConnectionError, EOFError):
            return b""

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._peer.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data


class _Conversation:
    """Negotiate, log in, connect: over one dialect, and exactly as signed as it was told to be."""

    def __init__(self, line: _Line, dialect: int) -> None:
        self._line = line
        self._dialect = dialect
        self._next = 0
        self._session = 0
        self._hash = bytes(64)
        self._secret = b""

    def run(self, identity: _Identity, share: str, signed: bool) -> Answer:
        said, body = self._ask(_NEGOTIATE, self._offer())
        if said != "accepted":
            return Answer("negotiate", said)
        if (chosen := struct.unpack_from("<H", body, 4)[0]) != self._dialect:
            return Answer("negotiate", f"another dialect: {chosen:#06x}")
        token = identity.step()
        while True:
            said, body = self._ask(_SESSION_SETUP, self._setup(token or b""))
            offset, length = struct.unpack_from("<HH", body, 4) if len(body) > 8 else (0, 0)
            if said != "more":
                break
            token = identity.step(body[offset - 64 : offset - 64 + length])
        if said != "accepted":
            return Answer("session setup", said)
        path = f"\\\\127.0.0.1\\{share}".encode("utf-16-le")
        self._secret = identity.session_key[:16]
        said, _body = self._ask(_TREE_CONNECT, struct.pack("<HHHH", 9, 0, 72, len(path)) + path, signed)
        return Answer("tree connect", said)

    def _ask(self, command: int, body: bytes, signed: bool = False) -> tuple[str, bytes]:
        """Send a request and return what the server said, with the answer's body."""
        flags = _SIGNED if signed else 0
        fixed = (64, 1, 0, command, 31, flags, 0, self._next, 0xFEFF, 0, self._session, b"")
        message = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ16s", *fixed) + body
        if signed:
            message = message[:48] + self._signature(message) + message[64:]
        self._remember(command, message)
        reply = self._line.exchange(message)
        self._next += 1
        if not reply:
            return "closed", b""
        if reply[:4] == b"\xfdSMB":
            reply = self._decrypted(reply)
        if reply[:4] != b"\xfeSMB" or len(reply) < 64:
            return f"no SMB2: {reply[:8].hex()}", b""
        status = struct.unpack_from("<I", reply, 8)[0]
        if status in (0, _MORE_PROCESSING) and command == _SESSION_SETUP:
            self._session = struct.unpack_from("<Q", reply, 40)[0]
        if status == _MORE_PROCESSING or command == _NEGOTIATE:
            self._remember(command, reply)
        known = {0: "accepted", _MORE_PROCESSING: "more", **_STATUS}
        return known.get(status, f"{status:#010x}"), reply[64:]

    def _offer(self) -> bytes:
        dialect = struct.pack("<H", self._dialect)
        capabilities = 0x40 if self._dialect >= 0x0300 else 0
        start = struct.pack("<HHHHI16s", 36, 1, 1, 0, capabilities, os.urandom(16))
        if self._dialect < 0x0311:
            return start + bytes(8) + dialect
        # Preauthentication by SHA-512, and AES-128-GCM as the cipher; each context is aligned to 8 bytes.
        contexts = struct.pack("<HHIHHH32s", 1, 38, 0, 1, 32, 1, os.urandom(32)) + bytes(2)
        contexts += struct.pack("<HHIHH", 2, 4, 0, 1, 2)
        return start + struct.pack("<IHH", 104, 2, 0) + dialect + bytes(2) + contexts

    @staticmethod
    def _setup(token: bytes) -> bytes:
        return struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token

    def _remember(self, command: int, message: bytes) -> None:
        """Keep the hash of what came before the login is through: MS-SMB2 3.2.5.3, for 3.1.1."""
        if command in (_NEGOTIATE, _SESSION_SETUP):
            self._hash = hashlib.sha512(self._hash + message).digest()

    def _key(self, label: bytes, context: bytes, label_311: bytes) -> bytes:
        """Return a key of the session: MS-SMB2 3.1.4.2."""
        if self._dialect >= 0x0311:
            label, context = label_311, self._hash
        derived = struct.pack(">I", 1) + label + b"\0\0" + context + struct.pack(">I", 128)
        return hmac.digest(self._secret, derived, "sha256")[:16]

    def _signature(self, message: bytes) -> bytes:
        if self._dialect < 0x0300:
            return hmac.digest(self._secret, message, "sha256")[:16]
        mac = CMAC(AES(self._key(b"SMB2AESCMAC", b"SmbSign\0", b"SMBSigningKey")))
        mac.update(message)
        return mac.finalize()

    def _decrypted(self, reply: bytes) -> bytes:
        """Return what a server says that encrypts though nobody asked it to: MS-SMB2 3.1.4.3."""
        key = self._key(b"SMB2AESCCM", b"ServerOut\0", b"SMBS2CCipherKey")
        sealed, head = reply[52:] + reply[4:20], reply[20:52]
        if self._dialect >= 0x0311:
            return AESGCM(key).decrypt(head[:12], sealed, head)
        return AESCCM(key).decrypt(head[:11], sealed, head)


@contextmanager
def _connected(endpoint: Endpoint) -> Iterator[_Line]:
    # Only a thread enters the namespace, and ends; the socket stays there.
    with ThreadPoolExecutor(1) as thread:
        peer = thread.submit(_connect, endpoint).result()
    with peer:
        yield _Line(peer)


def _connect(endpoint: Endpoint) -> socket.socket:
    if endpoint.namespace:
        descriptor = os.open(endpoint.namespace, os.O_RDONLY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter {endpoint.namespace}")
        finally:
            os.close(descriptor)
    return socket.create_connection((endpoint.address, endpoint.port), SECONDS)
