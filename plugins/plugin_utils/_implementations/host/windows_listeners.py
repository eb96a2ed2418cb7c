# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens on the ports of SMB on Windows."""

from __future__ import annotations

from typing import Any

from ..._model.answer import number, table, text
from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet
from .listeners import entry, key_of


def read(collected: Collected, facts: FactSet) -> None:
    """Put ``host.listener`` facts, and ``host.listeners_read`` for whether the table is whole."""
    listed, unread = table(collected, "host.listeners")
    found: dict[str, dict[str, Any]] = {}
    for item in listed:
        listener = _listener(item)
        if listener is None:
            unread = unread or "host.listeners: a row without protocol or port"
            continue
        found[key_of(listener)] = listener
    if unread is None and not found:
        unread = "host.listeners: nobody listens, not even RPC on port 135"
    for key, listener in sorted(found.items()):
        facts.put("host.listener", Fact(effective=listener), key)
    facts.put("host.listeners_read", Fact(effective=True) if unread is None else Fact(unreadable=unread))


def _listener(item: dict[str, Any]) -> dict[str, Any] | None:
    proto, port = text(item.get("proto")).lower(), number(item.get("port"))
    if proto not in ("tcp", "udp") or port is None or not 0 < port < 65536:
        return None
    address = text(item.get("address")).strip("[]") or "*"
    return entry(proto, address, port, text(item.get("process")) or None, number(item.get("pid")))
