# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The property table of Samba: from its YAML form to settings, and a lookup that knows Samba's spelling rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..._model.setting import Default, Setting


def fact_id(name: str) -> str:
    """Return the fact id of a parameter: ``server min protocol`` → ``samba.server_min_protocol``."""
    return "samba." + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def rows(document: Mapping[str, Any]) -> list[Setting]:
    """Return the settings of a ``settings.yml`` document."""
    enums = document["enums"]
    return [_row(name, row, enums.get(row.get("enum"), {})) for name, row in document["settings"].items()]


def _row(name: str, row: Mapping[str, Any], enum: Mapping[str, Any]) -> Setting:
    return Setting(
        id=fact_id(name),
        name=name,
        context=row["context"],
        type=row["type"],
        synonyms=tuple(row.get("synonyms", ())),
        tokens=dict(enum.get("tokens", {})),
        scale=tuple(enum.get("scale", ())),
        defaults=tuple(Default(str(since), value) for since, value in row.get("defaults", {}).items()),
        restart=row.get("restart", "reload"),
        since=dict(row.get("since", {})),
        size=row.get("size", False),
        secret=row.get("secret", False),
    )


def key(name: str) -> str:
    """Return what Samba compares parameter names by: no case, no blanks."""
    return "".join(name.split()).lower()


class Table:
    """Settings by any of the names that a release knows them by; without a version, by any name at all."""

    def __init__(self, settings: Iterable[Setting], version: str = "") -> None:
        wanted = release(version)
        self.settings = tuple(setting for setting in settings if known(setting, wanted))
        self.shared = tuple(setting for setting in self.settings if setting.context == "share")
        self._by_key: dict[str, tuple[Setting, bool]] = {}
        for setting in self.settings:
            for name in (setting.name, *setting.synonyms):
                plain = name.lstrip("!")
                if wanted == (0, 0) or release(setting.since.get(plain, "")) <= wanted:
                    self._by_key[key(plain)] = (setting, name.startswith("!"))

    def find(self, name: str) -> tuple[Setting, bool] | None:
        """Return the setting of that name, and whether the name has the opposite sense."""
        return self._by_key.get(key(name))


def release(version: str) -> tuple[int, int]:
    """Return major and minor release of a version text; (0, 0) when it holds none."""
    match = re.search(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def known(setting: Setting, wanted: tuple[int, int]) -> bool:
    """Return whether a release has this parameter; what has no recorded history is taken to be there."""
    if wanted == (0, 0) or not setting.defaults:
        return True
    current = None
    for row in setting.defaults:
        if release(row.since) <= wanted:
            current = row
    return current is not None and current.value is not None


def default(setting: Setting, version: str) -> Any:
    """Return the default of a release; None when it has no such parameter or the default is not known."""
    wanted = _patch_release(version)
    value = None
    for row in setting.defaults:
        if _patch_release(row.since) > wanted:
            break
        value = row.value
    return value


def _patch_release(version: str) -> tuple[int, int, int]:
    """Return major, minor and patch release: security releases have changed defaults within a series."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else (0, 0, 0)
