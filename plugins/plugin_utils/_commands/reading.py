# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a collected answer to facts: which readers a host needs, in which order."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

from .._firewall.read import read as read_firewall
from .._implementations.host.read import read as read_host
from .._implementations.host.windows import read as read_windows_host
from .._implementations.samba.read import read as read_samba
from .._implementations.windows.read import read as read_windows
from .._model.collected import Collected, Reading, SectionError
from .._patch.windows import read as read_patches
from . import catalogue

Readers = Mapping[str, Callable[[], Reading]]


def read(collected: Collected, today: datetime.date) -> Reading:
    """Make facts of an answer. A reader that fails costs its own section, and says so."""
    reading = Reading()
    readers = _windows if collected.family == "windows" else _unix
    for name, reader in readers(collected, reading, today).items():
        try:
            reading.merge(reader())
        except Exception as error:  # one broken section must never lose the others
            reason = f"the reader of section {name} failed on this host's answer ({type(error).__name__}: {error})"
            reading.errors.append(SectionError("reader", f"{reason}; please report it with the host's record"))
    return reading


def _unix(collected: Collected, reading: Reading, today: datetime.date) -> Readers:
    return {
        "host": lambda: read_host(collected),
        "samba": lambda: read_samba(collected, catalogue.settings("samba"), reading.facts, today),
    }


def _windows(collected: Collected, reading: Reading, today: datetime.date) -> Readers:
    return {
        "host": lambda: read_windows_host(collected, today),
        "windows": lambda: read_windows(collected, catalogue.settings("windows"), reading.facts, today),
        "firewall": lambda: read_firewall(collected, reading.facts),
        "patch": lambda: _patches(reading, today),
    }


def _patches(reading: Reading, today: datetime.date) -> Reading:
    """Compare the build with what Microsoft has published since."""
    found = reading.implementations[0] if reading.implementations else None
    if found is None:
        return Reading()
    facts = reading.facts
    system = facts.get("host.os")
    unread = facts.get("host.updates_read")
    updates = {name: fact.effective for name, fact in facts.objects("host.update").items()}
    pending = facts.get("host.pending_reboot")
    return Reading(
        facts=read_patches(
            found.version,
            found.traits,
            system.configured if system else None,
            None if unread is None or unread.unreadable is not None else updates,
            catalogue.advisories(),
            today,
            pending.effective if pending else None,
        )
    )
