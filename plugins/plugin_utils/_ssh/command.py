# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command in one SSH channel: input and both outputs pumped together, so that neither side waits for the other."""

from __future__ import annotations

import select
import time
from typing import Any

CHUNK = 32768


class Dropped(Exception):
    """The connection ended, or was silent for too long, before the command did."""


class Channel:
    """A running command. ``seen`` is all output so far, for the prompts of sudo and its kin."""

    def __init__(self, client: Any, command: bytes, timeout: float) -> None:
        self.timeout = timeout
        self.out = bytearray()
        self.err = bytearray()
        transport = client.get_transport()
        if transport is None or not transport.is_active():
            raise Dropped("the connection was closed by the other side.")
        try:
            self.raw = transport.open_session(timeout=timeout)
            self.raw.settimeout(timeout)
            self.raw.exec_command(command)
        except Exception as error:  # paramiko raises SSHException, EOFError, OSError and ChannelException alike
            raise Dropped(f"the command could not be started: {str(error) or type(error).__name__}.") from error

    def seen(self) -> bytes:
        """Return everything that came so far."""
        return bytes(self.out + self.err)

    def forget(self) -> None:
        """Drop what came so far; what follows is the command's own output."""
        self.out.clear()
        self.err.clear()

    def send(self, data: bytes) -> None:
        """Send a short text, such as a password."""
        self.raw.sendall(data)

    def wait(self) -> bool:
        """Take in what has come; False when the command has ended and nothing is left."""
        if self.raw.exit_status_ready() and not self.raw.recv_ready() and not self.raw.recv_stderr_ready():
            return False
        select.select([self.raw], [], [], 0.2)
        self.take()
        return True

    def take(self) -> bool:
        """Take in what is there now; whether that was anything."""
        got = False
        while self.raw.recv_ready():
            self.out += self.raw.recv(CHUNK)
            got = True
        while self.raw.recv_stderr_ready():
            self.err += self.raw.recv_stderr(CHUNK)
            got = True
        return got

    def close(self) -> None:
        """Close the channel."""
        self.raw.close()


def run(channel: Channel, data: bytes | None) -> tuple[int, bytes, bytes]:
    """Send ``data`` and the end of input, and return (exit code, stdout, stderr).

    Raises:
        Dropped: the connection ended first.
    """
    raw = channel.raw
    left = memoryview(data or b"")
    sent_end = False
    last = time.monotonic()
    while True:
        if not left and not sent_end:
            raw.shutdown_write()
            sent_end = True
        progress = channel.take()
        if left and raw.send_ready() and not raw.closed:
            left = left[raw.send(left[:CHUNK]) :]
            progress = True
        if raw.exit_status_ready() and not raw.recv_ready() and not raw.recv_stderr_ready():
            if raw.eof_received or raw.closed:
                break
        elif raw.closed and not progress:
            break
        if progress:
            last = time.monotonic()
            continue
        if time.monotonic() - last > channel.timeout:
            raise Dropped(f"no answer for {channel.timeout:.0f} seconds.")
        if not raw.get_transport().is_active():
            break
        raw.status_event.wait(0.005) if raw.eof_received else select.select([raw], [], [], 0.02)
    channel.take()
    if not raw.exit_status_ready():
        raise Dropped("the connection was lost while a command ran.")
    return raw.recv_exit_status(), bytes(channel.out), bytes(channel.err)
