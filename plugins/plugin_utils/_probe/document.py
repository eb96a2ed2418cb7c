# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One target's answers as the probe's result format has them: is it of that form, and what does it come to?

A document comes from our own engine, or through a vantage host that may answer anything; so it is looked at before it is
used. The format itself is defined beside the engine, in ``module_utils/_smb/answers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .marks import accepted

OTHER_PORTS = frozenset({"135/tcp", "5445/tcp", "137/udp", "138/udp", "443/udp"})
"""Ports beside those that SMB is asked on."""
STATES = ("open", "hostile", "not_smb", "indeterminate", "error", "filtered", "unreachable", "closed", "unresolved")
"""What a target comes to, the state of its best port; "unresolved": it has no address."""
MAX_PORTS = 64
_FACTS = ("signing", "smb1_signing", "anonymous", "guest", "ms17_010", "ciphers", "signing_algorithms", "compression")
_OBJECTS = ("ntlm", "smb1")
_TEXTS = ("reason", "netbios_session", "guid", "system_time", "boot_time", "hint", "mac")
_LISTS = ("capabilities", "mechanisms", "violations", "names", "quic_versions")


def fault(document: Any) -> str:
    """Return what is wrong with the form of a document, or ""."""
    if not isinstance(document, dict):
        return "it is no object"
    for name in ("target", "address", "started", "source"):
        if not isinstance(document.get(name), str):
            return f"{name} is no text"
    attempts = document.get("smb1_attempts")
    if not isinstance(attempts, list) or not all(isinstance(attempt, dict) for attempt in attempts):
        return "smb1_attempts is no list of objects"
    ports = document.get("ports")
    if not isinstance(ports, dict) or len(ports) > MAX_PORTS:
        return "ports is no object, or holds too many"
    return next((f"{name}: {wrong}" for name, port in ports.items() if (wrong := _port_fault(port))), "")


def _port_fault(port: Any) -> str:
    if not isinstance(port, dict) or not isinstance(port.get("state"), str):
        return "it has no state"
    dialects = port.get("dialects", {})
    if not isinstance(dialects, dict) or not all(map(_is_answer, dialects.values())):
        return "dialects is no object of answers"
    for name in _FACTS:
        if name in port and not _is_answer(port[name]):
            return f"{name} is no answer"
    for name in _OBJECTS:
        if name in port and not isinstance(port[name], dict):
            return f"{name} is no object"
    for name in _TEXTS:
        if name in port and not isinstance(port[name], str):
            return f"{name} is no text"
    return next((f"{name} is no list" for name in _LISTS if name in port and not isinstance(port[name], list)), "")


def _is_answer(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("answer"), str)
        and isinstance(value.get("values", []), list)
        and all(isinstance(value.get(name, ""), str) for name in ("reason", "evidence"))
    )


def unresolved(target: str, reason: str, now: str) -> dict[str, Any]:
    """Return the document of a name that leads to no address."""
    return {
        "target": target,
        "address": "",
        "started": now,
        "seconds": 0.0,
        "source": "",
        "connections": 0,
        "smb1_attempts": [],
        "ports": {},
        "reason": reason,
    }


def smb_ports(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the ports that SMB was asked on, with their answers."""
    for name, port in document["ports"].items():
        if name not in OTHER_PORTS or port.get("dialects"):
            yield name, port


def standing(document: Mapping[str, Any]) -> str:
    """Return what a target comes to: one of STATES."""
    if not document["address"]:
        return "unresolved"
    found = {str(port["state"]) for _name, port in smb_ports(document)}
    return next((state for state in STATES if state in found), "indeterminate")


def taken(document: Mapping[str, Any]) -> list[str]:
    """Return every dialect that some port accepted, in the order in which they were told."""
    return list(dict.fromkeys(name for _where, port in smb_ports(document) for name in accepted(port)))
