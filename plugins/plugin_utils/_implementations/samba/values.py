# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codec of smb.conf values: native text ↔ value, by the type of the setting (Samba's ``lp_set`` functions)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..._model.setting import Setting
from ..._model.text import visible
from .grammar import items

_BOOLEANS = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
_UPPER = frozenset({"samba.netbios_name", "samba.netbios_scope", "samba.realm", "samba.workgroup"})
_DECIMAL = frozenset({"samba.kdc_supported_enctypes", "samba.kdc_default_domain_supported_enctypes"})
"""Integers in which a leading zero does not mean octal."""


class BadValue(ValueError):
    """A text that Samba refuses: with it the whole configuration fails to load. Or a value that no text stands for."""


def parse(setting: Setting, text: str, *, inverted: bool = False) -> Any:
    """Return the value of ``text`` for ``setting``.

    Raises:
        BadValue: Samba would not load it.
    """
    if setting.type == "boolean":
        return boolean(text) is not inverted
    if setting.type == "integer":
        if setting.id in _DECIMAL and text.isdecimal():
            return int(text)
        return _size(text) if setting.size else _integer(text)
    if setting.type == "octal":
        digits = re.match(r"\s*\+?([0-7]+)", text)  # as C's sscanf("%o"): what follows the digits does not count
        if digits is None:
            raise BadValue(f"{text!r} is not an octal number")
        return f"{int(digits[1], 8):04o}"
    if setting.type == "enum":
        return _token(setting, text)
    if setting.type == "list":
        return split(text)
    if setting.id == "samba.mangling_char":
        text = text[:1]
    return visible(text.upper() if setting.id in _UPPER else text)


def format(setting: Setting, value: Any, *, inverted: bool = False, old: str = "") -> str:
    """Return the text that is written for ``value``: of an enum the token that is the value itself, else the first.

    Args:
        setting: which one.
        value: as ``parse`` returns it.
        inverted: the name that it is written to has the opposite sense.
        old: text that it replaces. Items of a list keep the bytes that they have there, and their separator.

    Raises:
        BadValue: no text stands for it: ``parse`` would not return it.
    """
    text = _FORMATS[setting.type](setting, value, inverted, old)
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        raise BadValue(f"{visible(text)!r} holds control characters")
    written = [item for item in items(f"x = {text}\n") if item.kind == "parameter"]
    wanted = text if setting.type == "octal" else value
    if len(written) != 1 or parse(setting, written[0].value, inverted=inverted) != wanted:
        raise BadValue(f"{value!r} cannot be written in smb.conf")
    return text


def _format_boolean(_setting: Setting, value: Any, inverted: bool, _old: str) -> str:
    if not isinstance(value, bool):
        raise BadValue(f"{value!r} is not a boolean")
    return "yes" if value is not inverted else "no"


def _format_integer(_setting: Setting, value: Any, _inverted: bool, _old: str) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValue(f"{value!r} is not an integer")
    return str(value)


def _format_text(_setting: Setting, value: Any, _inverted: bool, _old: str) -> str:
    if not isinstance(value, str):
        raise BadValue(f"{value!r} is not a text")
    return value


def _format_octal(_setting: Setting, value: Any, _inverted: bool, _old: str) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-7]+", value):
        raise BadValue(f"{value!r} is not an octal number")
    return f"{int(value, 8):04o}"


def _format_token(setting: Setting, value: Any, _inverted: bool, _old: str) -> str:
    tokens = [name for name, meaning in setting.tokens.items() if meaning == value]
    if not tokens:
        raise BadValue(f"{value!r} is none of {', '.join(dict.fromkeys(setting.tokens.values()))}")
    if str(value).lower() in map(str.lower, tokens):
        return str(value)  # Samba does not mind the case, people do; and compiling a table sorts its tokens
    return tokens[0]


def _format_list(_setting: Setting, value: Any, _inverted: bool, old: str) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadValue(f"{value!r} is not a list of texts")
    native = {visible(item): item for item in _pieces(old)}
    kept = [native.get(str(item), str(item)) for item in value]
    return (", " if "," in old else " ").join(_quoted(item) for item in kept)


def _quoted(item: str) -> str:
    if '"' in item:
        raise BadValue(f"{item!r} holds a quote")
    return f'"{item}"' if not item or set(item) & set(" \t,;") else item


_FORMATS: Mapping[str, Callable[[Setting, Any, bool, str], str]] = {
    "boolean": _format_boolean,
    "integer": _format_integer,
    "octal": _format_octal,
    "enum": _format_token,
    "list": _format_list,
    "string": _format_text,
}


def boolean(text: str) -> bool:
    """Return what a boolean's text says; raises BadValue when Samba would refuse it."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise BadValue(f"{text!r} is not a boolean") from None


def _integer(text: str) -> int:
    """As C's strtol with base 0: what does not parse counts as 0."""
    match = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", text)
    if match is None:
        return 0
    digits = match[2]
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") and len(digits) > 1 else 10
    return int(digits, base) * (-1 if match[1] == "-" else 1)


def _size(text: str) -> int:
    match = re.fullmatch(r"(-?\d+)([bkmgtp]?)", text.strip().lower())
    if match is None:
        raise BadValue(f"{text!r} is not a size")
    return int(match[1]) * _UNITS[match[2]]


def _token(setting: Setting, text: str) -> str:
    value = setting.tokens.get(text.lower()) or setting.tokens.get(text.upper()) or setting.tokens.get(text)
    if value is None:
        raise BadValue(f"{text!r} is none of {', '.join(dict.fromkeys(setting.tokens.values()))}")
    return str(value)


def split(text: str) -> list[str]:
    """Return the items of a list value: blanks, commas and semicolons separate, double quotes group."""
    return [visible(item) for item in _pieces(text)]


def _pieces(text: str) -> list[str]:
    found: list[str] = []
    current: list[str] = []
    started = quoted = False
    for char in text:
        if char == '"':
            quoted = not quoted
            started = True
        elif char in " \t,;\n\r" and not quoted:
            if started:
                found.append("".join(current))
            current, started = [], False
        else:
            current.append(char)
            started = True
    if started:
        found.append("".join(current))
    return found
