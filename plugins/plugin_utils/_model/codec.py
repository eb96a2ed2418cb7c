# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dataclasses ↔ JSON documents, driven by the type annotations alone.

``encode`` gives plain dict, list, str, int, float, bool, None (what Ansible and ``json`` accept);
fields that are None, or hold a default that is empty, are left out (a reader adds them again).
``decode`` is strict: an unknown key, a missing field or a wrong type is a ``DecodeError`` that names the path.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from .fact import Fact, FactSet

T = TypeVar("T")


class DecodeError(ValueError):
    """A document does not have the form of its type.

    Attributes:
        path: keys and indexes that lead to the place, e.g. ``tests[0].fact``.
        reason: what is wrong there.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path or 'document'}: {reason}")


def encode(value: Any) -> Any:
    """Return ``value`` as plain JSON data."""
    if isinstance(value, FactSet):
        return {
            fact_id: {obj: encode(fact) for obj, fact in objects.items()} for fact_id, objects in value.by_id.items()
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: encode(item)
            for name, default in _encoded_fields(type(value))
            if (item := getattr(value, name)) is not None and (item or item != default)
        }
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(encode(item) for item in value)
    return plain(value)


def plain(value: Any) -> Any:
    """Return a scalar without the subclass that Ansible may have tagged it with."""
    if isinstance(value, bool) or value is None:
        return value
    for scalar in (str, int, float):
        if isinstance(value, scalar):
            return scalar(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@functools.cache
def _encoded_fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """Return (field, default value) for a dataclass; a required field has no value that equals its default."""
    return tuple(
        (field.name, field.default if field.default_factory is dataclasses.MISSING else field.default_factory())
        for field in dataclasses.fields(kind)
    )


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def decode(kind: type[T], document: Any, path: str = "") -> T:
    """Return ``document`` as an instance of ``kind``.

    Raises:
        DecodeError: the document does not have that form.
    """
    return typing.cast(T, _decode(kind, document, path))


def _decode(kind: Any, value: Any, path: str) -> Any:
    if kind is Any:
        return value
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return _decode_literal(kind, value, path)
    if origin in (types.UnionType, typing.Union):
        return _decode_union(kind, value, path)
    if origin in (list, tuple):
        return _decode_sequence(kind, origin, value, path)
    if origin is dict:
        _expect(isinstance(value, Mapping), path, "expected a mapping", value)
        item_kind = typing.get_args(kind)[1]
        return {str(key): _decode(item_kind, item, f"{path}.{key}") for key, item in value.items()}
    if kind is FactSet:
        return FactSet(_decode(dict[str, dict[str, Fact]], value, path))
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(typing.cast(type, kind), value, path)
    return _decode_scalar(kind, value, path)


def _decode_literal(kind: Any, value: Any, path: str) -> Any:
    allowed = typing.get_args(kind)
    _expect(value in allowed, path, f"expected one of {', '.join(map(str, allowed))}", value)
    return value


def _decode_union(kind: Any, value: Any, path: str) -> Any:
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    if value is None:
        return None
    return _decode(options[0], value, path)


def _decode_sequence(kind: Any, origin: Any, value: Any, path: str) -> Any:
    _expect(isinstance(value, (list, tuple)), path, "expected a list", value)
    item_kind = typing.get_args(kind)[0]
    return origin(_decode(item_kind, item, f"{path}[{index}]") for index, item in enumerate(value))


def _decode_dataclass(kind: type, value: Any, path: str) -> Any:
    _expect(isinstance(value, Mapping), path, "expected a mapping", value)
    hints = _hints(kind)
    prefix = f"{path}." if path else ""
    for key in value:
        if key not in hints:
            raise DecodeError(f"{prefix}{key}", f"unknown key; known are {', '.join(hints)}")
    for field in dataclasses.fields(kind):
        if field.name not in value and _is_required(field):
            raise DecodeError(f"{prefix}{field.name}", "is missing")
    return kind(**{key: _decode(hints[key], item, f"{prefix}{key}") for key, item in value.items()})


def _decode_scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is datetime.date:
        return _decode_date(value, path)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    matches = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    _expect(matches, path, f"expected {kind.__name__}", value)
    return plain(value)


def _decode_date(value: Any, path: str) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise DecodeError(path, f"expected a date such as 2027-01-31, found {value!r}") from None


def _expect(condition: bool, path: str, expected: str, value: Any) -> None:
    if not condition:
        raise DecodeError(path, f"{expected}, found {value!r}"[:300])
