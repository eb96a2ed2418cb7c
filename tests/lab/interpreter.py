# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interpreter of steps for Unix, run directly: under any shell here, or inside a host of the embedded fleet."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import subprocess
from collections.abc import Sequence

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import (
    ABSENT,
    Applied,
    Native,
    Order,
    Step,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.applied import applied

REMOTE = pathlib.Path(posix.__file__).resolve().parent
CORE = (REMOTE / "core.sh").read_text(encoding="utf-8")
APPLY = "\n".join((REMOTE / f"{part}.sh").read_text(encoding="utf-8") for part in posix.APPLY_PARTS)
NONCE = "0123456789abcdef"
NO_POINT = "bw_point() { :; }"
SECONDS = 120.0


def replaced(text: str, old: str, new: str) -> str:
    """Return the interpreter with something replaced that must be there."""
    assert old in text, old
    return text.replace(old, new)


def at_point(name: str, what: str, text: str = APPLY) -> str:
    """Return the interpreter that runs a command of the shell at a boundary ("NAME" or "NAME ID")."""
    return replaced(text, NO_POINT, f"bw_point() {{\ncase \"$1 $2 \" in '{name} '*) {what} ;; esac\n}}")


def with_state(folder: pathlib.Path, text: str = APPLY) -> str:
    """Return the interpreter that keeps its state elsewhere."""
    return replaced(text, "bw_state=/var/lib/breakwater\n", f"bw_state='{folder}'\n")


def sha256(data: bytes | None) -> Native:
    """Return what a file step says of a file; nothing there is None."""
    return ABSENT if data is None else Native("sha256", hashlib.sha256(data).hexdigest())


def file_step(path: str | pathlib.Path, old: bytes | None, new: bytes | None, number: int = 1, **other: object) -> Step:
    """Return the step that turns one text of a file into another."""
    content = None if new is None else new.decode("utf-8", "surrogateescape")
    step = Step(number, "file", str(path), before=sha256(old), after=sha256(new), content=content)
    return dataclasses.replace(step, **other)  # type: ignore[arg-type]


def back(steps: Sequence[Step], journal: str) -> tuple[Step, ...]:
    """Return the inverse of steps whose original bytes a journal on the host keeps."""
    undone = [
        dataclasses.replace(
            step,
            before=step.after,
            after=step.before,
            content=None,
            original=f"{journal}/{step.id}" if step.kind == "file" and step.before != ABSENT else "",
        )
        for step in reversed(steps)
        if step.kind not in ("reload", "restart")
    ]
    ends = [step for step in steps if step.kind in ("reload", "restart")]
    return tuple(dataclasses.replace(step, id=at) for at, step in enumerate([*undone, *ends], 1))


def send(order: Order, prefix: Sequence[str] = (), apply: str = APPLY, shell: Sequence[str] = ("/bin/sh",)) -> Applied:
    """Carry out an order and return what became of it; anything on standard error is a fault."""
    done = run(posix.build_apply(CORE, apply, {}, order, NONCE), prefix, shell)
    assert done.stderr == b"", done.stderr
    return applied(answer(done), order)


def confirm(journal: str, prefix: Sequence[str] = (), apply: str = APPLY) -> str:
    """Confirm a change; return why that failed, else ""."""
    done = run(posix.build_confirm(CORE, apply, journal, NONCE), prefix)
    record = answer(done).get("apply.host")
    assert record is not None, done
    return record.err if record.rc else ""


def run(
    script: bytes, prefix: Sequence[str] = (), shell: Sequence[str] = ("/bin/sh",)
) -> subprocess.CompletedProcess[bytes]:
    """Send a script to a shell."""
    return subprocess.run(
        [*prefix, *shell, "-s"], input=script, capture_output=True, check=False, timeout=SECONDS, cwd="/"
    )


def answer(done: subprocess.CompletedProcess[bytes]) -> Collected:
    """Return the document that a shell wrote."""
    return posix.read_answer(
        done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "replace"), done.returncode, NONCE
    )


def states(result: Applied) -> list[str]:
    """Return the state of each step."""
    return [one.state for one in result.results]
