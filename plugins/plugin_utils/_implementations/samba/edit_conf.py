# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wanted values of smb.conf → steps: read as the reader reads, changed by line, and proved before it is returned."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._model.collected import Collected
from ..._model.editing import refused
from ..._model.exact import checksums, exact
from ..._model.fact import FactSet
from ..._model.setting import Setting
from ..._model.step import Blocked, Edited, Target
from . import conf, edit_obstacles, edit_steps, loglevel, sources
from .edit_choice import Chooser, Edit, Refusals, Wish
from .edit_layout import REGISTRY, Layout, Sources
from .edit_proof import Flaw, flaws
from .merge import same
from .settings import Table, key

_ROUNDS = 6
"""How often what spoils the result is left out one by one; after that, all that is suspicious is."""

_FOR_ITS_OWNER = {
    "samba.bind_interfaces_only": (
        "which interfaces clients come through is for its owner to say: set 'interfaces' (with lo, which smbpasswd and "
        "winbind need) and 'bind interfaces only = yes' together"
    ),
    "samba.max_smbd_processes": "how many clients this server has to bear is for its owner to say: set 'max smbd processes'",
}
"""Parameters whose value no control can know, or that cut clients off without another one that none can know."""


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet, settings: Mapping[str, Setting]) -> Edited:
    """Return the steps for targets whose facts are parameters of smb.conf. The arguments are those of ``edit.edit``."""
    try:
        editor = _Editor(collected, facts, settings)
    except conf.Unreadable as error:
        return refused(targets, str(error))
    return editor.edit(targets)


