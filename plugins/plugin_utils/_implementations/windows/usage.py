# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who uses this host's SMB and whom it uses: live sessions and connections, and what the event logs counted."""

from __future__ import annotations

import datetime
from typing import Any

from ..._model.answer import document, flag, missing, moment, number, rows, table, text
from ..._model.collected import Collected, SectionError
from ..._model.fact import Fact, FactSet

_AUDIT_LOGS = {
    "microsoft-windows-smbserver/audit": "",
    "microsoft-windows-smbclient/audit": "Microsoft-Windows-SMBClient/Audit",
    "microsoft-windows-smbclient/security": "Microsoft-Windows-SMBClient/Security",
}
"""Log that tells who uses what → object of the fact since when it has been kept; the server's is the host's own."""
_SMB1_ONLY = "NT LM 0.12"
_EVENTS = {
    "smb1": "usage.smb1_client",
    "client_no_signing": "usage.unsigned_client",
    "client_no_encryption": "usage.unencrypted_client",
    "guest": "usage.guest_client",
    "server_no_signing": "usage.unsigned_server",
    "server_no_encryption": "usage.unencrypted_server",
    "guest_servers": "usage.guest_server",
}
"""What the collector counts → fact per client (or server) that was seen."""


def read(collected: Collected, facts: FactSet, errors: list[SectionError]) -> None:
    """Put sessions, connections, event logs and events."""
    _sessions(collected, facts, errors)
    _connections(collected, facts, errors)
    _logs(collected, facts, errors)
    _events(collected, facts, errors)


def _sessions(collected: Collected, facts: FactSet, errors: list[SectionError]) -> None:
    listed, why = table(collected, "windows.sessions")
    for item in listed:
        who = f"{text(item.get('user')) or '?'}@{text(item.get('client')) or '?'}"
        key = facts.unused("usage.session", who)  # one user may hold many
        session = {
            "user": text(item.get("user")),
            "machine": text(item.get("client")),
            "address": text(item.get("client")),
            "dialect": _dialect(item) or "",
            "signing": _protection(item.get("signed")),
            "encryption": _protection(item.get("encrypted")),
            "opens": number(item.get("opens")),
        }
        facts.put("usage.session", Fact(effective=session), key)
        _quality(item, "session", key, facts)
    facts.put("usage.sessions_read", Fact(effective=True) if why is None else Fact(unreadable=why))
    if why is not None:
        _unreadable(("windows.session_dialect", "windows.session_protected"), why, facts)
        errors.append(SectionError("windows.sessions", why))


def _connections(collected: Collected, facts: FactSet, errors: list[SectionError]) -> None:
    listed, why = table(collected, "windows.connections")
    for item in listed:
        server, share = text(item.get("server")) or "?", text(item.get("share")) or "?"
        key = facts.unused("windows.connection_dialect", f"\\\\{server}\\{share}")
        _quality(item, "connection", key, facts)
    if why is not None and not missing(collected, "windows.connections"):  # before Windows 8 nothing tells
        errors.append(SectionError("windows.connections", why))
    if why is not None:
        _unreadable(("windows.connection_dialect", "windows.connection_protected"), why, facts)


def _quality(item: dict[str, Any], kind: str, key: str, facts: FactSet) -> None:
    dialect = _dialect(item)
    fact = Fact(effective=dialect) if dialect else Fact(unreadable="this Windows does not tell the dialect")
    facts.put(f"windows.{kind}_dialect", fact, key)
    signed, encrypted = flag(item.get("signed")), flag(item.get("encrypted"))
    if True in (signed, encrypted):
        fact = Fact(effective=True)
    elif signed is False and encrypted is False:
        fact = Fact(effective=False)
    else:
        fact = Fact(unreadable="this Windows does not tell whether it is signed or encrypted")
    facts.put(f"windows.{kind}_protected", fact, key)


def _dialect(item: dict[str, Any]) -> str:
    """Return ``3.1.1``; SMB 1.0 in all its spellings is ``1.0``."""
    told = text(item.get("dialect")).strip().upper().removeprefix("SMB").strip()
    return "1.0" if told in ("1", _SMB1_ONLY) or told.startswith("1.") else told.lower()


def _protection(value: Any) -> str:
    return {True: "yes", False: "none"}.get(value, "unknown") if isinstance(value, bool) else "unknown"


def _shown(when: datetime.datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _unreadable(fact_ids: tuple[str, ...], why: str, facts: FactSet) -> None:
    """Put one unreadable fact of no object: nothing can be said of every one then."""
    for fact_id in fact_ids:
        facts.put(fact_id, Fact(unreadable=why))


def _logs(collected: Collected, facts: FactSet, errors: list[SectionError]) -> None:
    listed, why = table(collected, "windows.event_logs")
    for item in listed:
        name, size, enabled = text(item.get("name")), number(item.get("size")), flag(item.get("enabled"))
        if not name:
            continue
        silent = "access denied" if item.get("denied") is True else "not told"
        fact = Fact(unreadable=silent) if enabled is None else Fact(configured=enabled)
        facts.put("windows.event_channel_enabled", fact, name)
        fact = Fact(unreadable=silent) if size is None else Fact(configured=size)
        facts.put("windows.event_channel_size", fact, name)
        if name.lower() in _AUDIT_LOGS:
            _kept(item, name, _AUDIT_LOGS[name.lower()], facts)
    refused = [text(item.get("name")) for item in listed if item.get("denied") is True]
    if refused:
        errors.append(SectionError("windows.event_logs", f"access denied: {', '.join(refused)}"))
    if why is not None:
        _unreadable(("windows.event_channel_enabled", "windows.event_channel_size", "usage.audit_since"), why, facts)
        errors.append(SectionError("windows.event_logs", why))


def _kept(item: dict[str, Any], name: str, obj: str, facts: FactSet) -> None:
    """Put since when a log has been kept; one that certainly holds no event tells nothing."""
    oldest = moment(item.get("oldest"))
    if oldest is not None:
        facts.put("usage.audit_since", Fact(effective=_shown(oldest)), obj)
    elif item.get("denied") is True:
        facts.put("usage.audit_since", Fact(unreadable=f"{name}: access denied"), obj)
    elif number(item.get("records")) != 0:
        facts.put("usage.audit_since", Fact(unreadable=f"{name}: its oldest event is not told"), obj)


def _events(collected: Collected, facts: FactSet, errors: list[SectionError]) -> None:
    data, why = document(collected, "windows.events")
    if why is None and not isinstance(data.get("smb1"), list):
        why = "windows.events: the answer is not whole"
    for name, fact_id in _EVENTS.items():
        for item in rows(data.get(name)):
            client = text(item.get("client")) or "?"
            last = moment(item.get("last"))
            value = {
                "count": number(item.get("count")) or 0,
                "last": "" if last is None else _shown(last),
            }
            facts.put(fact_id, Fact(effective=value), client)
    facts.put("usage.events_read", Fact(effective=True) if why is None else Fact(unreadable=why))
    if why is not None:
        errors.append(SectionError("windows.events", why))
