# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lines have to change, so that wanted values hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from ..._model.setting import Setting
from ..._model.step import Target
from ..._model.text import visible
from . import values
from .edit_layout import REGISTRY, Layout, Place, Spot
from .settings import Table, key


@dataclass(frozen=True, slots=True)
class Wish:
    """A value that shall hold in one section.

    Attributes:
        setting: of what.
        scope: share's name in lower case; "" for [global].
        value: see there.
        targets: who asks for it.
        stands: it holds today, and has to stay.
    """

    setting: Setting
    scope: str
    value: Any
    targets: tuple[Target, ...]
    stands: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """One line that is written.

    Attributes:
        setting, value: what it says.
        section: share's name, or "global".
        name: as it is spelled.
        text: the native value.
        old: the item that it replaces.
        spot: where it goes, when it replaces none.
        wishes: what it is for.
    """

    setting: Setting
    value: Any
    section: str
    name: str
    text: str
    old: Place | None
    spot: Spot | None
    wishes: tuple[Wish, ...]

    @property
    def path(self) -> str:
        """Return the file that it stands in, or REGISTRY."""
        return self.old.path if self.old is not None else self.spot.path if self.spot is not None else REGISTRY


Refusals = list[tuple[Wish, str]]
"""What cannot be written, and why."""
Apart = Set[tuple[str, str]]
"""(fact, scope) of shares that get a line of their own."""


