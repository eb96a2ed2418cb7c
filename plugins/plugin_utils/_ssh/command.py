# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command in one SSH channel: both outputs are read while input is sent, so that neither side waits for the other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from .library import Dropped, reason

CHUNK = 32768
_TICK = 1.0  # seconds between looks at the clock while nothing comes
_LINGER = 5.0  # seconds of silence after the exit code; a child in the background may hold the outputs open
SIGNALLED = 255  # as ssh(1) returns it


@contextlib.contextmanager
def deadline(transport: Any, seconds: float, what: str) -> Iterator[None]:
    """Cut the connection when the block takes longer, for paramiko waits without limit for some answers."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        transport.close()

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:  # paramiko raises SSHException, EOFError, OSError and AttributeError alike
        said = f"no answer within {seconds:.0f} seconds" if late.is_set() else reason(error)
        raise Dropped(f"{what}: {said}.") from error
    finally:
        timer.cancel()


def session(client: Any, seconds: float) -> Any:
    """Return a new session channel of a connected client."""
    transport = client.get_transport()
    if transport is None or not transport.is_active():
        raise Dropped("the other side closed the connection.")
    with deadline(transport, seconds, "no channel could be opened"):
        return transport.open_session(timeout=seconds)


class Channel:
    """A running command. Two threads take in its outputs; ``timeout`` seconds without a byte either way end it."""

    def __init__(self, client: Any, command: bytes, *, timeout: float, start_timeout: float, pty: bool = False) -> None:
        self.timeout = timeout
        self.transport = client.get_transport()
        self.raw = session(client, start_timeout)
        try:
            with deadline(self.transport, start_timeout, "the command could not be started"):
                self.raw.settimeout(_TICK)
                if pty:
                    self.raw.get_pty()
                self.raw.exec_command(command)
        except Dropped:
            self.raw.close()
            raise
        self._news = threading.Condition()
        self._outputs = (bytearray(), bytearray())
        self._last = time.monotonic()
        readers = (self.raw.recv, self.raw.recv_stderr)
        self._readers = [
            threading.Thread(target=self._read, args=(read, output), daemon=True)
            for read, output in zip(readers, self._outputs, strict=True)
        ]
        for thread in self._readers:
            thread.start()

    def _read(self, read: Any, output: bytearray) -> None:
        while True:
            try:
                data = read(CHUNK)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            with self._news:
                output += data
                self._last = time.monotonic()
                self._news.notify_all()
            if not data:
                return

    @property
    def out(self) -> bytes:
        """What came on standard output so far."""
        with self._news:
            return bytes(self._outputs[0])

    @property
    def err(self) -> bytes:
        """What came on standard error so far."""
        with self._news:
            return bytes(self._outputs[1])

    def drop_out(self, size: int) -> None:
        """Forget the first ``size`` bytes of standard output."""
        with self._news:
            del self._outputs[0][:size]

    def drop_err(self, size: int) -> None:
        """Forget the first ``size`` bytes of standard error."""
        with self._news:
            del self._outputs[1][:size]

    def ended(self) -> bool:
        """Whether both outputs have come to their end."""
        return not any(thread.is_alive() for thread in self._readers)

    def wait(self, seen: int) -> None:
        """Wait a moment for more than the ``seen`` bytes of output that the caller has looked at."""
        with self._news:
            if sum(map(len, self._outputs)) == seen and not self.ended():
                self._news.wait(0.2)

    def send(self, data: bytes) -> None:
        """Send ``data``; a command that ends without reading it all is no error."""
        view = memoryview(data)
        while view:
            try:
                sent = self.raw.send(bytes(view[:CHUNK]))
            except TimeoutError:
                self._check_silence()
                continue
            except OSError:
                return
            if sent == 0:
                return
            view = view[sent:]
            with self._news:
                self._last = time.monotonic()

    def finish(self) -> tuple[int, bytes, bytes]:
        """Close the command's input, and return (exit code, stdout, stderr) when it has ended.

        Raises:
            Dropped: the connection ended first, or nothing came for too long.
        """
        with contextlib.suppress(OSError, EOFError):
            self.raw.shutdown_write()
        while not self.ended():
            with self._news:
                self._news.wait(_TICK)
            if self.raw.exit_status >= 0 and time.monotonic() - self._last > _LINGER:
                break
            self._check_silence()
        while not self.raw.status_event.wait(_TICK):
            self._check_silence()
        if self.raw.exit_status >= 0:
            return self.raw.exit_status, self.out, self.err
        self.transport.join(0.5)  # its thread closes channels just before it says that the connection has ended
        if not self.transport.is_active():
            raise Dropped("the connection was lost while a command ran.")
        return SIGNALLED, self.out, self.err + b"The command was ended by a signal.\n"

    def _check_silence(self) -> None:
        with self._news:
            silent = time.monotonic() - self._last
        if silent > self.timeout:
            raise Dropped(f"the command sent and took nothing for {self.timeout:.0f} seconds.")

    def close(self) -> None:
        """Close the channel."""
        with contextlib.suppress(OSError, EOFError):
            self.raw.close()
