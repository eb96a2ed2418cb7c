# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paramiko library, if it is there, kept from talking to the terminal."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from .._model.text import printable

warnings.filterwarnings("ignore", module=r"paramiko\b.*")  # deprecations of its old ciphers: nothing a user can act on
UNUSABLE = "The Python library paramiko is missing: install it where ansible-core runs (pip install paramiko)."
try:
    import paramiko as _paramiko
except ImportError:
    _paramiko = None  # type: ignore[assignment]
except AttributeError as error:  # old paramiko on new cryptography: about ciphers that were removed
    _paramiko = None  # type: ignore[assignment]
    UNUSABLE = (
        f"The Python library paramiko cannot be used here ({error}): upgrade it (pip install --upgrade paramiko)."
    )
paramiko: Any = _paramiko

# Without a handler, Python prints the tracebacks that paramiko's thread logs.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class Refused(Exception):
    """No connection; ``str`` is one sentence. ``authentication``: the server did not let us in."""

    def __init__(self, message: str, *, authentication: bool = False) -> None:
        self.authentication = authentication
        super().__init__(message)


class Dropped(Exception):
    """The connection ended, or was silent for too long, before the command did; ``str`` is one sentence."""


def reason(error: BaseException) -> str:
    """Return what an exception says, without its full stop: one short printable line, for the text may be the server's."""
    if isinstance(error, TimeoutError):
        return "timed out"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(" ".join(str(text).split())).rstrip(".")[:200]
