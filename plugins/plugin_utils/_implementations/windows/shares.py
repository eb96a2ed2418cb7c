# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shares: what they are, who may use them, and how they protect what they hold."""

from __future__ import annotations

from typing import Any

from ..._model.answer import flag, table, text
from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet
from . import sddl
from .product import Product
from .stores import SMB_CMDLETS

_PER_SHARE = (
    "windows.share",
    "windows.share_broad_access",
    "windows.share_encrypt",
    "windows.share_enumeration",
    "windows.share_caching",
)
_FILES = ("", "FileSystemDirectory")
_OF_DOMAIN = frozenset({"netlogon", "sysvol"})
_GIVEN = "Everyone: Read"
"""What Windows itself grants on the shares of a domain controller and on print$."""


def read(collected: Collected, product: Product, facts: FactSet) -> None:
    """Put one fact per share; settings only for shares of files that somebody made.

    A list that is not whole adds one unreadable fact of object ``""`` to each, so that "every share" never holds.
    """
    listed, why = table(collected, "windows.shares")
    if why is None and not listed and product.server_running is not False:
        why = "windows.shares: not one share, not even IPC$"
    everything = _server_encrypts(facts)
    found = named(listed)
    if len(found) < len(listed):
        why = why or "windows.shares: a share without a name"
    for name, item in found.items():
        shared = {key: text(item.get(key)) for key in ("path", "type", "description", "scope")}
        special = flag(item.get("special"))
        facts.put("windows.share", Fact(effective={**shared, "special": special is True}), name)
        if special is not True and shared["type"] in _FILES:
            facts.put("windows.share_broad_access", _broad(item, product), name)
            _settings(item, name, product, everything, facts)
    facts.put("windows.shares_read", Fact(effective=True) if why is None else Fact(unreadable=why))
    if why is not None:
        for fact_id in _PER_SHARE:
            facts.put(fact_id, Fact(unreadable=why))


def named(listed: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the rows of the list of shares by the object that their facts have."""
    taken = FactSet()
    found = {}
    for item in listed:
        told = _name(item)
        if told:
            name = taken.unused("windows.share", told)
            taken.put("windows.share", Fact(), name)
            found[name] = item
    return found


def _name(item: dict[str, Any]) -> str:
    """Return a share's name; shares of a cluster's names carry that name too."""
    name, scope = text(item.get("name")), text(item.get("scope"))
    return f"{scope}\\{name}" if name and scope not in ("", "*") else name


def _broad(item: dict[str, Any], product: Product) -> Fact:
    descriptor = item.get("sddl")
    if not isinstance(descriptor, str) or not descriptor:
        return Fact(unreadable="its permissions were not told")
    try:
        found = sddl.broad_access(descriptor)
    except sddl.BadDescriptor as error:
        return Fact(unreadable=str(error))
    name = text(item.get("name")).lower()
    if name == "print$" or ("domain-controller" in product.traits and name in _OF_DOMAIN):
        found = [access for access in found if access != _GIVEN]
    return Fact(configured=found)


def _server_encrypts(facts: FactSet) -> bool:
    """Whether the server encrypts every share, which a share's own flag then adds nothing to."""
    return facts.in_force("windows.server_encrypt_data") is True


def _settings(item: dict[str, Any], name: str, product: Product, everything: bool, facts: FactSet) -> None:
    """Put what Get-SmbShare tells beyond Win32_Share."""
    old = (0, 0) < product.release < SMB_CMDLETS
    encrypt = flag(item.get("encrypt"))
    if everything:
        facts.put(
            "windows.share_encrypt", Fact(configured=encrypt, effective=True) if encrypt else Fact(effective=True), name
        )
    elif encrypt is not None:
        facts.put("windows.share_encrypt", Fact(configured=encrypt), name)
    elif not old:  # SMB encrypts since Windows 8 and 2012
        facts.put("windows.share_encrypt", Fact(unreadable="whether it encrypts was not told"), name)
    for fact_id, key in (("windows.share_enumeration", "enumeration"), ("windows.share_caching", "caching")):
        value = text(item.get(key))
        fact = Fact(configured=value) if value else Fact(unreadable=f"its {key} was not told")
        facts.put(fact_id, fact, name)
