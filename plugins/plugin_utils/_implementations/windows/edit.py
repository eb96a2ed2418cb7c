# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets to steps on Windows: pure, from what the collector brought; the interpreter compares before it writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from ..._model.collected import Collected
from ..._model.fact import FactSet
from ..._model.setting import Setting
from ..._model.step import Blocked, Change, Edited, Step, Target
from . import edit_objects, edit_settings, edit_smb1
from .edit_advice import advice
from .edit_site import Proposal, Refused, Site
from .product import product
from .stores import stores

_Key = tuple[str, str, str]


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet, settings: Mapping[str, Setting]) -> Edited:
    """Return the steps that give the targets their values, what people read of them, and what no step can do.

    Two targets that want one and the same thing share a step. A target whose value is written and only waits to come
    into force gives nothing: the planner knows what it waits for.

    Args:
        targets: of facts ``windows.*``.
        collected: the host's answer.
        facts: what was read from it, those of the host included.
        settings: the property table of Windows, by fact id.
    """
    windows = product(collected, facts)
    wanted = {target.fact: target.value for target in targets if not target.object}
    site = Site(collected, facts, settings, windows, stores(collected, windows.release), wanted)
    draft = _Draft(site)
    for found in _proposals(targets, site):
        if isinstance(found, Blocked):
            draft.refused.append(found)
        else:
            draft.add(found)
    return Edited(tuple(draft.steps), tuple(draft.changes), tuple(draft.refused))


def _proposals(targets: Sequence[Target], site: Site) -> Iterator[Proposal | Blocked]:
    """Yield what each target comes to, in their order; SMB 1.0 as a whole where the first of it stands."""
    objects = edit_objects.Objects(site)
    smb1 = [target for target in targets if target.fact in edit_smb1.FACTS]
    for target in edit_settings.sequence(targets):
        if target.fact in edit_smb1.FACTS:
            yield from edit_smb1.propose(smb1, site)
            smb1 = []
            continue
        try:
            found = _one(target, site, objects)
        except Refused as refused:
            yield refused.blocked(target)
            continue
        if found is not None:
            yield found


def _one(target: Target, site: Site, objects: edit_objects.Objects) -> Proposal | None:
    if target.fact in edit_objects.FACTS:
        return objects.propose(target)
    if target.fact in site.settings:
        return edit_settings.propose(target, site)
    raise Refused("edit", advice(target.fact))


class _Draft:
    """What is planned so far: one step per place."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.steps: list[Step] = []
        self.changes: list[Change] = []
        self.refused: list[Blocked] = []
        self._places: dict[_Key, tuple[Step, str]] = {}

    def add(self, proposal: Proposal) -> None:
        """Take a proposal over, or refuse what would undo another."""
        step, target = proposal.step, proposal.target
        key = (step.kind, step.target.lower(), step.name.lower())
        known = self._places.get(key)
        if known is None:
            numbered = dataclasses.replace(step, id=len(self.steps) + 1)
            self.steps.append(numbered)
            self._places[key] = known = (numbered, target.control)
        planned, control = known
        if planned.after == step.after:
            self.changes.append(proposal.change(planned.id, self.site))
            return
        why = f"{control} and {target.control} want different values of {proposal.address}: leave one of them out"
        self.refused.append(Refused("edit", why).blocked(target))
