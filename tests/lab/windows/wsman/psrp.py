# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PowerShell remoting over WS-Management, [MS-PSRP] 3.2: runspace pools and pipelines. psrpcore does the messages."""

from __future__ import annotations

import base64
import struct
import threading
import uuid
import xml.etree.ElementTree as ET
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

import psrpcore
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    HostMethodIdentifier,
    NETException,
    ProgressRecordType,
    PSVersion,
)

from ..execution import Exec, Result
from . import envelope
from .envelope import Message, Refused
from .faults import Fault
from .shell import Run

RESOURCE = "http://schemas.microsoft.com/powershell/"
_FRAGMENT = 32768
_LENGTH_AT = 17  # after object id, fragment id and flags
_DONE = f"{envelope.SHELL}/CommandState/Done"
_CREATION = ".//{http://schemas.microsoft.com/powershell}creationXml"
_CLIXML = "{http://schemas.microsoft.com/powershell/2004/04}"


class _Pipeline:
    """One script: it runs when its input has ended."""

    def __init__(self, pool: psrpcore.ServerRunspacePool, name: uuid.UUID, fault: Fault | None) -> None:
        self.server = psrpcore.ServerPipeline(pool, name)
        self.fault = fault
        self.script = ""
        self.input: list[str] = []
        self.ended = threading.Event()
        self.finished = False


class PsrpShell:
    """A runspace pool. ``paced``: its opening and the end of a pipeline come in Receives of their own, as from Windows."""

    def __init__(self, run: Run, user: str, paced: bool, version: str, message: Message) -> None:
        self._run, self._user, self._paced = run, user, paced
        self._pool = psrpcore.ServerRunspacePool()
        self._pool.our_capability.protocolversion = PSVersion(version)
        self._pipelines: dict[uuid.UUID, _Pipeline] = {}
        self._ready: dict[uuid.UUID | None, deque[bytes]] = defaultdict(deque)
        self._changed = threading.Condition()
        self._over = False
        creation = message.body.find(_CREATION)
        if creation is None:
            raise Refused(envelope.NOT_SUPPORTED)
        self._feed(base64.b64decode(creation.text or ""), None)

    def command(self, message: Message, fault: Fault | None) -> str:
        """Make a pipeline; its first fragment is the argument."""
        line = message.find("rsp:CommandLine")
        name = uuid.UUID("" if line is None else line.get("CommandId", ""))
        first = message.body.findtext("rsp:CommandLine/rsp:Arguments", "", envelope.NAMES)
        with self._changed:
            self._pipelines[name] = _Pipeline(self._pool, name, fault)
        self._feed(base64.b64decode(first), name)
        return f"<rsp:CommandResponse><rsp:CommandId>{str(name).upper()}</rsp:CommandId></rsp:CommandResponse>"

    def send(self, message: Message) -> str:
        """Take fragments: more of a pipeline, its input, or what concerns the pool."""
        for stream in message.body.iterfind("rsp:Send/rsp:Stream", envelope.NAMES):
            self._feed(base64.b64decode(stream.text or ""), self._name(stream.get("CommandId")))
        return "<rsp:SendResponse/>"

    def receive(self, message: Message) -> str:
        """Wait for fragments of the pool or of one pipeline."""
        desired = message.find("rsp:Receive/rsp:DesiredStream")
        name = self._name(None if desired is None else desired.get("CommandId"))
        with self._changed:
            if not self._changed.wait_for(lambda: self._ready[name] or self._over, message.timeout):
                raise Refused(envelope.TIMED_OUT)
            if self._over:
                raise Refused(envelope.NO_SHELL)
            fragments = self._take(name, message.room)
            done = name is not None and not self._ready[name] and self._pipelines[name].finished
        of = f' CommandId="{str(name).upper()}"' if name else ""
        streams = "".join(
            f'<rsp:Stream Name="stdout"{of}>{base64.b64encode(one).decode()}</rsp:Stream>' for one in fragments
        )
        state = f'<rsp:CommandState{of} State="{_DONE}"></rsp:CommandState>' if done else ""
        return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"

    def signal(self, message: Message) -> str:
        """Stop a pipeline; also how a client says that it is done with one."""
        signal = message.find("rsp:Signal")
        name = self._name(None if signal is None else signal.get("CommandId"))
        with self._changed:
            if name is None or name not in self._pipelines:
                raise Refused(envelope.NO_COMMAND)
            pipeline = self._pipelines.pop(name)
            pipeline.ended.set()
            self._ready.pop(name, None)
            self._pool.pipeline_table.pop(name, None)
        return "<rsp:SignalResponse/>"

    def end(self) -> None:
        """Stop everything."""
        with self._changed:
            self._over = True
            for pipeline in self._pipelines.values():
                pipeline.ended.set()
            self._changed.notify_all()

    def _take(self, name: uuid.UUID | None, room: int) -> list[bytes]:
        ready, taken = self._ready[name], [self._ready[name].popleft()]
        room -= len(taken[0])
        while ready and len(ready[0]) <= room and not (self._paced and len(ready) == 1):
            room -= len(ready[0])
            taken.append(ready.popleft())
        return taken

    def _name(self, text: str | None) -> uuid.UUID | None:
        if not text:
            return None
        name = uuid.UUID(text)
        if name not in self._pipelines:
            raise Refused(envelope.NO_COMMAND)
        return name

    def _feed(self, data: bytes, name: uuid.UUID | None) -> None:
        with self._changed:
            self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, name))
            while (event := self._pool.next_event()) is not None:
                self._react(event)
            self._flush()

    def _react(self, event: psrpcore.PSRPEvent[Any, Any]) -> None:
        pipeline = self._pipelines.get(event.pipeline_id) if event.pipeline_id else None
        if pipeline is None:
            return
        if isinstance(event, psrpcore.CreatePipelineEvent):
            metadata = event.pipeline
            pipeline.script = "\n".join(str(command.command_text) for command in metadata.commands)
            if metadata.no_input:
                self._start(pipeline)
        elif isinstance(event, psrpcore.PipelineInputEvent):
            pipeline.input.append(str(event.data))
        elif isinstance(event, psrpcore.EndOfPipelineInputEvent):
            self._start(pipeline)

    def _start(self, pipeline: _Pipeline) -> None:
        threading.Thread(target=self._work, args=(pipeline,), name="wsman-pipeline", daemon=True).start()

    def _work(self, pipeline: _Pipeline) -> None:
        stdin = "".join(f"{line}\n" for line in pipeline.input).encode()
        ask = Exec("psrp", pipeline.script, stdin, self._user, pipeline.ended)
        result = self._run(ask, pipeline.fault)
        with self._changed:
            if pipeline.ended.is_set():
                return
            pipeline.server.start()
            _write(pipeline.server, result)
            pipeline.server.complete()
            pipeline.finished = True
            self._flush()

    def _flush(self) -> None:
        while (payload := self._pool.data_to_send(_FRAGMENT)) is not None:
            self._ready[payload.pipeline_id] += _fragments(payload.data)
        self._changed.notify_all()


