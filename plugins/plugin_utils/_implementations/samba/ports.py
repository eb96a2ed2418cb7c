# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On which ports the running smbd really listens: it opens them when it starts, whatever is written since."""

from __future__ import annotations

import dataclasses

from ..._model.fact import FactSet

TRANSPORTS = "samba.server_smb_transports"
_STANDARD = {"tcp": 445, "nbt": 139}


def effective(host: FactSet, facts: FactSet) -> None:
    """Add to the configured transports what smbd does instead, where its listeners tell; agreement adds nothing."""
    fact = facts.get(TRANSPORTS)
    if fact is None or not isinstance(fact.configured, list) or host.in_force("host.listeners_read") is not True:
        return
    listeners = [item.effective for item in host.objects("host.listener").values()]
    open_ports = {item["port"] for item in listeners if item["proto"] == "tcp" and item["process"] == "smbd"}
    written = {word: _port(word) for word in fact.configured}
    if not open_ports or None in written.values():  # nobody told who owns the sockets, or a word that we do not know
        return
    wanted = {port for port in written.values() if port}
    if open_ports == wanted:
        return
    kept = [word for word, port in written.items() if not port or port in open_ports]
    facts.put(TRANSPORTS, dataclasses.replace(fact, effective=[*kept, *map(str, sorted(open_ports - wanted))]))


def _port(word: str) -> int | None:
    """Return the TCP port of a transport; 0: it is none of TCP's; None: nobody knows such a word."""
    name, _colon, number = word.lower().partition(":")
    if name == "quic":
        return 0
    number = name if name.isdigit() else number
    if name not in _STANDARD and not name.isdigit():
        return None
    return _STANDARD[name] if not number else int(number) if number.isdigit() else None
