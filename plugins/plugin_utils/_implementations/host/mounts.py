# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB mounts: what is mounted now, and what fstab asks for. Secrets were cut out on the host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..._model.collected import Collected, Record
from ..._model.fact import Fact, FactSet, Origin
from ..._model.text import visible
from . import cifs_sessions, mount_options, mount_truths
from .mount_truths import Entry

_FSTAB = "/etc/fstab"


def read(collected: Collected, facts: FactSet) -> None:
    """Put ``client.mount`` and ``client.fstab`` facts, one per mount point, and what controls ask of both.

    A table that could not be read is ``client.mounts_read`` or ``client.fstabs_read``.
    """
    live, asked = collected.get("host.mounts"), collected.get("host.fstab")
    sessions = cifs_sessions.read(visible(collected.text("host.cifs_debug")))
    mounted, configured = list(_entries(live)), list(_entries(asked))
    for entry in mounted:
        facts.put("client.mount", Fact(effective=_mount(entry, sessions)), entry.point)
    for entry in configured:
        facts.put("client.fstab", Fact(configured=_mount(entry), origin=Origin("local", _FSTAB)), entry.point)
    unread = None
    for fact_id, record in (("client.mounts_read", live), ("client.fstabs_read", asked)):
        if record is not None and record.unreadable is not None and record.err:
            unread = visible(record.unreadable)
            facts.put(fact_id, Fact(unreadable=unread))
    kernel = str(facts.in_force("host.kernel") or "")
    mount_truths.put(facts, mounted, configured, sessions, kernel, unread)


def unescaped(text: str) -> str:
    """Mount tables write blanks and backslashes as ``\\040``."""
    return visible(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text))


def point(text: str) -> str:
    """Return a mount point of a table as /proc/mounts would name it."""
    return unescaped(text).rstrip("/") or "/"


def _entries(record: Record | None) -> Iterator[Entry]:
    """Yield what a table mounts; a line of fstab without options has the defaults."""
    if record is None or record.unreadable is not None:
        return
    for number, line in enumerate(record.out.split("\n"), 1):
        columns = line.split()
        if len(columns) >= 3:
            options = [unescaped(option) for option in mount_options.split(columns[3] if len(columns) > 3 else "")]
            yield Entry(unescaped(columns[0]), point(columns[1]), visible(columns[2]), tuple(options), number)


def _mount(entry: Entry, sessions: cifs_sessions.Sessions | None = None) -> dict[str, Any]:
    """Return a mount as reports show it and guards look at it: with what its sessions tell, where it is live."""
    options = list(entry.options)
    found = cifs_sessions.of(sessions or {}, entry.source) or cifs_sessions.Session()
    sealed = mount_options.seals(options) or found.encrypted
    return {
        "source": entry.source,
        "type": entry.type,
        "vers": mount_options.last(options, "vers"),
        "sec": mount_options.last(options, "sec"),
        "seal": sealed,
        "sign": sealed or mount_options.signs(options) or found.signed is True,
        "guest": mount_options.guest(options) or found.guest,
        "password_in_options": any(mount_options.name_of(option).startswith("pass") for option in options),
        "options": options,
    }
