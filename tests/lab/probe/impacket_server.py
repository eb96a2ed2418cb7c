# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""impacket's SMB server, as its users start it, on an address of the lab's network.

    python impacket_server.py ADDRESS smb1|smb2

It writes "ready" and ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
import threading
from collections.abc import Iterator

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from tests.lab.probe.space import Space


def require() -> None:
    """Skip the test where impacket is not installed."""
    import pytest  # here, as what the tests start needs it no more than the servers do

    pytest.importorskip("impacket", reason="not installed: impacket (pip install -r tests/requirements.txt)")


@contextlib.contextmanager
def impacket(lab: Space, address: str, newest: str) -> Iterator[None]:
    """Run a server that speaks SMB1, and 2.0.2 as well where ``newest`` is "smb2"."""
    process = lab.serve(sys.executable, __file__, address, newest)
    try:
        yield
    finally:
        lab.stop(process)


def main() -> int:
    """Serve until standard input ends."""
    from impacket.smbserver import SimpleSMBServer

    server = SimpleSMBServer(sys.argv[1], 445)
    server.setSMB2Support(sys.argv[2] == "smb2")
    server.setLogFile("/dev/null")
    threading.Thread(target=server.start, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
