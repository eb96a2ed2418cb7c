# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of steps: what observes, then stage by stage; what may cut the line after that; then into force."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .._model.control import STAGES, Stage
from .._model.step import STATELESS, Change, Step, Target
from .situation import Situation, implementation

_RISKY_FACTS = ("windows.right_", "windows.lsa_ntlm_incoming", "windows.uac_remote_full_token", "firewall.")
_WINBIND = frozenset({"domain-member", "domain-controller"})
_NO_STAGE = STAGES.index("observe") + 1


class Asking:
    """Which targets led to a change and to a step. Thousands of shares may ask for one and the same step."""

    def __init__(self, changes: Sequence[Change], targets: Sequence[Target]) -> None:
        self._targets: dict[tuple[str, ...], list[Target]] = {}
        for target in targets:
            for key in ((target.control, target.object, target.fact), (target.control, target.object)):
                self._targets.setdefault(key, []).append(target)
            self._targets.setdefault((target.control,), [target])
        self._steps: dict[int, list[Target]] = {}
        for change in changes:
            self._steps.setdefault(change.step, []).extend(self.of_change(change))

    def of_change(self, change: Change) -> Sequence[Target]:
        """Return the targets of a change; where an editor names another object or fact, those that are nearest."""
        exact = (change.control, change.object, change.fact)
        return self._targets.get(exact) or self._targets.get(exact[:2]) or self._targets.get(exact[:1]) or ()

    def of_step(self, step: Step) -> Sequence[Target]:
        """Return the targets that led to a step; none for one that no change names."""
        return self._steps.get(step.id, ())


def marked(steps: Sequence[Step], asking: Asking, situation: Situation) -> list[Step]:
    """Return the steps with the earliest stage of their targets, and with the mark of those that may cut the line."""
    return [_marked(step, asking.of_step(step), situation) for step in steps]


def _marked(step: Step, targets: Sequence[Target], situation: Situation) -> Step:
    stage = min((target.stage for target in targets), key=_rank, default=step.stage)
    risky = step.risky or step.kind == "right" or _logs_in(step, targets, situation)
    risky = risky or any(target.fact.startswith(_RISKY_FACTS) for target in targets)
    return dataclasses.replace(step, stage=stage, risky=risky)


def _logs_in(step: Step, targets: Sequence[Target], situation: Situation) -> bool:
    """Whether people may log in to this host through what a step writes: winbind reads smb.conf too."""
    samba = step.kind == "netconf" or (
        step.kind == "file" and (step.check == "testparm" or any(implementation(item) == "samba" for item in targets))
    )
    return samba and bool(_WINBIND & set(situation.traits("samba")))


def _rank(stage: Stage | None) -> int:
    """Return the place of a stage; what belongs to none comes after what observes."""
    if stage is None:
        return _NO_STAGE
    index = STAGES.index(stage)
    return index if index < _NO_STAGE else index + 1


def ordered(steps: Sequence[Step]) -> list[Step]:
    """Return the steps in the order in which they are done. Within a stage, an editor's own order stays."""
    return sorted(steps, key=_place)


def _place(step: Step) -> tuple[int, int]:
    if step.kind in STATELESS:
        return (3 if step.kind == "restart" else 2, 0)
    return (1 if step.risky else 0, _rank(step.stage))


def renumbered(steps: Sequence[Step], changes: Sequence[Change]) -> tuple[tuple[Step, ...], tuple[Change, ...]]:
    """Return steps with ids from 1 in their order, and the changes, in the same order, that name them by these ids."""
    numbers = {step.id: number for number, step in enumerate(steps, 1)}
    renamed = [dataclasses.replace(change, step=numbers.get(change.step, 0)) for change in changes]
    return (
        tuple(dataclasses.replace(step, id=numbers[step.id]) for step in steps),
        tuple(sorted(renamed, key=lambda change: change.step)),
    )