def _fragments(data: bytes) -> Iterator[bytes]:
    """Return each fragment by itself ([MS-PSRP] 2.2.4), as Windows hands them out."""
    while data:
        (length,) = struct.unpack_from(">I", data, _LENGTH_AT)
        end = _LENGTH_AT + 4 + length
        yield data[:end]
        data = data[end:]


def _write(pipeline: psrpcore.ServerPipeline, result: Result) -> None:
    """Give out what a script wrote: a string per line, error records, and the exit code through the client's host."""
    for line in result.stdout.decode("utf-8", "replace").splitlines():
        pipeline.write_output(line)
    errors, records = _errors(result.stderr.decode("utf-8", "replace"))
    for activity in records:
        pipeline.write_progress(activity, 0, " ", record_type=ProgressRecordType.Completed)
    for text in errors:
        pipeline.write_error(
            NETException(Message=text, HResult=-2146233087),
            ErrorCategoryInfo(Category=ErrorCategory.NotSpecified, Reason="RuntimeException"),
            fully_qualified_error_id="RuntimeException",
        )
    if result.rc:
        pipeline.host_call(HostMethodIdentifier.SetShouldExit, [result.rc])


def _errors(text: str) -> tuple[list[str], list[str]]:
    """Return error texts and activities of progress records in what was written to standard error."""
    errors, activities = [], []
    for piece in text.split("#< CLIXML"):
        start, end = piece.find("<Objs"), piece.rfind("</Objs>") + len("</Objs>")
        if start < 0 or end < start:
            errors.append(piece.strip())
            continue
        errors.append(piece[end:].strip())
        root = ET.fromstring(piece[start:end])
        errors.append("".join(one.text or "" for one in root.iter(f"{_CLIXML}S") if one.get("S") == "Error"))
        activities += [one.text or "" for one in root.iter(f"{_CLIXML}AV")]
    return [one.replace("_x000D__x000A_", "\n") for one in errors if one], activities
