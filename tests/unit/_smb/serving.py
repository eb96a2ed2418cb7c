# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small servers on real loopback sockets, each a behaviour given as a function."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

from tests.unit._smb.simulated import CLOSE, SILENCE, Link, Truth

Serve = Callable[[socket.socket, int], None]


class Served:
    """What a server saw: the addresses of its clients, in order, and how many were there at once."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.clients: list[tuple[str, int]] = []
        self.smb1_clients: list[tuple[str, int]] = []
        self.at_once = self.most = 0
        self.lock = threading.Lock()


@contextlib.contextmanager
def serving(serve: Serve, address: str = "0.0.0.0") -> Iterator[Served]:
    """Run a server: ``serve`` gets each connection and its number, in a thread of its own."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 0))
        listener.listen(1024)
        served = Served(listener.getsockname()[1])

        def one(made: socket.socket, number: int) -> None:
            with served.lock:
                served.at_once += 1
                served.most = max(served.most, served.at_once)
            with contextlib.suppress(OSError), made:
                serve(made, number)
            with served.lock:
                served.at_once -= 1

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    made, client = listener.accept()
                    made.settimeout(10)
                    served.clients.append(client[:2])
                    threading.Thread(target=one, args=(made, len(served.clients) - 1), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def truthful(truth: Truth, served: list[Served] | None = None) -> Serve:
    """Return what serves a truth of ``simulated``; who asks by SMB1 is noted in ``served``."""

    def serve(made: socket.socket, number: int) -> None:
        link = Link(truth, number)
        while request := receive_frame(made):
            if served and request[4:8] == b"\xffSMB":
                served[0].smb1_clients.append(made.getpeername()[:2])
            for action in link.receive(request):
                if action == CLOSE:
                    return
                if action != SILENCE:
                    made.sendall(action)

    return serve


def receive_frame(made: socket.socket) -> bytes:
    """Return a whole frame; nothing when the client has closed."""
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[1:4], "big"):
        piece = made.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def reset(made: socket.socket) -> None:
    """Close with RST."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port that answers no SYN, on no address of loopback: its queue of connections is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("0.0.0.0", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _filling in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield port
