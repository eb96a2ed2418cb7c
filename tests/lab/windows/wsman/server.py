# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A WS-Management server on loopback that behaves as WinRM does, in front of a function that runs commands.

    with WsmanServer(run, {"admin": "secret"}, tls=authority.issue()) as server:
        server.port, server.stats, server.executed

It serves the command shell and PowerShell remoting, over HTTP (where messages must be encrypted by the security context,
as Windows demands) or HTTPS, to Basic, NTLM, Negotiate and Kerberos, each request ``latency`` seconds late, with whatever
``faults`` are wanted. Every thread is gone at the end of the ``with`` block.
"""

from __future__ import annotations

import contextlib
import hashlib
import pathlib
import shutil
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping

from ..execution import Exec, Result
from . import auth, envelope, faults, psrp
from .auth import Gate, Scheme
from .certificates import Certificate
from .connection import Connection
from .envelope import Message, Refused
from .faults import Fault, Plan
from .shell import CmdShell, Shell
from .stats import Stats, Tally
from .wire import Wire

__all__ = ["Fault", "Stats", "WsmanServer"]
_ALL: frozenset[Scheme] = frozenset(("basic", "negotiate", "kerberos"))
_LONGEST_END = 20.0


class WsmanServer:
    """The server; see the module's text.

    Args:
        run: runs a command; called in threads.
        users: passwords by name.
        tls: serve HTTPS with this certificate instead of HTTP.
        schemes: what authentication is offered, see ``auth.Gate``.
        refused: users that may authenticate, but are neither administrators nor remote management users.
        latency: seconds that every answer waits, as a round trip would.
        faults: see ``faults``.
        acceptor: environment for the Kerberos library (see ``tests.lab.kdc``).
        paced: give out the opening of a runspace pool, and the end of a command, in a Receive of its own. Real hosts do
            so when they find the time; it costs a request each.
        largest_request: MaxEnvelopeSizekb in bytes: 512000, or 153600 on Windows 7 and 2008 R2.
        remoting: version of PowerShell's remoting protocol: 2.3 since PowerShell 5, 2.2 in 3 and 4, 2.1 in 2.
        allow_unencrypted: AllowUnencrypted of the service.
    """

    def __init__(
        self,
        run: Callable[[Exec], Result],
        users: Mapping[str, str],
        *,
        tls: Certificate | None = None,
        schemes: Collection[Scheme] = _ALL,
        refused: Collection[str] = (),
        latency: float = 0.0,
        faults: Iterable[Fault] = (),
        acceptor: Mapping[str, str] | None = None,
        paced: bool = False,
        largest_request: int = 512_000,
        remoting: str = "2.3",
        allow_unencrypted: bool = False,
    ) -> None:
        self._run = run
        self.tls = tls
        self.latency = latency
        self.paced = paced
        self.largest_request = largest_request
        self.remoting = remoting
        self.allow_unencrypted = allow_unencrypted
        self.executed: list[Exec] = []
        self.plan = Plan(faults)
        self.tally = Tally()
        self._refused = {name.lower() for name in refused}
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="lab-wsman-"))
        digest = hashlib.sha256(tls.der).digest() if tls else b""
        self.gate = Gate(users, frozenset(schemes), self._folder, acceptor, digest)
        self._shells: dict[str, tuple[Shell, str]] = {}
        self._lock = threading.Lock()
        self._wires: set[Wire] = set()
        self._threads: set[threading.Thread] = set()
        self._closing = False
        self._failures: list[Exception] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> WsmanServer:
        context = self.tls.context() if self.tls else None
        threading.Thread(target=self._accept, args=(context,), name="wsman-listener", daemon=True).start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            shells, self._shells = list(self._shells.values()), {}
            wires, threads = list(self._wires), list(self._threads)
        for shell, _user in shells:
            shell.end()
        for wire in wires:
            wire.wake()
        deadline = time.monotonic() + _LONGEST_END
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._failures:
            raise self._failures[0]

    @property
    def stats(self) -> Stats:
        """Return what was counted so far."""
        return self.tally.read()

    def inject(self, *faults: Fault) -> None:
        """Replace the faults that are still to come."""
        self.plan = Plan(faults)

    def serve(self, message: Message, user: str, fault: Fault | None) -> str:
        """Carry out an operation and return the body of its answer.

        Raises:
            Refused: it ends with a fault.
        """
        if fault is not None and fault.what in faults.PROBLEMS:
            if fault.what == "operation-timeout" and message.operation == "Send":
                self._shell(message, user).send(message)
            raise Refused(faults.PROBLEMS[fault.what][1])
        if message.action == f"{envelope.TRANSFER}/Create":
            return self._create(message, user)
        shell = self._shell(message, user)
        if message.action == f"{envelope.TRANSFER}/Delete":
            with self._lock:
                self._shells.pop(message.shell_id, None)
            shell.end()
            return ""
        operations: dict[str, Callable[[], str]] = {
            "Command": lambda: shell.command(message, fault),
            "Send": lambda: shell.send(message),
            "Receive": lambda: shell.receive(message),
            "Signal": lambda: shell.signal(message),
        }
        if not message.action.startswith(f"{envelope.SHELL}/") or message.operation not in operations:
            raise Refused(envelope.NOT_SUPPORTED)
        return operations[message.operation]()

    def execute(self, ask: Exec, fault: Fault | None) -> Result:
        """Run a command, and let its output suffer the fault it has."""
        self.tally.add(executions=1)
        with self._lock:
            self.executed.append(ask)
            self._threads.add(threading.current_thread())
        try:
            if fault is not None and fault.what == "late":
                ask.ended.wait(fault.seconds)
            result = self._run(ask)
        except Exception as error:  # noqa: BLE001 - the end of the `with` block says it, clients must not hang
            self._failures.append(error)
            result = Result(stderr=f"The lab failed: {error}\r\n".encode(), rc=255)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
        return result if fault is None else faults.spoil(fault, result)

    def _create(self, message: Message, user: str) -> str:
        if user.lower() in self._refused:
            raise Refused(envelope.ACCESS_DENIED)
        shell: Shell
        if message.resource == envelope.CMD:
            name, shell = str(uuid.uuid4()).upper(), CmdShell(self.execute, user, self.paced)
        elif message.resource.startswith(psrp.RESOURCE):
            wanted = message.find("rsp:Shell")
            name = str(uuid.UUID("" if wanted is None else wanted.get("ShellId", str(uuid.uuid4())))).upper()
            shell = psrp.PsrpShell(self.execute, user, self.paced, self.remoting, message)
        else:
            raise Refused(envelope.NOT_SUPPORTED)
        with self._lock:
            self._shells[name] = (shell, user)
        return envelope.created(message, name, user)

    def _shell(self, message: Message, user: str) -> Shell:
        with self._lock:
            found = self._shells.get(message.shell_id)
        if found is None:
            raise Refused(envelope.NO_SHELL)
        if found[1] != user:
            raise Refused(envelope.ACCESS_DENIED)
        return found[0]

    def _accept(self, context: object) -> None:
        while not self._closing:
            try:
                accepted, _address = self._listener.accept()
            except OSError:
                return
            self.tally.add(connections=1)
            thread = threading.Thread(target=self._serve, args=(accepted, context), name="wsman", daemon=True)
            with self._lock:
                self._threads.add(thread)
            thread.start()

    def _serve(self, accepted: socket.socket, context: object) -> None:
        wire = Wire(accepted, self.tally, context)  # type: ignore[arg-type]
        with self._lock:
            self._wires.add(wire)
        try:
            Connection(self, wire, auth.Session(self.gate)).serve()
        finally:
            with self._lock:
                self._wires.discard(wire)
                self._threads.discard(threading.current_thread())
