# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Unix family of hosts: what is sent to ``/bin/sh``, and how its answer is found among whatever surrounds it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from .._model.collected import Collected
from .._model.errors import GarbledAnswer, HostError
from .._model.step import Order
from .._model.text import printable
from . import document, posix_steps
from .execution import PrivilegeRefused

COMMAND = "/bin/sh -s"
"""Reads the collector on its standard input: nothing is written on the host."""

APPLY_PARTS = ("apply", "journal", "files", "registry", "services", "undo")
"""Files of the interpreter of steps beside ``core.sh``, in order."""

MAX_APPLY = 4_000_000
"""Bytes of a script that carries out an order: far above what the largest smb.conf needs."""

_REFUSALS = (
    (r"sudo: .*password is required", "sudo wants a password", "give ansible_become_password, or allow NOPASSWD"),
    (
        r"is not in the sudoers file",
        "the user may not use sudo",
        "add a sudoers rule for the user, or audit without become",
    ),
    (r"not allowed to (execute|run)", "sudo does not allow this user to run a shell", "extend the sudoers rule"),
    (r"must have a tty", "sudo insists on a terminal (requiretty)", "add 'Defaults:USER !requiretty' to sudoers"),
    (r"su: (Authentication failure|incorrect password)", "su refused the password", "check ansible_become_password"),
    (r"sudo: (command )?not found|doas: .*not found", "there is no such become method", "set ansible_become_method"),
)
_STRANGERS = (
    (r"currently not available|nologin", "the account has no login shell", "use an account that may log in"),
    (
        r"is not recognized as|CommandNotFoundException|Microsoft Windows",
        "this is a Windows shell",
        "remove the host, or set its connection",
    ),
    (r"(/bin/sh|sh): (not found|No such file)", "the host has no /bin/sh", "audit it from the wire instead"),
)


def build_script(core: str, sections: Mapping[str, str], nonce: str) -> bytes:
    """Return the whole script: core, sections, and the call of ``bw_main`` as its last line, which
    ends in a word that a script cut off there does not have.

    Comments and indentation of full lines are left out; a line that begins with ``#`` is always a comment in these
    files.
    """
    return _sent([core, *sections.values()], [_call(nonce, sections)])


def build_apply(core: str, apply: str, sections: Mapping[str, str], order: Order, nonce: str) -> bytes:
    """Return the script that carries out an order and then collects: the interpreter is the first section.

    Where the order carries an undo, the script that the host keeps for it travels as data: core, interpreter and the
    inverse steps once more.

    Args:
        core: text of ``core.sh``.
        apply: texts of the files of ``APPLY_PARTS``, one after the other.
        sections: of the collector; none, and nothing is collected.
        order: what to do.
        nonce: of the markers around the answer.

    Raises:
        ValueError: a step is none that the interpreter knows, or the script is too long.
    """
    data = posix_steps.functions(order)
    checksum = ""
    if order.undo and not order.dry:
        undo = _undo(core, apply, order)
        checksum = hashlib.sha256(undo).hexdigest()
        data += posix_steps.content("undo", undo)
    data.append(f"bw_o_undo={checksum}")
    script = _sent([core, apply, *sections.values()], [*data, _call(nonce, ["apply", *sections])])
    if len(script) > MAX_APPLY:
        raise ValueError(f"the script has {len(script)} bytes, and {MAX_APPLY} are too many to send at once")
    return script


def build_confirm(core: str, apply: str, journal: str, nonce: str) -> bytes:
    """Return the script that says that a host can still be reached: its armed undo is taken away.

    Raises:
        ValueError: that is no id of a journal.
    """
    data = posix_steps.functions(Order(journal, ()))
    return _sent([core, apply], [*data, _call(nonce, ["confirm"])])


def _undo(core: str, apply: str, order: Order) -> bytes:
    data = posix_steps.functions(Order(order.journal, order.undo, keep=order.keep))
    return _sent([core, apply], [*data, "bw_o_undo=", 'bw_undo "$@"'])


def _call(nonce: str, sections: Iterable[str]) -> str:
    return f"bw_main {nonce} {' '.join(sections)} end"


def _sent(texts: Iterable[str], data: Iterable[str]) -> bytes:
    """Return the lines of programs without comments and indentation, and behind them data as it is."""
    lines = (line.strip() for line in "\n".join(texts).split("\n"))
    kept = [line for line in lines if line and not line.startswith("#")]
    return ("\n".join([*kept, *data]) + "\n").encode()


def read_answer(stdout: str, stderr: str, rc: int, nonce: str) -> Collected:
    """Return what the collector brought back.

    Raises:
        PrivilegeRefused: sudo, su or doas said no.
        GarbledAnswer: there is no whole document.
    """
    if not document.begins(stdout, nonce):
        raise _no_answer(stdout, stderr, rc)
    body = document.between(stdout, nonce).replace("\r\n", "\n")
    return document.decode(body, "unix", "every shell")


def _no_answer(stdout: str, stderr: str, rc: int) -> HostError:
    said = f"{stderr}\n{stdout}"
    for pattern, seen, remedy in _REFUSALS:
        if re.search(pattern, said, re.IGNORECASE):
            return PrivilegeRefused("Cannot become the privileged user", seen=seen, remedy=remedy)
    for pattern, seen, remedy in _STRANGERS:
        if re.search(pattern, said, re.IGNORECASE):
            return GarbledAnswer("The collector did not run", seen=seen, remedy=remedy)
    last = [line for line in said.split("\n") if line.strip()][-1:] or ["nothing"]
    return GarbledAnswer(
        "The collector did not run",
        seen=f"exit code {rc}, {printable(last[0])[:160]}",
        remedy="see what 'echo hello | /bin/sh -s' does on the host",
    )
