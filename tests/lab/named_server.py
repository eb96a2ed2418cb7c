# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server on loopback that calls itself whatever it is told to: for names that are no names.

    with named("{{ 7 * 7 }}") as port:
        ...

It speaks 2.0.2 and 2.1 up to the NTLM challenge, and refuses SMB1. By hand from [MS-SMB2], [MS-NLMP] and RFC 4178; it
shares nothing with the collection. For tests only.
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator

_DIALECTS = (0x0210, 0x0202)
_NTLMSSP = bytes.fromhex("060a2b06010401823702020a")
_SPNEGO = bytes.fromhex("06062b0601050502")
_MORE, _NOT_SUPPORTED = 0xC0000016, 0xC00000BB


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    length = bytes([size]) if size < 128 else b"\x82" + struct.pack(">H", size)
    return bytes([tag]) + length + body


def _offer(hint: str) -> bytes:
    """NegTokenInit2 with a hint ([MS-SPNG] 2.2.1)."""
    mechanisms = _der(0xA0, _der(0x30, _NTLMSSP))
    hints = _der(0xA3, _der(0x30, _der(0xA0, _der(0x1B, hint.encode("utf-8")))))
    return _der(0x60, _SPNEGO, _der(0xA0, _der(0x30, mechanisms, hints)))


def _challenge(name: str) -> bytes:
    """NegTokenResp with an NTLM CHALLENGE whose every name is this one ([MS-NLMP] 2.2.1.2)."""
    text = name.encode("utf-16-le", "surrogatepass")
    pairs = b"".join(struct.pack("<HH", key, len(text)) + text for key in (2, 1, 4, 3, 5)) + bytes(4)
    flags = 0x02898205
    version = bytes([6, 1]) + struct.pack("<H", 0) + bytes(3) + b"\x0f"
    fixed = struct.pack("<8sIHHII8s8sHHI8s", b"NTLMSSP\0", 2, len(text), len(text), 56, flags, b"8 bytes!", b"",
                        len(pairs), len(pairs), 56 + len(text), version)  # fmt: skip
    token = _der(0xA2, _der(0x04, fixed + text + pairs))
    return _der(0xA1, _der(0x30, _der(0xA0, b"\x0a\x01\x01"), _der(0xA1, _NTLMSSP), token))


class _Handler(socketserver.BaseRequestHandler):
    name = ""

    def handle(self) -> None:
        """Answer until the client hangs up."""
        while (message := self._message()) is not None:
            reply = self._smb2(message) if message[:4] == b"\xfeSMB" else self._smb1(message)
            self.request.sendall(struct.pack(">I", len(reply)) + reply)

    def _message(self) -> bytes | None:
        head = self._exactly(4)
        return None if head is None else self._exactly(int.from_bytes(head[1:], "big"))

    def _exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            try:
                part = self.request.recv(size - len(data))
            except OSError:
                return None
            if not part:
                return None
            data += part
        return data

    @staticmethod
    def _smb1(message: bytes) -> bytes:
        """WordCount 1, DialectIndex 0xFFFF: none of the offered."""
        return message[:4] + b"\x72" + bytes(4) + b"\x98" + message[10:32] + b"\x01\xff\xff\0\0"

    def _smb2(self, message: bytes) -> bytes:
        command = struct.unpack_from("<H", message, 12)[0]
        if command == 0:
            count = struct.unpack_from("<H", message, 66)[0]
            offered = struct.unpack_from(f"<{count}H", message, 100)
            chosen = next((dialect for dialect in _DIALECTS if dialect in offered), None)
            if chosen is None:
                return self._head(message, _NOT_SUPPORTED) + struct.pack("<HHIB", 9, 0, 0, 0)
            blob = _offer(self.name)
            fixed = struct.pack("<HHHH16sIIIIQQHHI", 65, 1, chosen, 0, bytes(range(16)), 0, 65536, 65536, 65536,
                                133_000_000_000_000_000, 0, 128, len(blob), 0)  # fmt: skip
            return self._head(message, 0) + fixed + blob
        blob = _challenge(self.name)
        return self._head(message, _MORE, session=7) + struct.pack("<HHHH", 9, 0, 72, len(blob)) + blob

    @staticmethod
    def _head(message: bytes, status: int, session: int = 0) -> bytes:
        command, number = struct.unpack_from("<H", message, 12)[0], message[24:32]
        return b"\xfeSMB" + struct.pack("<HHIHHII8sIIQ16s", 64, 0, status, command, 1, 1, 0, number, 0, 0, session, b"")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def named(name: str, address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Run such a server and give its port."""
    handler = type("Handler", (_Handler,), {"name": name})
    with _Server((address, port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
