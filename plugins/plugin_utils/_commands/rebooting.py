# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rebooting a host in its turn: start it, and wait until another boot of the host answers."""

from __future__ import annotations

from .._model.errors import HostError
from .._model.text import printable
from .._remote import posix, restarting, windows
from .._remote.execution import Executed
from .context import Hands

LONGEST = 600.0
"""Seconds that a host may take to come back."""
PAUSE = 5.0


def reboot(hands: Hands) -> None:
    """Reboot, and return once the host answers again.

    Raises:
        HostError: it could not be started, or the host did not come back in time.
    """
    before = _boot(hands)
    answer = _run(hands, restarting.reboot_script(hands.family))
    if restarting.STARTED not in answer.stdout:
        said = printable(answer.stderr or answer.stdout)[:160]
        raise HostError(
            "The host could not be rebooted",
            seen=said or f"exit code {answer.rc}",
            remedy="reboot it by hand, then audit",
        )
    waited = 0.0
    while waited < LONGEST:
        hands.wait(PAUSE)
        waited += PAUSE
        try:
            hands.reconnect()
            if _boot(hands) != before:
                return
        except HostError:
            continue  # it is down, which is what was asked for
    raise HostError(
        "The host did not come back from its reboot",
        seen=f"no answer of another boot in {LONGEST:.0f} seconds",
        remedy="look at its console, then audit",
    )


def _boot(hands: Hands) -> str:
    answer = _run(hands, restarting.boot_script(hands.family))
    text = answer.stdout.strip()
    if answer.rc != 0 or not text:
        raise HostError("The host did not tell when it was booted", seen=printable(answer.stderr)[:160])
    return text


def _run(hands: Hands, script: bytes) -> Executed:
    return hands.execute(windows.COMMAND if hands.family == "windows" else posix.COMMAND, script)
