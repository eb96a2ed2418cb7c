# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host's answer, given again without PowerShell: for tests of what happens on the way."""

from __future__ import annotations

import base64
import re

from .execution import Exec, Result

_CALL = re.compile(rb"^bw_main '(\w+)' ", re.MULTILINE)


class Replayed:
    """Answers the collector with what a host once answered, under the nonce of the script that is sent.

    Args:
        first: what a host answered to the collector.
        nonce: under which nonce.
    """

    def __init__(self, first: Result, nonce: str) -> None:
        self._first, self._nonce = first, nonce.encode()

    def run(self, execution: Exec) -> Result:
        """Return the answer; anything but the collector is a mistake of the test."""
        asked = nonce_of(execution)
        return Result(self._first.stdout.replace(self._nonce, asked.encode()), self._first.stderr, self._first.rc)


def nonce_of(execution: Exec) -> str:
    """Return the nonce of the collector that an execution carries."""
    found = _CALL.search(base64.b64decode(execution.stdin))
    if found is None:
        raise ValueError("this is not the collector")
    return found[1].decode()
