# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shells that a host's /bin/sh may be."""

from __future__ import annotations

import shutil

import pytest

SHELLS = {
    "dash": ["dash"],
    "busybox ash": ["busybox", "ash"],
    "bash": ["bash"],
    "ksh": ["ksh"],
    "mksh": ["mksh"],
    "zsh as sh": ["zsh", "--emulate", "sh"],
}
_PACKAGE = {"busybox ash": "busybox", "zsh as sh": "zsh"}


def require(name: str) -> list[str]:
    """Return the command of a shell; a test without it is skipped with the way to get it."""
    needs(SHELLS[name][0], _PACKAGE.get(name))
    return SHELLS[name]


def needs(command: str, package: str | None = None) -> None:
    """Skip the test where a command is missing."""
    if shutil.which(command) is None:
        pytest.skip(f"needs {command}: apt-get install {package or command}")
