# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands at an address of the property table: in the registry, a cmdlet's properties, secedit or auditpol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..._model.answer import MAX_TEXT, document, mapping, missing, table, text
from ..._model.collected import Collected
from ..._model.setting import Address

CMDLETS = {"server_property": "windows.server_configuration", "client_property": "windows.client_configuration"}
_MAX_ITEMS = 500
SMB_CMDLETS = (6, 2)
"""The release that brought the cmdlets of SMB; before it, only the registry tells."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found at an address.

    ``absent``: the place was read, and nothing stands there. ``unobserved``: this Windows has no such place.
    """

    state: Literal["present", "absent", "unobserved", "unread"]
    native: Any = None
    why: str = ""


@dataclass(slots=True)
class Stores:
    """Everything that the addresses may lead to.

    Attributes:
        release: major and minor version of Windows; (0, 0) when it is not known.
        keys: registry key, in lower case → its state, and name → native value.
        unread: record id → why it could not be read.
    """

    release: tuple[int, int]
    keys: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    secedit: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()

    def find(self, address: Address) -> Found:
        """Return what stands at an address."""
        if address.store == "registry":
            return self.registry(address.key, address.name)
        if address.store in CMDLETS:
            return self._property(CMDLETS[address.store], address.name)
        if address.store == "audit":
            return self._audit(address.name)
        section = "Privilege Rights" if address.store == "right" else address.key
        return self._secedit(section, address.name)

    def registry(self, key: str, name: str) -> Found:
        """Return what a value of the registry holds; a key that was not asked for or not opened is unread."""
        why = self.closed(key)
        if why is not None:
            return Found("unread", why=why)
        state, values = self.keys[key.lower()]
        if state == "absent":
            return Found("absent")
        spelt = {known.lower(): known for known in values}.get(name.lower())
        if spelt is None:
            return Found("absent")
        return _native(values[spelt], f"HKLM\\{key}!{name}", registry=True)

    def closed(self, key: str) -> str | None:
        """Return why nothing can be said of a key's values; None when it was opened, or is not there."""
        if key.lower() not in self.keys:
            return self.unread.get("windows.registry", f"HKLM\\{key} was not read")
        state, _values = self.keys[key.lower()]
        if state in ("present", "absent"):
            return None
        return f"HKLM\\{key}: {'access denied' if state == 'denied' else 'could not be read'}"

    def values(self, key: str) -> Mapping[str, Any]:
        """Return all values of a key that came along."""
        return self.keys.get(key.lower(), ("", {}))[1]

    def _property(self, record_id: str, name: str) -> Found:
        if record_id in self.lacking and (0, 0) < self.release < SMB_CMDLETS:
            return Found("unobserved")
        if record_id in self.unread:
            return Found("unread", why=self.unread[record_id])
        properties = self.properties[record_id]
        if name.lower() not in properties:
            return Found("unobserved")
        return _native(properties[name.lower()], name)

    def _secedit(self, section: str, name: str) -> Found:
        if "windows.secedit" in self.unread:
            return Found("unread", why=self.unread["windows.secedit"])
        if not isinstance(self.secedit.get(section), dict):
            return Found("unread", why=f"secedit.exe did not export [{section}]")
        lines = {key.lower(): value for key, value in mapping(self.secedit[section]).items()}
        return _native(lines[name.lower()], name) if name.lower() in lines else Found("absent")

    def _audit(self, guid: str) -> Found:
        if "windows.auditpol" in self.unread:
            return Found("unread", why=self.unread["windows.auditpol"])
        if guid.lower() not in self.audit:
            return Found("unread", why=f"auditpol.exe does not list the subcategory {guid}")
        return _native(self.audit[guid.lower()], guid)


def _native(value: Any, place: str, *, registry: bool = False) -> Found:
    """Return a value of one of the forms that a native value may have."""
    if isinstance(value, list):
        if len(value) > _MAX_ITEMS or not all(isinstance(item, str) and len(item) <= MAX_TEXT for item in value):
            return Found("unread", why=f"{place} holds a list that Windows would not write")
        return Found("present", [text(item) for item in value])
    if isinstance(value, bool) and not registry:
        return Found("present", value)
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64:
        return Found("present", value)
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return Found("present", text(value))
    if value is None and not registry:
        return Found("present")  # an empty property of a cmdlet
    return Found("unread", why=f"{place} holds something that Windows would not write")


def stores(collected: Collected, release: tuple[int, int]) -> Stores:
    """Return the stores of a host's answer."""
    found = Stores(release)
    listed, why = table(collected, "windows.registry")
    if why is None and not any(text(item.get("key")) for item in listed):
        why = "windows.registry: not one key came along"
    if why is not None:
        found.unread["windows.registry"] = why
    for item in listed:
        key, entry = text(item.get("key")).strip("\\").lower(), (text(item.get("state")), mapping(item.get("values")))
        found.keys[key] = entry if found.keys.get(key, entry) == entry else ("error", {})  # two answers are none
    for record_id in CMDLETS.values():
        properties, why = document(collected, record_id)
        if why is None and not properties:
            why = f"{record_id}: the cmdlet told nothing"
        if why is not None:
            found.unread[record_id] = why
        found.properties[record_id] = {name.lower(): value for name, value in properties.items()}
    found.lacking = frozenset(record_id for record_id in CMDLETS.values() if missing(collected, record_id))
    found.secedit, why = document(collected, "windows.secedit")
    if why is not None:
        found.unread["windows.secedit"] = why
    audit, why = document(collected, "windows.auditpol")
    if why is not None:
        found.unread["windows.auditpol"] = why
    found.audit = {guid.lower(): value for guid, value in audit.items()}
    return found
