# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One TCP connection, plain or TLS, that counts what really crosses it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct

from .stats import Tally

_CHUNK = 65536


class Wire:
    """Bytes in, bytes out. TLS runs over memory buffers, so that its records are counted and not only what they carry."""

    def __init__(self, connection: socket.socket, tally: Tally, tls: ssl.SSLContext | None = None) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._tally = tally
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_side=True) if tls else None
        self._greeted = False

    @property
    def encrypted(self) -> bool:
        """Whether TLS protects it."""
        return self._tls is not None

    def receive(self) -> bytes:
        """Return some bytes, or none when the client has closed.

        Raises:
            OSError: the connection broke, or TLS could not be agreed on.
        """
        if self._tls is None:
            return self._read()
        while True:
            try:
                if not self._greeted:
                    self._tls.do_handshake()
                    self._greeted = True
                    self._flush()
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                self._flush()
                arrived = self._read()
                if not arrived:
                    return b""
                self._incoming.write(arrived)
            except ssl.SSLZeroReturnError:
                return b""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        if self._tls is None:
            self._write(data)
            return
        for start in range(0, len(data), _CHUNK):
            self._tls.write(data[start : start + _CHUNK])
            self._flush()

    def close(self) -> None:
        """End it as servers do: what was sent still arrives."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._socket.close()

    def break_off(self) -> None:
        """End it as a dying host or a firewall does: with a reset."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def wake(self) -> None:
        """Let a thread that waits for bytes return."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> bytes:
        data = self._socket.recv(_CHUNK)
        self._tally.add(bytes_up=len(data))
        return data

    def _write(self, data: bytes) -> None:
        self._tally.add(bytes_down=len(data))
        self._socket.sendall(data)

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._write(data)
