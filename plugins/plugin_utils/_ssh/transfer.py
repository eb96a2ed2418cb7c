# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files over SFTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .command import deadline, session
from .library import Dropped, paramiko


@contextlib.contextmanager
def sftp(client: Any, *, timeout: float, start_timeout: float) -> Iterator[Any]:
    """Yield a ``paramiko.SFTPClient`` whose every answer must come within ``timeout`` seconds.

    Raises:
        Dropped: the server has no SFTP, or does not answer.
    """
    channel = session(client, start_timeout)
    with contextlib.closing(channel):
        with deadline(client.get_transport(), start_timeout, "SFTP could not be started (does the server offer it?)"):
            channel.settimeout(start_timeout)
            channel.invoke_subsystem("sftp")
            files = paramiko.SFTPClient(channel)
        channel.settimeout(timeout)
        try:
            yield files
        except (TimeoutError, EOFError, paramiko.SSHException) as error:
            raise Dropped(f"the file transfer broke off: {str(error) or 'timed out'}.") from error