class Chooser:
    """Chooses lines for wishes; what cannot be written is in ``refused``."""

    def __init__(self, layout: Layout, apart: Apart) -> None:
        self.layout = layout
        self.apart = apart
        self.edits: list[Edit] = []
        self.refused: Refusals = []

    def choose(self, wishes: Iterable[Wish]) -> None:
        """Add the edits for wishes of any settings."""
        by_fact: dict[str, dict[str, Wish]] = {}
        for wish in wishes:
            by_fact.setdefault(wish.setting.id, {})[wish.scope] = wish
        for by_scope in by_fact.values():
            self._setting(next(iter(by_scope.values())).setting, by_scope)

    def _setting(self, setting: Setting, by_scope: Mapping[str, Wish]) -> None:
        for scopes in self._sources(setting).values():
            asking = [by_scope[scope] for scope in scopes if scope in by_scope]
            if not asking:
                continue
            together, alone = self._together(setting, scopes, asking)
            if together:
                self._write(setting, together, "" if "" in scopes else scopes[0])
            for wish in alone:
                self._own(setting, wish)

    def _sources(self, setting: Setting) -> dict[str, list[str]]:
        """Return which sections have their value from one and the same line; the key of no line is ""."""
        configuration = self.layout.configuration
        found: dict[str, list[str]] = {}
        for scope in ["", *(configuration.shares if setting.context == "share" else ())]:
            value = self.layout.value(scope, setting.id)
            found.setdefault(value.origin.where if value is not None else "", []).append(scope)
        return found

    def _together(self, setting: Setting, scopes: list[str], asking: list[Wish]) -> tuple[list[Wish], list[Wish]]:
        """Return the wishes that one line for all these sections fulfils, and those that need lines of their own.

        What [global] is asked for holds for the shares that take it over. Without that, every share that relies on a
        line has to ask for the same.
        """
        general = next((wish for wish in asking if not wish.scope), None)
        shares = [wish for wish in asking if wish.scope and not wish.stands]
        joining = [wish for wish in shares if (setting.id, wish.scope) not in self.apart]
        if general is not None and not general.stands:
            shares = [wish for wish in asking if wish.scope]
            joining = [wish for wish in joining if _serves(setting, general.value, wish.value)]
            joining += [wish for wish in shares if wish.stands and _serves(setting, general.value, wish.value)]
        elif general is not None or len(shares) < sum(1 for scope in scopes if scope) or _differ(joining):
            joining = []
        served = {wish.scope for wish in joining}
        alone = [wish for wish in shares if wish.scope not in served]
        return [*([general] if general is not None and not general.stands else ()), *joining], alone

    def _write(self, setting: Setting, wishes: list[Wish], scope: str) -> None:
        """Change the line that gives these sections their value; where none does, add one to [global]."""
        value = self.layout.value(scope, setting.id)
        if value is None:
            self._add(setting, wishes, self.layout.in_global(), "global")
            return
        place = self.layout.place(value, setting)
        if place is not None:
            self._replace(setting, wishes, place)
        elif value.origin.kind == "default":
            self.refused += [(wish, f"Samba itself sets {setting.name!r} here, whatever is written") for wish in wishes]
        elif not scope:
            self._add(setting, wishes, self.layout.in_global(), "global")
        else:
            for wish in wishes:
                self._own(setting, wish)

    def _own(self, setting: Setting, wish: Wish) -> None:
        """Add a line to a share's own section, after whatever it has its value from."""
        value = self.layout.value(wish.scope, setting.id)
        place = self.layout.place(value, setting) if value is not None else None
        share = self.layout.configuration.shares[wish.scope]
        later = place.turn if place is not None and place.path != REGISTRY else -1
        registry = place is not None and place.path == REGISTRY and place.before == wish.scope
        spot = Spot(REGISTRY, None) if registry else self.layout.in_share(wish.scope, later)
        self._add(setting, [wish], spot, share.name)

    def _replace(self, setting: Setting, wishes: list[Wish], place: Place) -> None:
        found = self.layout.sources.table.find(place.item.name)
        inverted = found is not None and found[1]
        section = self._section(place.before)
        if place.path == REGISTRY:
            name, _inverted = native_name(setting, self.layout.sources.table)
            if key(name) != key(place.item.name):
                why = f"the registry spells {setting.name!r} as {visible(place.item.name)!r}, which net conf cannot change"
                self.refused += [(wish, why) for wish in wishes]
                return
        self._edit(setting, wishes, section, place.item.name, inverted, place, None)

    def _add(self, setting: Setting, wishes: list[Wish], spot: Spot, section: str) -> None:
        name, inverted = native_name(setting, self.layout.sources.table)
        self._edit(setting, wishes, section, name, inverted, None, spot)

    def _edit(
        self,
        setting: Setting,
        wishes: list[Wish],
        section: str,
        name: str,
        inverted: bool,
        old: Place | None,
        spot: Spot | None,
    ) -> None:
        value = wishes[0].value
        given = self.layout.value(wishes[0].scope, setting.id)
        source = old or (self.layout.place(given, setting) if given is not None else None)
        try:
            text = values.format(setting, value, inverted=inverted, old=source.item.value if source else "")
        except values.BadValue as error:
            self.refused += [(wish, f"{setting.name!r}: {error}") for wish in wishes]
            return
        self.edits.append(Edit(setting, value, section, name, text, old, spot, tuple(wishes)))

    def _section(self, scope: str) -> str:
        share = self.layout.configuration.shares.get(scope)
        return share.name if share is not None else scope or "global"


def _differ(wishes: Iterable[Wish]) -> bool:
    values_wanted = [wish.value for wish in wishes]
    return any(value != values_wanted[0] for value in values_wanted)


def _serves(setting: Setting, given: Any, wanted: Any) -> bool:
    """Whether a value is as good as another: the same, or a stronger one."""
    if given == wanted:
        return True
    scale = setting.scale
    return given in scale and wanted in scale and scale.index(given) > scale.index(wanted)


def native_name(setting: Setting, table: Table) -> tuple[str, bool]:
    """Return the first of a setting's names that the release knows, and whether its sense is the opposite one."""
    for name in (setting.name, *setting.synonyms):
        found = table.find(name.lstrip("!"))
        if found is not None and found[0].id == setting.id:
            return name.lstrip("!"), found[1]
    return setting.name, False
