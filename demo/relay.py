# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Standard input and output ↔ a TCP connection: the ProxyCommand of the embedded fleet."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys


def main() -> None:
    """Relay until either side has nothing more to say."""
    peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(peer, selectors.EVENT_READ)
    while True:
        for ready, _events in selector.select():
            if ready.fileobj is peer:
                data = peer.recv(65536)
                if not data:
                    return
                view = memoryview(data)
                while view:
                    view = view[os.write(1, view) :]
            else:
                data = os.read(0, 65536)
                if data:
                    peer.sendall(data)
                else:
                    selector.unregister(0)
                    peer.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    # Either side may hang up while the other still talks (a refused host key, say); that is the end, not a fault.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        main()
