# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong between a controller and a Windows host, to be made on purpose.

    Fault("drop", operation="Receive")          the first Receive gets no answer, the connection is reset
    Fault("unauthorized", nth=3)                the third request of any kind is answered 401
    Fault("progress")                           the first command writes progress records to standard error

Kinds, by where they act:

* the connection: ``drop`` (reset; the operation does not happen), ``drop-after`` (it happens, its answer is lost),
  ``cut`` (half an answer, then the end), ``garbage`` (not HTTP), ``unavailable`` (503), ``unauthorized`` (401),
  ``slow`` (the answer comes ``seconds`` late)
* the operation: ``operation-timeout`` (a Send is carried out nevertheless, as on Windows), ``shell-quota``,
  ``operation-quota``, ``access-denied``, ``shell-gone``
* what a command says: ``truncated`` (the second half is missing), ``progress`` (CLIXML around what it wrote to standard
  error), ``banner`` (text in code page 437 before the output), ``endless`` (``size`` bytes of output), ``late`` (it takes
  ``seconds``, so that Receive times out)
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ..execution import Result
from . import envelope
from .envelope import Problem

What = Literal[
    "drop",
    "drop-after",
    "cut",
    "garbage",
    "unavailable",
    "unauthorized",
    "slow",
    "operation-timeout",
    "shell-quota",
    "operation-quota",
    "access-denied",
    "shell-gone",
    "truncated",
    "progress",
    "banner",
    "endless",
    "late",
]
PROBLEMS: dict[str, tuple[str, Problem]] = {
    "operation-timeout": ("Receive", envelope.TIMED_OUT),
    "shell-quota": ("Create", envelope.TOO_MANY_SHELLS),
    "operation-quota": ("Command", envelope.TOO_MANY_OPERATIONS),
    "access-denied": ("Create", envelope.ACCESS_DENIED),
    "shell-gone": ("Receive", envelope.NO_SHELL),
}
OF_OUTPUT = frozenset(("truncated", "progress", "banner", "endless", "late"))
GARBAGE = b"\x00\x01SSH-2.0-not-what-you-expect\r\n\x80\x81\x82\r\n\r\n"
BANNER = "Für Prüfer: Größe 50 % ÄÖÜ ░▒▓\r\n".encode("cp437")
_OBJECTS = "http://schemas.microsoft.com/powershell/2004/04"
_PROGRESS = (
    '<Obj S="progress" RefId="{number}"><TN RefId="{number}"><T>System.Management.Automation.PSCustomObject</T><T>System.Object'
    '</T></TN><MS><I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil /><PI>-1</PI>'
    "<PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj>"
)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong; see the text of this module.

    Attributes:
        what: its kind.
        operation: with which operation (``Authenticate``, ``Create``, ``Command``, ``Send``, ``Receive``, ``Signal``,
            ``Delete``); empty: the one it belongs to, or any.
        nth: with the how-manieth of these.
        times: how often from then on; 0: always.
    """

    what: What
    operation: str = ""
    nth: int = 1
    times: int = 1
    seconds: float = 1.0
    size: int = 4_000_000

    @property
    def at(self) -> str:
        """Return the operation, or nothing for any."""
        if self.operation:
            return self.operation
        if self.what in OF_OUTPUT:
            return "Command"
        return PROBLEMS[self.what][0] if self.what in PROBLEMS else ""


class Plan:
    """Which faults are still to come."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._counts = [0] * len(self._faults)

    def pick(self, operation: str) -> Fault | None:
        """Return the fault of this request, if it has one; called once per request."""
        found = None
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.at not in ("", operation):
                    continue
                self._counts[index] += 1
                late = self._counts[index] - fault.nth
                if found is None and late >= 0 and (fault.times == 0 or late < fault.times):
                    found = fault
        return found


def spoil(fault: Fault, result: Result) -> Result:
    """Return what a command says with the fault."""
    if fault.what == "truncated":
        return replace(result, stdout=result.stdout[: len(result.stdout) // 2])
    if fault.what == "banner":
        return replace(result, stdout=BANNER + result.stdout)
    if fault.what == "endless":
        line = b"the answer never ends 0123456789 abcdefghijklmnopqrstuvwxyz\r\n"
        return replace(result, stdout=line * (fault.size // len(line)))
    if fault.what == "progress":
        return replace(result, stderr=progress(0) + result.stderr + progress(1))
    return result


def progress(number: int) -> bytes:
    """Return a progress record as PowerShell writes it to standard error."""
    record = _PROGRESS.format(number=number)
    return f'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="{_OBJECTS}">{record}</Objs>'.encode()
