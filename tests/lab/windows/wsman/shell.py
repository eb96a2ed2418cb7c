# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command shell, [MS-WSMV] 3.1.4.5 to 3.1.4.14: cmd.exe with standard input, output and error."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Callable
from typing import Protocol

from ..execution import Exec, Result
from . import envelope
from .envelope import Message, Refused
from .faults import Fault

Run = Callable[[Exec, "Fault | None"], Result]
LONGEST_COMMAND_LINE = 8191
_DONE = f"{envelope.SHELL}/CommandState/Done"
_RUNNING = f"{envelope.SHELL}/CommandState/Running"


class Shell(Protocol):
    """What Create makes: both kinds of shell answer these, with the body of the answer."""

    def command(self, message: Message, fault: Fault | None) -> str: ...
    def send(self, message: Message) -> str: ...
    def receive(self, message: Message) -> str: ...
    def signal(self, message: Message) -> str: ...
    def end(self) -> None: ...


class _Command:
    """One command line and its three streams."""

    def __init__(self, shell: CmdShell, line: str, fault: Fault | None) -> None:
        self._shell = shell
        self._line = line
        self._fault = fault
        self._stdin = bytearray()
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self._streams = {"stdout": b"", "stderr": b""}
        self._rc: int | None = None
        self._told = False
        self.started = False

    def start(self) -> None:
        """Run it; what it can read is what was sent so far."""
        self.started = True
        threading.Thread(target=self._work, name="wsman-command", daemon=True).start()

    def feed(self, data: bytes, last: bool) -> None:
        """Take standard input; the command runs when it has ended."""
        self._stdin += data
        if last and not self.started:
            self.start()

    def end(self) -> None:
        """Stop it."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()

    def take(self, room: int, timeout: float) -> tuple[dict[str, bytes], int | None]:
        """Wait for output; return what fits, and the exit code when nothing is left.

        Raises:
            Refused: there was none in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._rc is not None or self._ended.is_set(), timeout):
                raise Refused(envelope.TIMED_OUT)
            if self._ended.is_set():
                raise Refused(envelope.NO_COMMAND)
            taken = {}
            for name, data in self._streams.items():
                taken[name], self._streams[name] = data[:room], data[room:]
                room -= len(taken[name])
            said = any(taken.values())
            left = any(self._streams.values()) or (said and self._shell.paced)
            return taken, None if left else self._rc

    def _work(self) -> None:
        if len(self._line) > LONGEST_COMMAND_LINE:
            result = Result(stderr=b"The command line is too long.\r\n", rc=1)
        else:
            ask = Exec("winrm", self._line, bytes(self._stdin), self._shell.user, self._ended)
            result = self._shell.run(ask, self._fault)
        with self._changed:
            self._streams = {"stdout": result.stdout, "stderr": result.stderr}
            self._rc = result.rc
            self._changed.notify_all()


class CmdShell:
    """A shell of one user. ``paced``: the end of a command comes in a Receive of its own."""

    def __init__(self, run: Run, user: str, paced: bool) -> None:
        self.run, self.user, self.paced = run, user, paced
        self._commands: dict[str, _Command] = {}

    def command(self, message: Message, fault: Fault | None) -> str:
        """Start a command line, or prepare it where standard input will follow."""
        line = " ".join(
            one.text or "" for one in message.body.iterfind("rsp:CommandLine/*", envelope.NAMES) if one.text
        )
        command = _Command(self, line, fault)
        name = str(uuid.uuid4()).upper()
        self._commands[name] = command
        if message.options.get("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() == "TRUE":
            command.start()
        return f"<rsp:CommandResponse><rsp:CommandId>{name}</rsp:CommandId></rsp:CommandResponse>"

    def send(self, message: Message) -> str:
        """Take a piece of standard input."""
        for stream in message.body.iterfind("rsp:Send/rsp:Stream", envelope.NAMES):
            command = self._find(stream.get("CommandId"))
            command.feed(base64.b64decode(stream.text or ""), stream.get("End", "").lower() == "true")
        return "<rsp:SendResponse/>"

    def receive(self, message: Message) -> str:
        """Wait for output."""
        desired = message.find("rsp:Receive/rsp:DesiredStream")
        name = "" if desired is None else desired.get("CommandId", "").upper()
        taken, rc = self._find(name).take(message.room, message.timeout)
        streams = "".join(
            f'<rsp:Stream Name="{stream}" CommandId="{name}">{base64.b64encode(data).decode()}</rsp:Stream>'
            for stream, data in taken.items()
            if data
        )
        if rc is None:
            state = f'<rsp:CommandState CommandId="{name}" State="{_RUNNING}"/>'
        else:
            streams += "".join(
                f'<rsp:Stream Name="{stream}" CommandId="{name}" End="true"></rsp:Stream>' for stream in taken
            )
            state = (
                f'<rsp:CommandState CommandId="{name}" State="{_DONE}"><rsp:ExitCode>{rc}</rsp:ExitCode>'
                "</rsp:CommandState>"
            )
        return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"

    def signal(self, message: Message) -> str:
        """End a command."""
        signal = message.find("rsp:Signal")
        name = "" if signal is None else signal.get("CommandId", "").upper()
        self._find(name).end()
        del self._commands[name]
        return "<rsp:SignalResponse/>"

    def end(self) -> None:
        """End every command."""
        for command in list(self._commands.values()):
            command.end()

    def _find(self, name: str | None) -> _Command:
        try:
            return self._commands[(name or "").upper()]
        except KeyError:
            raise Refused(envelope.NO_COMMAND) from None
