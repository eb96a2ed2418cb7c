# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codec of Windows values: what the registry, a cmdlet, secedit or auditpol holds ↔ the value of a setting."""

from __future__ import annotations

import re
from typing import Any

from ..._model.setting import Address, Setting
from ..._model.text import visible
from .sddl import WELL_KNOWN

Native = Any
"""A number, a text, a boolean, or a list of texts."""

_DWORD = 2**32
_ALLOW = re.compile(r"\(A;;(?:RC|0x20000);;;(\w\w|S-1(?:-\d+)+)\)", re.IGNORECASE)
_DESCRIPTOR = re.compile(rf"(?:O:[\w-]+?)?(?:G:[\w-]+?)?D:(?:P|AR|AI)*((?:{_ALLOW.pattern})*)\Z", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"0x[0-9a-f]{1,8}\Z")


class BadValue(ValueError):
    """A native value that Windows does not understand, or that we do not."""


def parse(setting: Setting, address: Address, native: Native) -> Any:
    """Return the value of what stands at an address.

    Raises:
        BadValue: it is of another type than Windows expects there, or means nothing.
    """
    tokens = address.tokens or setting.tokens
    if setting.type == "list":
        return _list(setting, address, native)
    if isinstance(native, list) or native is None:
        raise BadValue(f"{address.name} holds a list or nothing where one value belongs")
    if setting.type == "string":
        return visible(_unquoted(str(native)))
    if address.store == "registry" and not isinstance(native, int):
        raise BadValue(f"{address.name} is not a number in the registry")
    text = str(native) if setting.type == "enum" and address.tokens else str(_number(native, address))
    if text in tokens:
        return tokens[text]
    if setting.type == "enum" or address.tokens:
        raise BadValue(f"{address.name} is {visible(text)[:80]}, which is no value of it")
    return int(text) if setting.type == "integer" else (text != "0") is not address.inverted


def _number(native: Native, address: Address) -> int:
    """Return a number: a DWORD, which PowerShell shows as a signed one, a boolean of a cmdlet, a text of secedit."""
    if isinstance(native, bool):
        return int(native)
    if isinstance(native, int) and -(_DWORD // 2) <= native < _DWORD:
        return native % _DWORD if address.kind == "dword" else native
    text = str(native).strip()
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    if re.fullmatch(r"-?\d{1,10}", text):
        return int(text)
    raise BadValue(f"{visible(text)[:80]!r} is no number")


def _unquoted(text: str) -> str:
    """Secedit writes texts in quotes."""
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text


def _list(setting: Setting, address: Address, native: Native) -> list[str]:
    if setting.codec == "bits":
        if native is None or isinstance(native, list):
            raise BadValue(f"{address.name} is not a number")
        return _flags(setting, _number(native, address) % _DWORD)
    if isinstance(native, (bool, int, float)):
        raise BadValue(f"{address.name} is a number where a list belongs")
    if setting.codec == "sddl":
        return _readers(address, native)
    items = native if isinstance(native, list) else _split(address, str(native or ""))
    words = [visible(str(item)).strip() for item in items]
    if setting.codec == "sids":
        words = [word.removeprefix("*") for word in words]
    return [word for word in words if word]


def _split(address: Address, text: str) -> list[str]:
    """A text in place of a list: paths may hold blanks, names of pipes and ciphers may not, in flags they mean nothing."""
    if address.kind == "multi_sz":
        return re.split(r"[,;\n\0]", text)
    if address.kind == "sz":
        return re.split(r"[,;\0]", "".join(text.split()))
    return re.split(r"[,;\s\0]", text)


def _flags(setting: Setting, number: int) -> list[str]:
    found = []
    for token, name in setting.tokens.items():
        mask = int(token)
        if number & mask == mask:
            found.append(str(name))
            number &= ~mask
    return [*found, hex(number)] if number else found


def _readers(address: Address, native: Native) -> list[str]:
    """Return the accounts that a security descriptor of simple form lets read."""
    match = _DESCRIPTOR.match(native.strip()) if isinstance(native, str) else None
    if match is None:
        raise BadValue(f"{address.name} is a security descriptor of another form than (A;;RC;;;account)")
    accounts = [account.upper() for account in _ALLOW.findall(match[1])]
    return [WELL_KNOWN.get(account, account) for account in accounts]


def native_of(setting: Setting, address: Address, value: Any) -> Native:
    """Return what has to stand at an address for a value.

    Raises:
        BadValue: nothing that could stand there means that value.
    """
    if setting.type == "list":
        return _native_list(setting, address, value)
    if setting.type == "string":
        return value
    tokens = address.tokens or setting.tokens
    for token, meaning in tokens.items():
        if type(meaning) is type(value) and meaning == value:
            return int(token) if re.fullmatch(r"-?\d+", token) else token
    if setting.type == "enum" or address.tokens:
        raise BadValue(f"{value!r} cannot be written to {address.name}")
    if setting.type == "integer":
        return value
    flag = value is not address.inverted
    return flag if address.store in ("server_property", "client_property") else int(flag)


def _native_list(setting: Setting, address: Address, value: Any) -> Native:
    if setting.codec == "bits":
        masks = {str(name): int(token) for token, name in setting.tokens.items()}
        return sum(masks[item] if item in masks else _mask(item) for item in value)
    if setting.codec == "sids":
        return [f"*{item}" if item.startswith("S-1-") else item for item in value]
    if setting.codec == "sddl":
        names = {sid: alias for alias, sid in WELL_KNOWN.items()}
        return "O:BAG:BAD:" + "".join(f"(A;;RC;;;{names.get(item, item)})" for item in value)
    return list(value) if address.kind == "multi_sz" else ", ".join(value)


def _mask(item: str) -> int:
    if not _HEXADECIMAL.match(item):
        raise BadValue(f"{item!r} is no flag")
    return int(item, 16)
