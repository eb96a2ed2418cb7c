# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the editors of all implementations do alike: refuse targets, and join what their parts have made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from .step import Blocked, Change, Edited, Step, Target


def refused(targets: Iterable[Target], why: str) -> Edited:
    """Return no step at all, and the same reason for every target."""
    return Edited(refused=tuple(target.blocked("edit", why) for target in targets))


def by_hand(target: Target, advice: Mapping[str, str]) -> Blocked:
    """Return that no step exists for a target, and what a person has to do; ``advice`` is by fact id."""
    name = target.fact.partition(".")[2].replace("_", " ")
    words = advice.get(target.fact, "the remedy of the finding says what to do")
    return target.blocked("edit", f"no step changes this ({name}): {words}")


def joined(parts: Iterable[Edited]) -> Edited:
    """Return the work of several editors as one, with its steps counted through."""
    steps: list[Step] = []
    changes: list[Change] = []
    refusals: list[Blocked] = []
    for part in parts:
        offset = len(steps)
        steps += [dataclasses.replace(step, id=step.id + offset) for step in part.steps]
        changes += [dataclasses.replace(change, step=change.step + offset) for change in part.changes]
        refusals += part.refused
    return Edited(tuple(steps), tuple(changes), tuple(refusals))
