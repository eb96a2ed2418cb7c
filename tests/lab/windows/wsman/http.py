# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As much of HTTP/1.1 as WinRM clients speak."""

from __future__ import annotations

from dataclasses import dataclass, field

from .wire import Wire

_REASONS = {200: "", 400: "Bad Request", 401: "", 404: "", 413: "", 500: "", 503: "Service Unavailable"}
_LARGEST_HEAD = 65536
SOAP = "application/soap+xml;charset=UTF-8"


class HttpError(Exception):
    """What came is not HTTP, or too large."""


@dataclass(frozen=True)
class Request:
    """One request; names of headers are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = SOAP
    headers: tuple[tuple[str, str], ...] = field(default=())

    def encode(self) -> bytes:
        """Return it as it crosses the wire."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS[self.status]}".rstrip()]
        if self.body:
            lines.append(f"Content-Type: {self.content_type}")
        lines += ["Server: Microsoft-HTTPAPI/2.0", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


class Reader:
    """Takes requests from a wire, one after the other."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = bytearray()

    def next(self) -> Request | None:
        """Return the next request, or None when the client has closed.

        Raises:
            HttpError: what came is not HTTP.
            OSError: the connection broke.
        """
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _LARGEST_HEAD:
                raise HttpError("too long a head")
            if not self._more():
                return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        try:
            method, path, _version = first.split(" ")
            headers = {
                name.strip().lower(): value.strip() for name, _colon, value in (one.partition(":") for one in lines)
            }
            length = int(headers.get("content-length", "0"))
        except ValueError as error:
            raise HttpError(first) from error
        while len(self._buffer) < end + 4 + length:
            if not self._more():
                return None
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        return Request(method, path, headers, body)

    def _more(self) -> bool:
        arrived = self._wire.receive()
        self._buffer += arrived
        return bool(arrived)
