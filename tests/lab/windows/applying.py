# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders carried out on simulated hosts by the interpreter of steps, and what it answers."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import STATELESS, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows

from .definition import Document
from .execution import Exec
from .simulated import SimulatedHost

REMOTE = pathlib.Path(windows.__file__).resolve().parent
CORE = (REMOTE / "core.ps1").read_text(encoding="utf-8")
INTERPRETER = "\n".join((REMOTE / f"{part}.ps1").read_text(encoding="utf-8") for part in windows.APPLY_PARTS)
NONCE = "applying"


@dataclass(frozen=True)
class Answer:
    """What came back. ``steps`` are the data of the records, by id; ``collected`` is None when nothing did."""

    rc: int
    stderr: str = ""
    collected: Collected | None = None
    host: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def states(self) -> list[str]:
        """States of the steps in order."""
        return [str(self.steps[number]["state"]) for number in sorted(self.steps)]

    @property
    def obstacle(self) -> str:
        """Why nothing was done."""
        return str(self.host["obstacle"])


def carry_out(
    host: SimulatedHost,
    order: Order,
    *,
    extra: str = "",
    user: str = "admin",
    sections: Mapping[str, str] | None = None,
    addresses: windows.Addresses | None = None,
) -> Answer:
    """Carry out an order.

    Args:
        host: where.
        order: what.
        extra: text of functions that replace those of the interpreter.
        user: who is connected.
        sections, addresses: of the collector; none, and nothing is collected.
    """
    text = f"{INTERPRETER}\n{extra}"
    return sent(
        host, windows.build_apply(CORE, text, sections or {}, addresses or windows.Addresses(), order, NONCE), user
    )


def confirm(host: SimulatedHost, journal: str, user: str = "admin") -> Answer:
    """Say that a host can still be reached."""
    return sent(host, windows.build_confirm(CORE, INTERPRETER, journal, NONCE), user)


def sent(host: SimulatedHost, script: bytes, user: str) -> Answer:
    """Run a script as the connections do, and return its answer."""
    done = host.run(Exec("winrm", windows.COMMAND, script, user))
    text, errors = done.stdout.decode(), done.stderr.decode()
    if "@@breakwater" not in text or " end@@" not in text:
        return Answer(done.rc, errors)
    collected = windows.read_answer(text, errors, done.rc, NONCE)
    own = collected.get("apply.host")
    assert own is not None, text
    steps = {record.data["id"]: record.data for record in collected.records if record.id == "apply.step"}
    return Answer(done.rc, errors, collected, own.data, steps)


def inverse(steps: Sequence[Step], journal: str = "first") -> tuple[Step, ...]:
    """Return the steps that undo these."""
    undone = [step for step in reversed(steps) if step.kind not in STATELESS]
    return tuple(
        dataclasses.replace(
            step,
            id=number,
            before=step.after,
            after=step.before,
            original=f"{journal}/{step.id}" if step.twin else "",
        )
        for number, step in enumerate(undone, 1)
    )


def dying(point: str, number: str | int = "") -> str:
    """Return the function that ends the process, as by kill -9, at one boundary."""
    return _at_point(point, number, "[Diagnostics.Process]::GetCurrentProcess().Kill()")


def waiting(point: str, number: str | int, seconds: int) -> str:
    """Return the function that waits at one boundary."""
    return _at_point(point, number, f"Start-Sleep -Seconds {seconds}")


def _at_point(point: str, number: str | int, what: str) -> str:
    return (
        "function bw_point([string]$name, [string]$id) {\n"
        f"if ($name -eq '{point}' -and $id -eq '{number}') {{ {what} }}\n"
        "}"
    )


def whole(host: SimulatedHost) -> Document:
    """Return all that a host holds, but for what only the simulation knows and the sign that a reboot is due."""
    found = host.document()
    del found["clock"], found["boots"]
    found["registry"] = {
        key: values for key, values in found["registry"].items() if not key.endswith("\\RebootPending")
    }
    return found


def state_folder(host: SimulatedHost) -> pathlib.Path:
    """Return where the interpreter keeps its journals."""
    return host.directory / "ProgramData" / "Breakwater"
