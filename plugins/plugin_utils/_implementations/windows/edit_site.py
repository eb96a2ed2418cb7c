# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the editors of Windows share: what they know of a host, what they propose, and why they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet
from ..._model.setting import Setting
from ..._model.step import Blocked, BlockKind, Change, Native, Step, Target
from .product import Product
from .stores import Stores


@dataclass(frozen=True, slots=True)
class Site:
    """A host as its answer shows it.

    Attributes:
        collected, facts, settings: as ``edit`` got them.
        product, stores: which Windows it is, and what stands at its addresses.
        wanted: fact id → value of the host's own targets, for values that lean on each other.
    """

    collected: Collected
    facts: FactSet
    settings: Mapping[str, Setting]
    product: Product
    stores: Stores
    wanted: Mapping[str, Any]

    def fact(self, target: Target) -> Fact:
        """Return what is known of what a target would change; an empty fact where nothing is."""
        found = self.facts.get(target.fact, target.at) or self.facts.get(target.fact, target.object)
        return found or Fact()

    def setting(self, fact_id: str) -> Setting:
        """Return a row of the property table.

        Raises:
            Refused: the table has none.
        """
        found = self.settings.get(fact_id)
        if found is None:
            raise Refused("edit", f"no row of the property table is called {fact_id}")
        return found


class Refused(Exception):
    """A target that no step can be made for; ``why`` is one sentence for people."""

    def __init__(self, kind: BlockKind, why: str) -> None:
        super().__init__(why)
        self.kind: BlockKind = kind
        self.why = why

    def blocked(self, target: Target) -> Blocked:
        """Return what the plan says of the target."""
        return target.blocked(self.kind, self.why)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A step for a target, and how people write it.

    Attributes:
        step: without an id.
        address: where, as people write it.
        before, after: the values as people read them; None: nothing stands there.
    """

    target: Target
    step: Step
    address: str
    before: Any
    after: Any

    def change(self, number: int, site: Site) -> Change:
        """Return what a person reads of the step of that id."""
        return Change(
            control=self.target.control,
            address=self.address,
            before=self.before,
            after=self.after,
            fact=self.target.fact,
            object=self.target.object,
            origin=site.fact(self.target).origin,
            step=number,
            restart=self.step.restart,
        )


def proposed(target: Target, step: Step, address: str) -> Proposal:
    """Return a proposal whose values people read as the host writes them."""
    return Proposal(target, step, address, shown(step.before), shown(step.after))


def shown(native: Native) -> Any:
    """Return a typed value without its type; None where nothing stands."""
    return list(native.value) if isinstance(native.value, (list, tuple)) else native.value
