# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB2 TREE_CONNECT ([MS-SMB2] 2.2.9, 2.2.10): whether a session may reach a share."""

from __future__ import annotations

import struct

from .errors import LocalProtocolError
from .smb2_header import LENGTH, Header, request_header, response_header

TREE_CONNECT = 0x0003

_REQUEST = struct.Struct("<HHHH")


def tree_connect_request(message_id: int, session_id: int, server: str, share: str = "IPC$") -> bytes:
    r"""Return a request for ``\\server\share``, without a frame.

    Args:
        server: a name or an address; it is shown to nobody and may be anything.

    Raises:
        LocalProtocolError: a path of no or of more than 255 characters.
    """
    if not server or not share or len(server) + len(share) > 250:
        raise LocalProtocolError("a share's path has 1 to 255 characters")
    path = f"\\\\{server}\\{share}".encode("utf-16-le", "replace")
    fixed = _REQUEST.pack(9, 0, LENGTH + _REQUEST.size, len(path))
    return request_header(TREE_CONNECT, message_id, session_id) + fixed + path


def tree_connect_response(message: bytes, *, message_id: int | None = None) -> Header:
    """Return the header of the reply, whose status says all.

    Raises:
        RemoteProtocolError: see ``smb2_header.response_header``.
    """
    return response_header(message, TREE_CONNECT, message_id)