class _Editor:
    def __init__(self, collected: Collected, facts: FactSet, settings: Mapping[str, Setting]) -> None:
        """Read the configuration; ``conf.Unreadable`` says why nothing of it can be edited."""
        self.facts = facts
        self.version = str(facts.in_force("samba.version") or "")
        self.table = Table(settings.values(), self.version)
        self.read = sources.files(collected)
        self.checksums = checksums(collected, "samba.sha256")
        self.overridden = edit_obstacles.overridden(collected)
        self._texts: dict[str, str] = {}
        self._closed: dict[str, str] = {}  # path → why that file cannot be edited, "" when it can
        main = collected.text("samba.conf")
        if not main:
            raise conf.Unreadable("no smb.conf was found")
        if why := edit_obstacles.appliance(main, facts):
            raise conf.Unreadable(why)
        self.layout = Layout(Sources(main, self.text, self.table, sources.registry(collected)))
        if self.layout.configuration.errors:
            raise conf.Unreadable(f"Samba refuses this configuration: {self.layout.configuration.errors[0]}")
        if why := edit_obstacles.switched(self.layout):
            raise conf.Unreadable(why)

    def text(self, path: str) -> str | None:
        """Return a file's text, with the end of its last line where that is known."""
        if path not in self._texts:
            read = self.read(path)
            if read is None:
                return None
            whole = exact(read, self.checksums.get(path))
            self._closed[path] = edit_obstacles.of_file(path, read, whole)
            self._texts[path] = read if whole is None else whole
        return self._texts[path]

    def original(self, path: str) -> str:
        """Return the text of a file that is there."""
        return self.text(path) or ""

    def edit(self, targets: Sequence[Target]) -> Edited:
        """Return the steps; what spoils the result is left out, and the rest is kept."""
        wishes, refusals = self._wishes(targets)
        apart: set[tuple[str, str]] = set()
        turn = 0
        while True:
            edits, turned_down = self._chosen(wishes, apart)
            changed = edit_steps.texts(edits, self.layout, self.original)
            found = self._flaws(edits, changed, wishes)
            if not found:
                break
            turn += 1
            moved = self._apart(edits, found, apart) if turn <= _ROUNDS else set()
            if moved:
                apart |= moved
                continue
            spoilt = self._spoilt(edits, found, thorough=turn > _ROUNDS)
            refusals += [target.blocked("edit", why) for wish, why in spoilt for target in wish.targets]
            dropped = {(wish.setting.id, wish.scope) for wish, _why in spoilt}
            wishes = [wish for wish in wishes if (wish.setting.id, wish.scope) not in dropped]
        refusals += [target.blocked("edit", why) for wish, why in turned_down for target in wish.targets]
        steps, numbers = edit_steps.steps(edits, changed, self.layout, self.original)
        return Edited(tuple(steps), tuple(edit_steps.changes(edits, numbers, self.layout)), tuple(refusals))

    # What is wanted --------------------------------------------------------------------------------------------

    def _wishes(self, targets: Iterable[Target]) -> tuple[list[Wish], list[Blocked]]:
        """Return one wish for each setting and section, and what cannot be asked for. What stands altogether is left out."""
        found: dict[tuple[str, str], Wish] = {}
        refusals: list[Blocked] = []
        by_id = {setting.id: setting for setting in self.table.settings}
        for target in targets:
            setting = by_id.get(loglevel.LEVEL if target.fact == loglevel.AUTH else target.fact)
            why = self._unknown(target, setting)
            if setting is None or why:
                refusals.append(target.blocked("edit", why))
                continue
            scope = target.object.lower() if setting.context == "share" else ""
            try:
                value = self._value(target, setting)
            except ValueError as error:
                refusals.append(target.blocked("edit", str(error)))
                continue
            wish = Wish(setting, scope, value, (target,))
            other = found.get((setting.id, scope))
            joined = wish if other is None else _joined(other, wish)
            if joined is None:
                why = f"{setting.name!r}: another control wants {other.value if other else None!r} in the same place"
                refusals.append(target.blocked("edit", why))
            else:
                found[setting.id, scope] = joined
        looked_at = [dataclasses.replace(wish, stands=self._stands(wish)) for wish in found.values()]
        moving = {wish.setting.id for wish in looked_at if not wish.stands}
        return [wish for wish in looked_at if wish.setting.id in moving], refusals

    def _unknown(self, target: Target, setting: Setting | None) -> str:
        if target.fact in _FOR_ITS_OWNER:
            return _FOR_ITS_OWNER[target.fact]
        if setting is None:
            return "this release of Samba has no such parameter; upgrade it, or leave the control out"
        names = [key(name.lstrip("!")) for name in (setting.name, *setting.synonyms)]
        option = next((self.overridden[name] for name in names if name in self.overridden), None)
        if option is not None:
            return f"smbd was started with --option={option!r}, which wins over smb.conf; change how it is started"
        if (
            setting.context == "share"
            and target.object
            and target.object.lower() not in self.layout.configuration.shares
        ):
            share = self.facts.get("samba.share", target.object)
            value = share.configured if share is not None else None
            if isinstance(value, dict) and value.get("kind") == "usershare":
                return f"{target.object!r} is a share that a user made; 'net usershare' changes or removes it"
            return f"no section [{target.object}] stands in the files"
        return ""

    def _value(self, target: Target, setting: Setting) -> Any:
        """Return the value that has to be written for a target."""
        if target.fact != loglevel.AUTH:
            return target.value
        written = self.layout.value("", setting.id)
        place = self.layout.place(written, setting) if written is not None else None
        text = place.item.value if place is not None else "0"
        return loglevel.raised(text, target.value, self.version)

    def _stands(self, wish: Wish) -> bool:
        """Whether a value stands there already: then it is only not in force yet."""
        setting, name = wish.setting, wish.targets[0].object if wish.scope else ""
        written = self.layout.value(wish.scope, setting.id)
        if written is not None:
            return same(setting, written.value, wish.value)
        fact = self.facts.get(setting.id, name) or self.facts.get(setting.id)
        return fact is not None and fact.configured is not None and same(setting, fact.configured, wish.value)

    # How it is written -----------------------------------------------------------------------------------------

    def _chosen(self, wishes: Iterable[Wish], apart: set[tuple[str, str]]) -> tuple[list[Edit], Refusals]:
        chooser = Chooser(self.layout, apart)
        chooser.choose(wishes)
        turned_down = chooser.refused
        edits = []
        for item in chooser.edits:
            why = self._obstacle(item)
            if why:
                turned_down += [(wish, why) for wish in item.wishes]
            else:
                edits.append(item)
        return edits, turned_down

    def _obstacle(self, item: Edit) -> str:
        if item.path == REGISTRY:
            return ""
        turn = item.old.turn if item.old is not None else item.spot.turn if item.spot is not None else -1
        return edit_obstacles.conditional(self.layout, turn) or self._closed[item.path]

    # Whether it would be right ---------------------------------------------------------------------------------

    def _flaws(self, edits: Sequence[Edit], changed: Mapping[str, str], wishes: Iterable[Wish]) -> list[Flaw]:
        if not edits:
            return []
        new = self.layout.sources.changed(changed)
        try:
            after = conf.load(new.main, new.read, new.table, new.registry)
        except conf.Unreadable as error:
            return [Flaw("", "", str(error))]
        kept = {(wish.setting.id, wish.scope) for wish in wishes if wish.stands}
        return flaws(self.layout.configuration, after, edits, kept, self.table)

    @staticmethod
    def _apart(edits: Iterable[Edit], found: Iterable[Flaw], apart: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return the shares that get lines of their own: a line in [global] does not reach them, or reaches too far."""
        shared = {
            (item.setting.id, wish.scope)
            for item in edits
            if item.section == "global"
            for wish in item.wishes
            if wish.scope
        } - apart
        flawed = {(flaw.fact, flaw.scope) for flaw in found}
        too_far = {fact for fact, scope in flawed - shared if scope}
        return {(fact, scope) for fact, scope in shared if (fact, scope) in flawed or fact in too_far}

    def _spoilt(self, edits: Sequence[Edit], found: Sequence[Flaw], *, thorough: bool) -> Refusals:
        """Return the wishes that have to go, with the flaw that says so.

        Those that a flaw is about; where it is about none, those of its parameter whose value stood in the same place;
        else, or when ``thorough``, all of its parameter; else simply all.
        """
        wishes = [wish for item in edits for wish in item.wishes]
        exact_ones = {(wish.setting.id, wish.scope): [wish] for wish in wishes}
        near: dict[tuple[str, str], list[Wish]] = {}
        by_fact: dict[str, list[Wish]] = {}
        for wish in wishes:
            near.setdefault((wish.setting.id, self._source(wish.scope, wish.setting.id)), []).append(wish)
            by_fact.setdefault(wish.setting.id, []).append(wish)
        spoilt: dict[tuple[str, str], tuple[Wish, str]] = {}
        for flaw in found:
            mine = exact_ones.get((flaw.fact, flaw.scope))
            words = "it cannot be written so that it counts" if mine else "writing it would change something else"
            nearest = mine or near.get((flaw.fact, self._source(flaw.scope, flaw.fact)))
            for wish in (None if thorough else nearest) or by_fact.get(flaw.fact) or wishes:
                spoilt.setdefault((wish.setting.id, wish.scope), (wish, f"{words}: {flaw.what}"))
        return list(spoilt.values())

    def _source(self, scope: str, fact_id: str) -> str:
        value = self.layout.value(scope, fact_id)
        return value.origin.where if value is not None else ""


def _joined(one: Wish, two: Wish) -> Wish | None:
    """Return the wish for what two controls want in the same place: the stronger value; None when there is none."""
    scale = one.setting.scale
    targets = one.targets + two.targets
    if one.value == two.value:
        return dataclasses.replace(one, targets=targets)
    if one.value in scale and two.value in scale:
        return dataclasses.replace(max(one, two, key=lambda wish: scale.index(wish.value)), targets=targets)
    return None
