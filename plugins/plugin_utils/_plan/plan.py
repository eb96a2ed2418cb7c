# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets → a plan: select, guard, edit, order, and say what is still missing. Pure."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence

from .._model.editing import joined
from .._model.step import STATELESS, Blocked, Change, Edited, Plan, Step, Target
from .effect import Need, effect, needs
from .evidence import watched
from .guards import held
from .order import Asking, marked, ordered, renumbered
from .situation import Options, Situation, implementation, lifting
from .stages import waiting
from .window import contains

Editors = Mapping[str, Callable[[Sequence[Target]], Edited]]
"""First word of a fact id ("samba", "windows", "client", "host") → what makes steps of targets."""
_PENDING = "windows.smb1_pending_reboot"


def make(targets: Sequence[Target], situation: Situation, editors: Editors) -> Plan:
    """Return what will be done on one host, in order, and what will not and why.

    Args:
        targets: of the host's findings.
        situation: see there.
        editors: each is called once, with all its targets that no rule holds back.

    Raises:
        ValueError: the window is malformed; see ``window.contains``.
    """
    contains(situation.options.window, situation.now)
    chosen = [target for target in targets if selected(target.area, target.control, situation.options)]
    stepless = [_no_step(target, situation) for target in chosen if implementation(target) not in editors]
    allowed, blocked = _guarded([target for target in chosen if implementation(target) in editors], situation)
    edited = _edited(allowed, editors)
    steps, changes, irreversible = _reversible(edited, allowed, situation)
    asking = Asking(changes, allowed)
    idle = _idle(allowed, edited, situation)
    wanted = [*needs(steps, changes, asking, idle, situation), *_waiting_reboot(situation)]
    end = effect(wanted, _stopped(steps), situation)
    values = [step for step in marked(steps, asking, situation) if step.kind not in STATELESS]
    first = max((step.id for step in steps), default=0) + 1
    into_force = [dataclasses.replace(step, id=number) for number, step in enumerate(end.steps, first)]
    done, named = renumbered(ordered([*values, *into_force]), changes)
    return Plan(
        steps=done,
        changes=named,
        blocked=tuple(_sorted([*stepless, *blocked, *edited.refused, *irreversible, *end.blocked], targets)),
        watched=watched(situation),
        pending=tuple(end.pending),
        reboot=end.reboot,
    )


def selected(area: str, control: str, options: Options) -> bool:
    """Return whether the user's choice of areas and controls holds a control."""
    return (
        _any(area, options.areas or ("*",))
        and _any(control, options.controls or ("*",))
        and not _any(control, options.exclude)
    )


def _any(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def _guarded(targets: Sequence[Target], situation: Situation) -> tuple[list[Target], list[Blocked]]:
    """Return what may go on, and what is held back. Stages that were not chosen still hold back later ones."""
    free: list[Target] = []
    first: list[tuple[Target, Blocked]] = []
    for target in targets:
        blocked = held(target, situation)
        if blocked is None:
            free.append(target)
        else:
            first.append((target, blocked))
    free, late = waiting(free, first, situation)
    stages = situation.options.stages

    def chosen(target: Target) -> bool:
        return not stages or target.stage is None or target.stage in stages

    return list(filter(chosen, free)), [blocked for target, blocked in (*first, *late) if chosen(target)]


def _edited(targets: Sequence[Target], editors: Editors) -> Edited:
    """Return what all editors together make of the targets, ids counted through."""
    mine: dict[str, list[Target]] = {}
    for target in targets:
        mine.setdefault(implementation(target), []).append(target)
    return joined(editors[name](wanted) for name, wanted in mine.items())


def _no_step(target: Target, situation: Situation) -> Blocked:
    control = situation.controls.get(target.control)
    advice = (control.advice if control is not None else "") or "The remedy of the finding says what to do."
    return target.blocked("edit", f"no step changes {situation.name(target)}. {advice}")


def _reversible(
    edited: Edited, targets: Sequence[Target], situation: Situation
) -> tuple[list[Step], list[Change], list[Blocked]]:
    """Leave out what has no inverse, where nobody answers for it."""
    asking = Asking(edited.changes, targets)
    refused = {
        step.id: step
        for step in edited.steps
        if step.irreversible and not any(map(situation.forced, asking.of_step(step)))
    }
    blocked = [
        target.blocked(
            "irreversible",
            f"there is no way back from changing {step.target}; {lifting(target, situation)} lifts this",
        )
        for step in refused.values()
        for target in asking.of_step(step)
    ]
    return (
        [step for step in edited.steps if step.id not in refused],
        [change for change in edited.changes if change.step not in refused],
        blocked,
    )


def _idle(targets: Sequence[Target], edited: Edited, situation: Situation) -> list[Target]:
    """Return targets whose value stands there already, and which the running service has not taken up."""
    named = {(change.control, change.object) for change in edited.changes}
    named |= {(blocked.control, blocked.object) for blocked in edited.refused}

    def waits(target: Target) -> bool:
        fact = situation.fact(target)
        return fact.configured == target.value and fact.effective is not None and fact.effective != target.value

    return [item for item in targets if (item.control, item.object) not in named and waits(item)]


def _waiting_reboot(situation: Situation) -> Iterator[Need]:
    """Yield the reboot that SMB 1.0 waits for since an earlier change."""
    if situation.facts.in_force(_PENDING) is True:
        for control in situation.controls.values():
            asks = any(test.fact == _PENDING for test in control.tests)
            if asks and selected(control.area, control.id, situation.options):
                yield Need("", "reboot", (Target(control.id, _PENDING, False, area=control.area),))


def _stopped(steps: Sequence[Step]) -> frozenset[str]:
    """Return the services that a step of the plan stops."""
    stopping = {"unit": " stopped", "service": ""}
    return frozenset(
        step.target.removesuffix(".service")
        for step in steps
        if step.kind in stopping and str(step.after.value).endswith(stopping[step.kind])
    )


def _sorted(blocked: Sequence[Blocked], targets: Sequence[Target]) -> list[Blocked]:
    """Return them in the order of the findings."""
    places: dict[str, int] = {}
    for number, target in enumerate(targets):
        places.setdefault(target.control, number)
    return sorted(blocked, key=lambda item: places.get(item.control, len(places)))
