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
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .fact import Fact, FactSet

T = TypeVar("T")
_PLAIN = frozenset({str, bool, int, float})


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

    def within(self, place: str) -> DecodeError:
        """Return the same error, seen from the document that holds this one at ``place``."""
        joint = "." if place and self.path and not self.path.startswith("[") else ""
        return DecodeError(f"{place}{joint}{self.path}", self.reason)


def encode(value: Any) -> Any:
    """Return ``value`` as plain JSON data."""
    if value is None or type(value) in _PLAIN:  # most values: nothing to look for
        return value
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


Decoder = Callable[[Any], Any]


def decode(kind: type[T], document: Any, path: str = "") -> T:
    """Return ``document`` as an instance of ``kind``.

    Raises:
        DecodeError: the document does not have that form.
    """
    try:
        return typing.cast(T, _decoder(typing.cast(Any, kind))(document))
    except DecodeError as error:
        raise error.within(path) from None


@functools.cache
def _decoder(kind: Any) -> Decoder:
    """Return the function that decodes one type: annotations are looked at once, not once per value.

    A function knows only its own value; the path to it is put together while an error travels up.
    """
    if kind is Any:
        return lambda value: value
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return _literal_decoder(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional_decoder(kind)
    if origin in (list, tuple):
        return _sequence_decoder(kind, origin)
    if origin is dict:
        return _mapping_decoder(typing.get_args(kind)[1])
    if kind is FactSet:
        facts = _decoder(dict[str, dict[str, Fact]])
        return lambda value: FactSet(facts(value))
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(typing.cast(type, kind))
    return _date if kind is datetime.date else _scalar_decoder(kind)


def _literal_decoder(kind: Any) -> Decoder:
    allowed = typing.get_args(kind)

    def literal(value: Any) -> Any:
        if value not in allowed:
            raise _unexpected(f"one of {', '.join(map(str, allowed))}", value)
        return value

    return literal


def _optional_decoder(kind: Any) -> Decoder:
    present = _decoder(next(option for option in typing.get_args(kind) if option is not type(None)))
    return lambda value: None if value is None else present(value)


def _sequence_decoder(kind: Any, origin: Callable[[list[Any]], Any]) -> Decoder:
    decode_item = _decoder(typing.get_args(kind)[0])

    def sequence(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise _unexpected("a list", value)
        items = []
        for item in value:
            try:
                items.append(decode_item(item))
            except DecodeError as error:
                raise error.within(f"[{len(items)}]") from None
        return origin(items)

    return sequence


def _mapping_decoder(item_kind: Any) -> Decoder:
    decode_item = _decoder(item_kind)

    def mapping(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _unexpected("a mapping", value)
        items = {}
        for key, item in value.items():
            try:
                items[str(key)] = decode_item(item)
            except DecodeError as error:
                raise error.within(str(key)) from None
        return items

    return mapping


@functools.cache
def _fields(kind: type) -> tuple[dict[str, Decoder], tuple[str, ...]]:
    """Return a dataclass's decoders by field, and the fields that must be there."""
    missing = dataclasses.MISSING
    required = [f.name for f in dataclasses.fields(kind) if f.default is missing and f.default_factory is missing]
    return {name: _decoder(hint) for name, hint in typing.get_type_hints(kind).items()}, tuple(required)


def _dataclass_decoder(kind: type) -> Decoder:
    def instance(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _unexpected("a mapping", value)
        decoders, required = _fields(kind)  # here, not outside: a dataclass may hold itself
        for key in value:
            if key not in decoders:
                raise DecodeError(str(key), f"unknown key; known are {', '.join(decoders)}")
        for name in required:
            if name not in value:
                raise DecodeError(name, "is missing")
        arguments = {}
        for key, item in value.items():
            try:
                arguments[key] = decoders[key](item)
            except DecodeError as error:
                raise error.within(key) from None
        return kind(**arguments)

    return instance


def _scalar_decoder(kind: Any) -> Decoder:
    def scalar(value: Any) -> Any:
        if value.__class__ is kind:  # not a subclass: Ansible tags strings by subclassing
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _unexpected(kind.__name__, value)
        return plain(value)

    return scalar


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _unexpected("a date such as 2027-01-31", value) from None


def _unexpected(expected: str, value: Any) -> DecodeError:
    return DecodeError("", f"expected {expected}, found {value!r}"[:300])
