# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed values as they stand on a host, and as they will: nothing there is a value too.

A registry value comes from the collector without its type. A number is a DWORD unless it is too large for one; the
interpreter compares with what really stands there and refuses where this is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..._model.answer import mapping
from ..._model.setting import Address, Setting
from ..._model.step import ABSENT, Native, NativeType
from ..._model.text import visible
from .edit_site import Refused
from .stores import CMDLETS, Stores
from .values import BadValue, native_of, parse

_BINARY = re.compile(r"hex:((?:[0-9a-f]{2})*)\Z")
_DWORD, _QWORD = 2**32, 2**64
_CONFIGURATIONS = {"server_property": "Set-SmbServerConfiguration", "client_property": "Set-SmbClientConfiguration"}
_NO_BLANKS = "NullSession"
"""Names of pipes and shares stand one after the other; ciphers are written with a blank, as the cmdlet shows them."""


def written(address: Address) -> str:
    """Return an address that is written to as people write it."""
    if address.store in _CONFIGURATIONS:
        return f"{_CONFIGURATIONS[address.store]} {address.name}"
    return address.place()


def standing(stores: Stores, setting: Setting, address: Address) -> Native:
    """Return what stands at an address today, with the type that it has there.

    Raises:
        Refused: it could not be read, or no type is known for it.
    """
    found = stores.find(address)
    if found.state == "unread":
        raise Refused("unreadable", f"what stands at {written(address)} could not be read: {found.why}")
    if address.store == "registry":
        return ABSENT if found.state == "absent" else registry(stores, address.key, address.name)
    if address.store in CMDLETS:
        return _property(stores.properties[CMDLETS[address.store]].get(address.name.lower()), address)
    if address.store == "right":
        return Native("list", _holders(stores, address.name) if found.state == "present" else [])
    if found.state == "absent":
        return ABSENT
    if address.store == "audit" and isinstance(found.native, int):
        return Native("integer", int(found.native))
    if address.store == "secedit" and isinstance(found.native, str):
        number = setting.type != "string" and re.fullmatch(r"-?\d{1,10}", found.native.strip())
        return Native("integer", int(found.native)) if number else Native("text", found.native)
    raise Refused("edit", f"{written(address)} holds something that no step can put back")


def registry(stores: Stores, key: str, name: str) -> Native:
    """Return what stands at a registry value, as far as the collector tells its type.

    Raises:
        Refused: the key was not read, or the value has none of the types that a step can put back.
    """
    why = stores.closed(key)
    if why is not None:
        raise Refused("unreadable", why)
    raw = next((value for known, value in stores.values(key).items() if known.lower() == name.lower()), None)
    if raw is None:
        return ABSENT
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < _QWORD:
        return Native("dword" if raw < _DWORD else "qword", raw)
    if isinstance(raw, str):
        binary = _BINARY.match(raw)
        return Native("binary", binary[1]) if binary else Native("sz", raw)
    if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return Native("multi_sz", list(raw))
    raise Refused("edit", f"HKLM\\{key}!{name} holds a value of a type that no step can put back")


def _property(raw: Any, address: Address) -> Native:
    if isinstance(raw, bool):
        return Native("boolean", raw)
    if isinstance(raw, int):
        return Native("integer", raw)
    if raw is None or isinstance(raw, str):
        return Native("text", raw or "")
    if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return Native("list", list(raw))
    raise Refused("edit", f"the property {address.name} shows something that no step can put back")


def _holders(stores: Stores, name: str) -> list[str]:
    lines = {key.lower(): value for key, value in mapping(stores.secedit.get("Privilege Rights")).items()}
    raw = lines[name.lower()]
    items = raw.split(",") if isinstance(raw, str) else raw
    return [item.strip() for item in items if item.strip()]


def says(setting: Setting, address: Address, native: Native, value: Any) -> bool:
    """Return whether a typed value means a value of the setting."""
    try:
        found = parse(setting, address, native.value)
    except BadValue:
        return False
    if setting.codec == "bits":
        return sorted(found) == sorted(value)
    return bool(found == value) and found.__class__ is value.__class__


def becoming(setting: Setting, address: Address, before: Native, value: Any) -> Native:
    """Return what has to stand at an address for a value; what stays of a list keeps its spelling.

    Raises:
        Refused: nothing that could stand there means this value, and only this.
    """
    where = written(address)
    if not _fits(setting, value):
        raise Refused("edit", f"{value!r} is no value of {setting.name}")
    if address.kind == "sz" and setting.type == "list" and not setting.codec:
        value = _one_of_each(value)
    try:
        native = native_of(setting, address, value)
    except BadValue as error:
        raise Refused("edit", f"{where}: {error}") from error
    after = _typed(setting, address, before, native, value)
    if not says(setting, address, after, value):
        raise Refused("edit", f"{where}: what would be written does not mean {value!r} to Windows")
    return after


def _fits(setting: Setting, value: Any) -> bool:
    if setting.type == "list":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if setting.type == "boolean":
        return isinstance(value, bool)
    if setting.type == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _DWORD
    return isinstance(value, str) and not re.search(r"[\x00\r\n]", value)


def _one_of_each(value: Sequence[str]) -> list[str]:
    """Return flags (``Name=1``) with the last word on each: "off" and "on" in one text would be neither."""
    last: dict[str, str] = {}
    for item in value:
        name = item.partition("=")[0].strip().lower()
        last[name] = item
    return list(last.values())


def _typed(setting: Setting, address: Address, before: Native, native: Any, value: Any) -> Native:
    if isinstance(native, list):
        items = _spelt(before, native)
        return Native("list" if address.store == "right" else "multi_sz", items)
    if address.store in _CONFIGURATIONS:
        if setting.type == "list":
            items = _spelt(before, list(value))
            if before.type == "list":
                return Native("list", items)
            return Native("text", ("," if address.name.startswith(_NO_BLANKS) else ", ").join(items))
        kind: NativeType = "boolean" if isinstance(native, bool) else "integer" if isinstance(native, int) else "text"
        return Native(kind, native)
    if address.store == "registry":
        types: dict[str, NativeType] = {"dword": "dword", "qword": "qword", "sz": "sz", "multi_sz": "multi_sz"}
        return Native(types[address.kind], native)
    return Native("integer", native) if isinstance(native, int) else Native("text", native)


def _spelt(before: Native, items: Sequence[str]) -> list[str]:
    """Return items as they stand there today, where they do."""
    today: dict[str, str] = {}
    for item in before.value if isinstance(before.value, list) else ():
        today.setdefault(_plain(item), item)
    return [today.get(_plain(item), item) for item in items]


def _plain(item: str) -> str:
    return visible(item).strip().removeprefix("*")
