# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host offers to clients, all its ports and vantages together: the weakest that any of them was offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .marks import DIALECTS, Port

State = Literal["accepted", "refused", "unknown", "not_asked"]
SMB1 = {
    "PC NETWORK PROGRAM 1.0": "CORE",
    "PCLAN1.0": "CORE",
    "XENIX CORE": "CORE",
    "MICROSOFT NETWORKS 1.03": "COREPLUS",
    "MICROSOFT NETWORKS 3.0": "LANMAN1",
    "LANMAN1.0": "LANMAN1",
    "Windows for Workgroups 3.1a": "LANMAN1",
    "LM1.2X002": "LANMAN2",
    "DOS LM1.2X002": "LANMAN2",
    "LANMAN2.1": "LANMAN2",
    "DOS LANMAN2.1": "LANMAN2",
    "NT LM 0.12": "NT1",
}
"""SMB1 dialect strings ([MS-CIFS] 1.7) → family, as Samba names it."""
SMB2 = DIALECTS
ORDER = ("CORE", "COREPLUS", "LANMAN1", "LANMAN2", "NT1", *SMB2)
"""Families and dialects, oldest first."""
SILENT = frozenset({"closed", "filtered", "unreachable", "not_smb", "not_observable"})
"""States of a port that offers nothing to this client."""
_RANK = {"not_required": 0, "disabled": 0, "enabled": 1, "required": 3}
"""Answers about signing by their strength; what is not known stands between those that do not ask for it and the one that does."""
_UNKNOWN = 2


@dataclass(slots=True)
class Offer:
    """Everything that was offered.

    Attributes:
        speaks: some port spoke SMB.
        dialects: family or dialect → accepted somewhere, refused everywhere, or not known.
        doubts: why something is not known: family or dialect → reason with its port; "" is about a whole port.
        ports: the answers of the ports that spoke SMB.
        names: some host answered a NetBIOS node status.
    """

    speaks: bool = False
    dialects: dict[str, State] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    ports: list[tuple[str, Port]] = field(default_factory=list)
    names: bool = False

    def state(self, name: str) -> State:
        """Return the state of a family or dialect."""
        return self.dialects.get(name, "not_asked")

    def lowest(self, order: tuple[str, ...] = ORDER) -> tuple[str, str]:
        """Return the oldest that is accepted ("": none), and why an older one may be too ("": none is)."""
        return self._first(order)

    def highest(self, order: tuple[str, ...] = ORDER) -> tuple[str, str]:
        """Return the newest that is accepted ("": none), and why a newer one may be too ("": none is)."""
        return self._first(order[::-1])

    def _first(self, order: Iterable[str]) -> tuple[str, str]:
        doubt = self.doubts.get("", "")
        for name in order:
            if self.state(name) == "accepted":
                return name, doubt
            if self.state(name) == "unknown":
                doubt = doubt or self.doubts[name]
            elif self.state(name) == "not_asked" and name in SMB2:
                doubt = doubt or f"{name} was not asked for"
        return "", doubt

    def facts(self, *names: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield (port, answer) of those facts of a port, where they were asked."""
        for where, port in self.ports:
            for name in names:
                if isinstance(port.get(name), dict):
                    yield where, port[name]

    def weakest(self, *names: str) -> tuple[str, str]:
        """Return the weakest answer of these facts about signing ("": not asked), and why it may be weaker."""
        found, doubt = "", self.doubts.get("", "")
        for where, told in self.facts(*names):
            answer = str(told.get("answer"))
            if answer not in _RANK:
                doubt = doubt or _because(where, "signing", told)
            if not found or _RANK.get(answer, _UNKNOWN) < _RANK.get(found, _UNKNOWN):
                found = answer
        return found, doubt if _RANK.get(found, _UNKNOWN) >= _UNKNOWN else ""


def offered(documents: Iterable[Mapping[str, Any]]) -> Offer:
    """Return what documents of the probe's result format, all about one host, say together."""
    offer = Offer()
    for document in documents:
        for where, port in (document.get("ports") or {}).items():
            if where.startswith("137/"):
                offer.names = offer.names or bool(port.get("names"))
            elif where.endswith("/tcp") and ("dialects" in port or where not in ("135/tcp", "5445/tcp")):
                _port(offer, where, port)
    return offer


def _port(offer: Offer, where: str, port: Port) -> None:
    state = port.get("state")
    if state in SILENT:
        return
    if state != "open":
        offer.doubts.setdefault("", f"{where} is {state}: {port.get('reason') or 'no reason was told'}")
    if not port.get("dialects"):
        return
    offer.speaks = True
    offer.ports.append((where, port))
    for name, told in port["dialects"].items():
        family = name if name in SMB2 else SMB1.get(name, ORDER[0])  # one that nobody knows is none of the better ones
        now = _state(told)
        if now == "unknown":
            offer.doubts.setdefault(family, _because(where, name, told))
        offer.dialects[family] = _weaker(offer.state(family), now)


def _state(told: Mapping[str, Any]) -> State:
    answer = told.get("answer")
    return "accepted" if answer == "accepted" else "refused" if answer == "refused" else "unknown"


def _weaker(one: State, other: State) -> State:
    order: tuple[State, ...] = ("accepted", "unknown", "refused", "not_asked")
    return min(one, other, key=order.index)


def _because(where: str, name: str, told: Mapping[str, Any]) -> str:
    return f"{where}, {name}: {told.get('reason') or told.get('answer')}"
