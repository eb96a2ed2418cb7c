# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The port between Breakwater and a connection: one command line in, its three outputs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._model.errors import HostError


@dataclass(frozen=True, slots=True)
class Executed:
    """What came back: exit code, and the outputs with surrogate escapes for bytes that are not UTF-8."""

    rc: int
    stdout: str
    stderr: str


Execute = Callable[[str, bytes], Executed]
"""Runs a command line with these bytes on its standard input; raises HostError."""


class PrivilegeRefused(HostError):
    """The host refused ``become``."""

    section = "privilege"
