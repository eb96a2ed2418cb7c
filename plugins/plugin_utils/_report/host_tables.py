# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's page shows beside its findings: listeners, shares, firewall, sessions, mounts. Text only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._model.fact import Fact, FactSet
from .._model.text import printable
from .terminal_report import words

Row = tuple[str, ...]
PROFILES = ("domain", "private", "public")


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, the names of the columns, and the cells."""

    caption: str
    head: Row
    rows: tuple[Row, ...]


def tables(facts: FactSet) -> Iterator[Table]:
    """Yield every table; those of things that the host does not have are without rows."""
    listeners = tuple(
        _listener(fact) for _key, fact in sorted(facts.objects("host.listener").items()) if fact.effective
    )
    head: Row = ("Protocol", "Address", "Port", "State", "Process", "PID")
    yield Table("Listening on the ports of SMB", head, listeners)
    head = ("Share", "Path", "Kind", "Guest", "Read only", "Encryption", "Mode")
    yield Table("Shares", head, tuple(_samba_share(name, facts) for name in facts.objects("samba.share")))
    head = ("Share", "Path", "Kind", "Open to", "Encryption", "Enumeration", "Caching")
    yield Table("Shares", head, tuple(_windows_share(name, facts) for name in facts.objects("windows.share")))
    head = ("Profile", "On", "Inbound default", "445 from", "NetBIOS from", "UDP 443 from", "445 outbound")
    yield Table("Windows firewall", head, tuple(_firewall(facts)))
    sessions = tuple(_session(fact) for fact in facts.objects("usage.session").values())
    head = ("User", "Client", "Dialect", "Signing", "Encryption")
    yield Table("Sessions at that moment", head, sessions)
    mounts = tuple(_mount(point, fact) for point, fact in facts.objects("client.mount").items())
    head = ("Mount point", "Source", "vers", "sec", "seal", "sign")
    yield Table("SMB mounts", head, mounts)


def _listener(fact: Fact) -> Row:
    proto, address, port, state, process, pid = _texts(
        fact.effective, "proto", "address", "port", "state", "process", "pid"
    )
    return proto, address, port, state, process or "not to be seen", pid


def _texts(value: Any, *keys: str) -> Row:
    """Return the named parts of a fact's value as printable text; what is not there is empty."""
    parts = value if isinstance(value, dict) else {}
    return tuple("" if parts.get(key) is None else printable(str(parts[key])) for key in keys)


def _samba_share(name: str, facts: FactSet) -> Row:
    fact = facts.objects("samba.share")[name]
    path, kind = _texts(fact.configured, "path", "kind")
    mode = facts.get("samba.share_path_mode", name)
    (shown,) = ("unknown",) if mode is None else _texts(mode.effective or mode.configured, "mode")
    settings = (
        _told(facts.get(f"samba.{parameter}", name) or facts.get(f"samba.{parameter}"))
        for parameter in ("guest_ok", "read_only", "server_smb_encrypt")
    )
    return printable(name), printable(fact.unreadable or "") or path, kind, *settings, shown or "unknown"


def _windows_share(name: str, facts: FactSet) -> Row:
    fact = facts.objects("windows.share")[name]
    path, kind = _texts(fact.configured, "path", "type")
    broad = facts.get("windows.share_broad_access", name)
    settings = (
        "" if found is None else _told(found)
        for found in (facts.get(f"windows.share_{setting}", name) for setting in ("encrypt", "enumeration", "caching"))
    )
    return (
        printable(name),
        printable(fact.unreadable or "") or path,
        kind,
        "" if broad is None else _told(broad),
        *settings,
    )


def _firewall(facts: FactSet) -> Iterator[Row]:
    columns = ("enabled", "inbound_default", "inbound_445", "inbound_netbios", "inbound_quic", "outbound_445")
    for profile in PROFILES:
        found = [facts.get(f"firewall.{column}", profile) for column in columns]
        if any(found):
            yield profile, *(_told(fact, nothing="nobody") for fact in found)


def _told(fact: Fact | None, nothing: str = "nobody else") -> str:
    """Return the value that holds; an empty list in words."""
    value = None if fact is None else fact.in_force
    if value is None:
        return "unknown"
    return nothing if value == [] else printable(words(value))


def _session(fact: Fact) -> Row:
    user, machine, address, dialect, signing, encryption = _texts(
        fact.effective, "user", "machine", "address", "dialect", "signing", "encryption"
    )
    client = machine if machine == address else f"{machine} {address}"  # Windows tells one of them
    return user, client, dialect, signing, encryption


def _mount(point: str, fact: Fact) -> Row:
    return printable(point), *_texts(fact.effective, "source", "vers", "sec", "seal", "sign")
