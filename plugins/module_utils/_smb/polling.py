# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine needs of this system: descriptors, a poller, sockets that do not block, addresses without a name server."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import selectors
import socket
from typing import Any

from .dialogue import CLOSED, RESET, SILENT, UNREACHABLE

READ, WRITE, BROKEN = 1, 4, 8 | 16
"""The bits of epoll and of poll; ``BROKEN`` is an error or a hang-up."""

ENDED = 0x2000 | BROKEN
"""The peer has closed its side (EPOLLRDHUP), or worse."""

EDGES = READ | WRITE | 0x2000 | 0x80000000
"""With EPOLLRDHUP and EPOLLET: each state is told once, when it begins, so that nothing has to be modified later."""

STREAM_SOCKET = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)
DATAGRAM_SOCKET = socket.SOCK_DGRAM | getattr(socket, "SOCK_NONBLOCK", 0)

EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
IN_PROGRESS = frozenset((0, errno.EINPROGRESS, errno.EINTR, errno.EWOULDBLOCK, errno.EALREADY, errno.EISCONN))
FAILURES = {
    errno.ECONNREFUSED: CLOSED,
    errno.ETIMEDOUT: SILENT,
    errno.EHOSTUNREACH: UNREACHABLE,
    errno.EHOSTDOWN: UNREACHABLE,
    errno.ENETUNREACH: UNREACHABLE,
    errno.ENETDOWN: UNREACHABLE,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ECONNABORTED: RESET,
}
"""What an error of the kernel says about the peer; every other one is ours."""

_SPARE_DESCRIPTORS = 128


def nonblocking(family: int, kind: int) -> socket.SocketType:
    """Return a socket of the C class: nothing of what the Python class adds (files, names, contexts) is used here."""
    made = socket.SocketType(family, kind)
    if not STREAM_SOCKET & ~socket.SOCK_STREAM:
        made.setblocking(False)
    return made


def resolve(address: str) -> tuple[int, tuple[Any, ...], str]:
    """Return family and socket address (port 0) of a numeric address, or why there is none; never asks a name server."""
    if not address:
        return 0, (), "no address"
    with contextlib.suppress(OSError):
        socket.inet_pton(socket.AF_INET, address)
        return socket.AF_INET, (address, 0), ""
    try:
        found = socket.getaddrinfo(address, 0, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return 0, (), "not a numeric address, or its scope does not exist here"
    return socket.AF_INET6, found[0][4], ""


def network_key(family: int, address: str) -> str | bytes:
    """Return what stands for the IPv4 /24 or IPv6 /64 of an address."""
    if family == socket.AF_INET:
        return address.rpartition(".")[0]
    return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])[:8]


def error_text(code: int) -> str:
    """Return an error number by name and in words."""
    return f"{errno.errorcode.get(code, code)}: {os.strerror(code)}"


def descriptors(connecting: int, conversing: int) -> int:
    """Raise our own limit of open files as far as it may go; return how many may be connecting."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return connecting
    wanted = connecting + conversing + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    if soft == resource.RLIM_INFINITY:
        return connecting
    return max(8, min(connecting, soft - conversing - _SPARE_DESCRIPTORS))


def poller() -> tuple[Any, bool]:
    """Return a poller, and whether it reports a state again and again (True) or once, when it begins (False)."""
    if hasattr(select, "epoll"):
        return select.epoll(), False
    return Selector(), True


class Selector:
    """The part of epoll's interface that is used here, on whatever this system has."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, descriptor: int, mask: int) -> None:
        self._selector.register(descriptor, self._events(mask))

    def modify(self, descriptor: int, mask: int) -> None:
        if not mask:  # not possible here; looked at again when it has a place
            self.unregister(descriptor)
        elif descriptor in self._selector.get_map():
            self._selector.modify(descriptor, self._events(mask))
        else:
            self.register(descriptor, mask)

    def unregister(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(descriptor)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        found = []
        for key, events in self._selector.select(timeout):
            mask = (READ if events & selectors.EVENT_READ else 0) | (WRITE if events & selectors.EVENT_WRITE else 0)
            # A failed connection is only writable here: it has to be asked for its error.
            found.append((key.fd, mask | (8 if mask & WRITE else 0)))
        return found

    def close(self) -> None:
        self._selector.close()

    @staticmethod
    def _events(mask: int) -> int:
        return (selectors.EVENT_READ if mask & READ else 0) | (selectors.EVENT_WRITE if mask & WRITE else 0)
