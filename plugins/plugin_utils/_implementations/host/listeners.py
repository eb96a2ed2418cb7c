# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens on the ports of SMB: from ss, netstat or sockstat, checked against /proc/net."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet
from ..._model.text import visible

TCP = frozenset({135, 136, 137, 138, 139, 445, 5445})
UDP = TCP | {443}
"""443 is SMB over QUIC, where an SMB server owns it; the table shows any owner."""


def read(collected: Collected, facts: FactSet) -> None:
    """Put ``host.listener`` facts, and ``host.listeners_read`` for whether the table is whole."""
    parsers = (("host.ss", _ss), ("host.netstat", _netstat), ("host.sockstat", _sockstat))
    found: dict[str, dict[str, Any]] = {}
    reason = "no ss, netstat, sockstat or /proc/net on the host"
    whole = False
    for record_id, parser in parsers:
        record = collected.get(record_id)
        if record is None:
            continue
        if record.unreadable is None:
            found |= _wanted(parser(record.out))
            whole = True
        else:
            reason = visible(record.unreadable)
    for name in ("tcp", "tcp6", "udp", "udp6"):
        record = collected.get(f"host.proc_{name}")
        if record is not None and record.unreadable is None:
            whole = True
            for key, listener in _wanted(_proc(record.out, name)).items():
                if key not in found and not _same_socket(key, found):
                    found[key] = listener
    for key, listener in sorted(found.items()):
        facts.put("host.listener", Fact(effective=listener), key)
    facts.put("host.listeners_read", Fact(effective=True) if whole else Fact(unreadable=reason))


def _same_socket(key: str, found: dict[str, dict[str, Any]]) -> bool:
    """``*`` of ss and ``[::]`` of /proc are one dual-stack socket."""
    proto, _slash, rest = key.partition("/")
    port = rest.rpartition(":")[2]
    return rest.startswith("[::]:") and f"{proto}/*:{port}" in found


def _wanted(listeners: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    result = {}
    for listener in listeners:
        if listener["port"] in (TCP if listener["proto"] == "tcp" else UDP):
            result[key_of(listener)] = listener
    return result


def key_of(listener: Mapping[str, Any]) -> str:
    """Return the object that a listener's fact has: ``tcp/[::]:445``."""
    address = listener["address"]
    shown = f"[{address}]" if ":" in address else address
    return f"{listener['proto']}/{shown}:{listener['port']}"


def entry(proto: str, address: str, port: int, process: str | None, pid: int | None) -> dict[str, Any]:
    """Return the value of a listener's fact."""
    return {
        "proto": proto,
        "address": address,
        "port": port,
        "state": "LISTEN" if proto == "tcp" else "UNCONN",
        "process": process,
        "pid": pid,
    }


def _listener(proto: str, address: str, port: str, process: str | None, pid: str | None) -> dict[str, Any]:
    shown = visible(process) if process else None
    return entry(proto, visible(address.strip("[]")), int(port), shown, int(pid) if pid else None)


def _ss(text: str) -> list[dict[str, Any]]:
    listeners = []
    for line in text.split("\n"):
        match = re.match(r"^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(.*)$", line)
        if match:
            proto, address, port, rest = match.groups()
            owner = re.search(r'\("([^"]*)",pid=(\d+)', rest)
            listeners.append(_listener(proto, address, port, owner and owner[1], owner and owner[2]))
    return listeners


def _netstat(text: str) -> list[dict[str, Any]]:
    listeners = []
    for line in text.split("\n"):
        match = re.match(r"^(tcp|udp)6?\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+\s+(?:LISTEN\s+)?(.*)$", line)
        if match:
            proto, address, port, rest = match.groups()
            owner = re.search(r"(\d+)/(\S+)", rest)
            listeners.append(_listener(proto, address, port, owner and owner[2].rstrip(":"), owner and owner[1]))
    return listeners


def _sockstat(text: str) -> list[dict[str, Any]]:
    listeners = []
    for line in text.split("\n"):
        columns = line.split()
        if len(columns) >= 6 and columns[4][:3] in ("tcp", "udp"):
            address, _colon, port = columns[5].rpartition(":")
            if port.isdigit():
                listeners.append(_listener(columns[4][:3], address, port, columns[1], columns[2]))
    return listeners


def _proc(text: str, name: str) -> list[dict[str, Any]]:
    """/proc/net/tcp: state 0A is LISTEN; /proc/net/udp: 07 without a peer. Owners are not told there."""
    listeners = []
    for line in text.split("\n")[1:]:
        columns = line.split()
        if len(columns) < 4 or columns[3] != ("0A" if name.startswith("tcp") else "07"):
            continue
        address, _colon, port = columns[1].partition(":")
        try:
            shown = str(_kernel_address(address))
        except ValueError:
            continue
        listeners.append(_listener(name[:3], shown, str(int(port, 16)), None, None))
    return listeners


def _kernel_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The kernel prints addresses as 32-bit words in host order (little endian on what Samba runs on)."""
    words = [bytes.fromhex(text[index : index + 8])[::-1] for index in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))
