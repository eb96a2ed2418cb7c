# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a written value came from: group policy, by the name of its object where RSoP tells, or this host.

Security options and some administrative templates write into the ordinary keys, so the key alone does not tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._model.answer import document, mapping, missing, number, rows, text
from ..._model.collected import Collected
from ..._model.fact import Fact, Origin
from ..._model.setting import Address
from .product import Product

_KINDS = {
    "secedit": frozenset({"numeric", "boolean", "string"}),
    "right": frozenset({"right"}),
    "audit": frozenset({"audit"}),
}


@dataclass(slots=True)
class Origins:
    """What the Resultant Set of Policy says.

    Attributes:
        known: whether it could be read.
        joined: whether domain policies may reach this host; a host that did not tell may be.
        names: (kind, place in lower case) → the winning policy object's name and its precedence.
    """

    known: bool
    joined: bool
    why: str | None = None
    names: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def policy(self, address: Address) -> Origin:
        """Return the origin of a value in a policy key."""
        name = self._name("registry", f"{address.key}\\{address.name}")
        return Origin("policy", name or address.place())

    def written(self, address: Address) -> Origin:
        """Return the origin of a value in the ordinary place."""
        if address.store == "registry":
            name = self._name("registry", f"{address.key}\\{address.name}")
        else:
            found = (self._name(kind, address.name) for kind in sorted(_KINDS.get(address.store, ())))
            name = next((item for item in found if item), "")
        if name:
            return Origin("policy", name)
        # Detailed audit policies leave no trace in RSoP.
        if self.joined and (not self.known or address.store == "audit"):
            return Origin("unknown", address.place())
        return Origin("local", address.place())

    def fact(self) -> Fact:
        """Return whether origins can be told."""
        if self.known or (not self.joined and self.why is None):
            return Fact(effective=True)
        return Fact(unreadable=self.why or "the Resultant Set of Policy could not be read")

    def _name(self, kind: str, where: str) -> str:
        return self.names.get((kind, where.lower()), ("", 0))[0]

    def add(self, kind: str, where: str, name: str, precedence: int) -> None:
        """Remember that a policy object writes there; precedence 1 wins."""
        known = self.names.get((kind, where.lower()))
        if name and (known is None or precedence < known[1]):
            self.names[kind, where.lower()] = (name, precedence)


def origins(collected: Collected, product: Product) -> Origins:
    """Return what the Resultant Set of Policy of the host says about origins."""
    data, why = document(collected, "windows.rsop")
    joined = "standalone" not in product.traits
    if not joined and missing(collected, "windows.rsop"):
        why = None
        known = False
    else:
        known = why is None
    found = Origins(known, joined, why)
    titles = {key: text(value) for key, value in mapping(data.get("gpos")).items()}
    for item in rows(data.get("registry")):
        where = f"{text(item.get('key'))}\\{text(item.get('name'))}"
        found.add("registry", _below_machine(where), _title(item.get("gpo"), titles), _rank(item.get("precedence")))
    for item in rows(data.get("security")):
        kind, where = text(item.get("kind")), text(item.get("name"))
        where = _below_machine(where.replace("!", "\\")) if kind == "registry" else where
        found.add(kind, where, _title(item.get("gpo"), titles), _rank(item.get("precedence")))
    return found


def _title(gpo: object, titles: dict[str, str]) -> str:
    """Return the name of a policy object; its id where the name is not told."""
    return titles.get(gpo, "") or text(gpo) if isinstance(gpo, str) else ""


def _rank(precedence: object) -> int:
    rank = number(precedence)
    return 1000 if rank is None else rank


def _below_machine(where: str) -> str:
    """Return a registry path as the addresses spell it: below HKEY_LOCAL_MACHINE."""
    for prefix in ("MACHINE\\", "HKLM\\", "HKEY_LOCAL_MACHINE\\"):
        if where.upper().startswith(prefix):
            return where[len(prefix) :]
    return where
