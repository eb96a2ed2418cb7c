# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every command is told about where and when it runs."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from .._model.collected import Family
from .._remote.execution import Execute


@dataclass(frozen=True, slots=True)
class Context:
    """The world of a command, handed in so that a test can hand in another.

    Attributes:
        results: directory that holds the run directories.
        ansible_version: version of ansible-core.
        now: the clock; timezone-aware UTC.
        show: prints one line to the user.
        warn: prints one warning to the user.
    """

    results: pathlib.Path
    ansible_version: str
    now: Callable[[], datetime.datetime]
    show: Callable[[str], None]
    warn: Callable[[str], None]

    def timestamp(self) -> str:
        """Return the time as ``2026-11-24T00:12:31Z``."""
        return self.now().astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Hands:
    """What reaches a host.

    Attributes:
        execute: one execution.
        reconnect: closes the connection; the next execution comes through a new one. Raises HostError.
        wait: sleeps for some seconds. Raises HostError when the task's time is over.
        family: which kind of shell is there.
    """

    execute: Execute
    reconnect: Callable[[], None]
    wait: Callable[[float], None]
    family: Family = "unix"
