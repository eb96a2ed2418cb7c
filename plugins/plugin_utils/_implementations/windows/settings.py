# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The property table of Windows: from its YAML form to settings, and what is in force where nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..._model.setting import Address, Default, Setting
from ..._model.when import When, holds

UNKNOWN_VERSION = "the version of Windows is not known"
_KINDS = {"boolean": "dword", "integer": "dword", "enum": "dword", "list": "multi_sz", "string": "sz"}
_SECTION = "System Access"


def rows(document: Mapping[str, Any]) -> list[Setting]:
    """Return the settings of a ``settings.yml`` document."""
    forms = _Forms(document)
    return [forms.setting(name, row) for name, row in document["settings"].items()]


class _Forms:
    """The abbreviations of the document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.keys: Mapping[str, str] = document["keys"]
        self.codecs: Mapping[str, Any] = document["codecs"]
        self.hosts = {str(name): When(**_tuples(row)) for name, row in document["hosts"].items()}

    def setting(self, name: str, row: Mapping[str, Any]) -> Setting:
        """Return one row."""
        codec = {**self.codecs.get(row.get("type", ""), {}), **_own_codec(row)}
        kind = codec.get("type", row.get("type", "boolean"))
        addresses = tuple(self._addresses(row, codec, kind))
        return Setting(
            id=f"windows.{name}",
            name=row.get("name") or addresses[0].name,
            context="global",
            type=kind,
            tokens=dict(codec.get("tokens", {})),
            implied=tuple(codec.get("also", ())),
            codec=codec.get("codec", ""),
            scale=tuple(codec.get("scale", ())),
            defaults=tuple(self._defaults(row)),
            restart=row.get("restart", "none"),
            addresses=addresses,
            available=self._when(row["available"]) if "available" in row else None,
            security_option=row.get("security_option", False),
        )

    def _when(self, hosts: Any) -> When:
        if isinstance(hosts, Mapping):
            return When(**_tuples(hosts))
        text = str(hosts)
        return self.hosts[text] if text in self.hosts else When(version=text)

    def _defaults(self, row: Mapping[str, Any]) -> Iterator[Default]:
        if "default" in row:
            yield Default(value=row["default"], why=row.get("why", ""))
        for item in row.get("defaults", ()):
            when = self._when(item["hosts"]) if "hosts" in item else None
            yield Default(value=item["value"], when=when, why=item.get("why", ""))

    def _addresses(self, row: Mapping[str, Any], codec: Mapping[str, Any], kind: str) -> Iterator[Address]:
        """Yield the addresses, those that override first."""
        for place in ("policy", "local", "secedit", "right", "audit", "server", "client"):
            given = row.get(place, [])
            for item in given if isinstance(given, list) else [given]:
                more = item if isinstance(item, Mapping) else {"at": item}
                yield self._address(place, more, codec, kind)

    def _address(self, place: str, row: Mapping[str, Any], codec: Mapping[str, Any], kind: str) -> Address:
        given: dict[str, Any] = {
            "name": row["at"],
            "inverted": row.get("inverted", False),
            "tokens": dict(row.get("tokens", {})),
            "when": self._when(row["hosts"]) if "hosts" in row else None,
        }
        if place in ("server", "client"):
            given["tokens"] = given["tokens"] or dict(codec.get("property", {}))
            return Address(
                truth="effective", store="server_property" if place == "server" else "client_property", **given
            )
        if place == "secedit":
            return Address(truth="configured", store="secedit", key=_SECTION, **given)
        if place == "right":
            return Address(truth="configured", store="right", **given)
        if place == "audit":
            return Address(truth="configured", store="audit", **{**given, "name": "{" + row["at"] + "}"})
        alias, _bang, given["name"] = row["at"].partition("!")
        head, separator, tail = alias.partition("\\")
        native = {"bits": "dword", "sddl": "sz"}.get(codec.get("codec", ""), _KINDS[kind])
        return Address(
            truth="policy" if place == "policy" else "configured",
            store="registry",
            key=f"{self.keys[head]}{separator}{tail}",
            kind=row.get("kind", native),
            **given,
        )


def _own_codec(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("tokens", "scale", "also", "codec") if name in row}


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(item) if isinstance(item, list) else item for name, item in row.items()}


def available(setting: Setting, version: str, traits: Collection[str]) -> bool:
    """Return whether such a host knows the setting; an unknown version may know it."""
    return holds(setting.available, version, traits) is not False


def counts(address: Address, version: str, traits: Collection[str]) -> bool:
    """Return whether what stands at an address has an effect on such a host; on an unknown version it may."""
    return holds(address.when, version, traits) is not False


def default(setting: Setting, version: str, traits: Collection[str]) -> Default:
    """Return what is in force on such a host when nothing is written; a value of None says in ``why`` why not."""
    for row in setting.defaults:
        fits = holds(row.when, version, traits)
        if fits is None:
            return Default(why=UNKNOWN_VERSION)
        if fits:
            return row if row.value is not None or row.why else Default(why=_unwritten(setting))
    return Default(why=_unwritten(setting))


def _unwritten(setting: Setting) -> str:
    return f"{setting.name} is not there, and what that means is not known"
