# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts that a collected answer brought: smb.conf, its includes, the registry's listing. For reader and editor."""

from __future__ import annotations

from ..._model.collected import Collected
from ..._model.text import visible
from .conf import ReadFile, Unreadable

_NO_SUCH = ("no such file", "not found")


def files(collected: Collected) -> ReadFile:
    """Return what gives the text of a collected file; see ``conf.ReadFile``."""
    records = {record.command: record for record in collected.all("samba.file")}

    def content(path: str) -> str | None:
        record = records.get(path)
        if record is None:
            raise Unreadable(f"{visible(path)}: not collected")
        reason = record.unreadable
        if reason is None:
            return record.out
        if any(words in reason.lower() for words in _NO_SUCH):
            return None
        raise Unreadable(visible(reason))

    return content


def registry(collected: Collected) -> str | None:
    """Return the output of ``net conf list``, or None when it was not asked or gave none."""
    record = collected.get("samba.registry")
    return record.out if record is not None and record.unreadable is None else None
