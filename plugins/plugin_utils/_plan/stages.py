# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A roll-out in stages: what observes first, what hurts most last, and none before the one that comes before it."""

from __future__ import annotations

from collections.abc import Sequence

from .._model.control import STAGES
from .._model.step import Blocked, BlockKind, Target
from .evidence import observes
from .situation import Situation, lifting

_WAITING = frozenset[BlockKind]({"in-use", "no-evidence", "stage"})
"""What time or moved clients will lift; a later stage waits for these. A role, a policy or an editor does not wait."""


def waiting(
    free: Sequence[Target], held: Sequence[tuple[Target, Blocked]], situation: Situation
) -> tuple[list[Target], list[tuple[Target, Blocked]]]:
    """Return what may go on, and what must wait for an earlier stage of this host, with the sentence that says so.

    Args:
        free: targets that no other guard holds back.
        held: those that one does.
        situation: see there.
    """
    waits = [(target.stage, target.control) for target, blocked in held if target.stage and blocked.kind in _WAITING]
    first = min((STAGES.index(stage) for stage, _control in waits), default=len(STAGES))
    names = ", ".join(dict.fromkeys(control for stage, control in waits if STAGES.index(stage) == first))
    go: list[Target] = []
    late: list[tuple[Target, Blocked]] = []
    for target in free:
        stage = None if observes(target) else target.stage
        if stage is None or STAGES.index(stage) <= first or situation.forced(target):
            go.append(target)
            continue
        why = (
            f"stage {STAGES[first]} is not done (held back: {names}), and {stage} comes after it; "
            f"{lifting(target, situation)} lifts this"
        )
        late.append((target, target.blocked("stage", why)))
    return go, late
