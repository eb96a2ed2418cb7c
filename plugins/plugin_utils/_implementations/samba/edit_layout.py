# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where in a configuration each value stands, and where a new line has to go to be seen. Sans-I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..._model.setting import Setting
from ..._model.text import visible
from . import conf
from .grammar import Item
from .settings import Table, key

REGISTRY = ""
"""Stands for the path where the registry's listing is meant."""


@dataclass(frozen=True, slots=True)
class Place:
    """An item that has taken effect.

    Attributes:
        path: its file, or REGISTRY.
        item: see there.
        before, after: the section around it: the share's name in lower case, "" for [global].
        turn: its number, in the order in which items take effect; what includes others comes after them.
    """

    path: str
    item: Item
    before: str
    after: str
    turn: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a line may be added: after a line of a file; ``header``: below a [global] of its own.

    ``place`` is the item before it, None at the top of a file.
    """

    path: str
    place: Place | None
    header: bool = False

    @property
    def turn(self) -> int:
        """Return the number of the item before it."""
        return self.place.turn if self.place is not None else -1


@dataclass(frozen=True, slots=True)
class Sources:
    """What a configuration is read from: see ``conf.load``; ``registry`` is the listing, when there is one."""

    main: str
    read: conf.ReadFile
    table: Table
    registry: str | None

    def changed(self, texts: Mapping[str, str]) -> Sources:
        """Return the same with other texts of some files."""
        old = self.read
        return Sources(
            self.main,
            lambda path: texts[path] if path in texts and path != REGISTRY else old(path),
            self.table,
            texts.get(REGISTRY, self.registry),
        )


class Layout:
    """One configuration with every item's place.

    Attributes:
        configuration: what it means.
        places: in the order in which they take effect.
        conditional: the last include whose file depends on who connects.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.places: list[Place] = []
        self.visits: Counter[str] = Counter()
        self.conditional: Place | None = None
        self._written: dict[str, Place] = {}
        self._listed: dict[tuple[str, str], Place] = {}
        self._home: dict[str, Place] = {}
        self._last: dict[str, Place] = {}

        def read(path: str) -> str | None:
            self.visits[path] += 1
            return sources.read(path)

        self.configuration = conf.load(sources.main, read, sources.table, sources.registry, self._watch)
        self._find_homes()

    def _watch(self, path: str, item: Item, before: conf.Share | None, after: conf.Share | None) -> None:
        place = Place(path, item, _scope(before), _scope(after), len(self.places))
        self.places.append(place)
        if path == REGISTRY:
            found = self.sources.table.find(item.name)
            if found is not None:
                self._listed[place.before, found[0].id] = place
            return
        self._written[f"{visible(path)}:{item.line}"] = place
        if item.kind == "parameter" and "%" in item.value and key(item.name) == "include":
            self.conditional = place

    def _find_homes(self) -> None:
        """Per share: the last item of its section in the file that its header stands in, and its last item at all."""
        headers: dict[str, str] = {}
        for place in self.places:
            if place.after and place.item.kind == "section" and self.visits[place.path] == 1:
                headers[place.after] = place.path
        for place in self.places:
            if place.after and place.path != REGISTRY:
                self._last[place.after] = place
                if headers.get(place.after) == place.path:
                    self._home[place.after] = place

    @property
    def only_registry(self) -> bool:
        """Whether the text counts for nothing."""
        backend = self.configuration.globals.get("samba.config_backend")
        return backend is not None and backend.value == "registry"

    def value(self, scope: str, fact_id: str) -> conf.Value | None:
        """Return what stands there today: see ``conf.Configuration.value``."""
        return self.configuration.value(scope, fact_id)

    def place(self, value: conf.Value, setting: Setting) -> Place | None:
        """Return the item that gave a value; None when no line says it (Samba's own doing, a printing system's)."""
        if value.origin.kind == "registry":
            section = value.origin.where.rpartition("\\")[2]
            return self._listed.get(("" if key(section) == "global" else section.lower(), setting.id))
        place = self._written.get(value.origin.where)
        found = self.sources.table.find(place.item.name) if place is not None else None
        return place if found is not None and found[0].id == setting.id else None

    def in_global(self) -> Spot:
        """Return where a line of [global] is seen by all shares: in its first block, after what stands there."""
        if self.only_registry:
            return Spot(REGISTRY, None)
        main = other = None
        for place in self.places:
            if place.after:
                break
            if place.path == self.sources.main:
                main = place
            elif place.path != REGISTRY and self.visits[place.path] == 1:
                other = place
        found = main or other
        if found is not None:
            return Spot(found.path, found)
        firsts = [place for place in self.places if place.path == self.sources.main]
        first = min(firsts, key=lambda place: place.item.line, default=None)
        return Spot(self.sources.main, None, header=first is None or first.item.kind == "section")

    def in_share(self, scope: str, after: int) -> Spot:
        """Return where a line of a share counts: in its section, and later than the item of number ``after``."""
        home = self._home.get(scope)
        if home is None or home.turn < after:
            home = self._last.get(scope, home)
        return Spot(REGISTRY, None) if home is None or self.only_registry else Spot(home.path, home)


def _scope(share: conf.Share | None) -> str:
    return "" if share is None else share.name.lower()
