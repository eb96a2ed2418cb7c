# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that hold a target back. One function per rule; each says what was seen and what lifts it."""

from __future__ import annotations

from collections.abc import Callable

from .._model.step import Blocked, BlockKind, Target
from . import cluster, evidence, line, policy, roles
from .cuts import Cut, cuts
from .situation import Situation, lifting
from .usage import users

MAX_USERS = 50
_SHOWN = 3


def overridden(target: Target, situation: Situation) -> Blocked | None:
    """What group policy would put back is not written."""
    return _blocked(target, "policy", policy.overriding(target, situation))


def own_line(target: Target, situation: Situation) -> Blocked | None:
    """The connection and its account are never cut."""
    return _blocked(target, "own-line", line.cut(target, situation))


def special_role(target: Target, situation: Situation) -> Blocked | None:
    """Hosts that others lean on are left alone where it hurts, until somebody names them."""
    why = roles.holding(target, situation)
    return _blocked(target, "role", why and f"{why}; {lifting(target, situation)} lifts this")


def whole_cluster(target: Target, situation: Situation) -> Blocked | None:
    """One plan per cluster: a force for some of its nodes is none."""
    partial = roles.holding(target, situation) and situation.forced(target)
    return _blocked(target, "role", cluster.partly(target, situation) if partial else None)


def unlisted(target: Target, situation: Situation) -> Blocked | None:
    """Who could not be listed may be there."""
    why = None if evidence.observes(target) else evidence.unlisted(target, situation)
    return _blocked(target, "no-evidence", why and f"{why}; {lifting(target, situation)} lifts this")


def in_use(target: Target, situation: Situation) -> Blocked | None:
    """What somebody still uses is not cut."""
    if evidence.observes(target):
        return None
    seen = [(cut, users(target, cut, situation)) for cut in cuts(target)]
    found = list(dict.fromkeys(user for _cut, names in seen for user in names))
    if not found:
        return None
    what = "; ".join(_sentence(cut, names) for cut, names in seen if names)
    gone = "they are gone"
    if situation.options.observe_days <= 0 and any("(last seen" in name for name in found):
        gone += " from the event log too (breakwater_observe_days says how many days of it count)"
    why = f"in use by {what}; this is lifted when {gone}, or by {lifting(target, situation)}"
    return target.blocked("in-use", why, tuple(found[:MAX_USERS]))


def unwatched(target: Target, situation: Situation) -> Blocked | None:
    """Where days of observation are asked for, a cut needs them."""
    days = situation.options.observe_days
    if days <= 0 or evidence.observes(target) or not evidence.wanted(target):
        return None
    asked = f"{days} days of observation are asked for, but"
    never = evidence.silent(target, situation)
    if never is not None:
        return _blocked(target, "no-evidence", f"{asked} {never}; only {lifting(target, situation)} lifts this")
    missing = evidence.unwatched(target, situation)
    why = missing and f"{asked} {missing}; time lifts this once auditing is on, or {lifting(target, situation)}"
    return _blocked(target, "no-evidence", why)


Guard = Callable[[Target, Situation], "Blocked | None"]
NEVER_FORCED: tuple[Guard, ...] = (overridden, own_line, whole_cluster)
FORCED: tuple[Guard, ...] = (special_role, in_use, unlisted, unwatched)
"""What an exception of kind force lifts."""


def held(target: Target, situation: Situation) -> Blocked | None:
    """Return the first rule that holds a target back, or None when it may go on."""
    guards = NEVER_FORCED if situation.forced(target) else (*NEVER_FORCED, *FORCED)
    return next((blocked for guard in guards if (blocked := guard(target, situation)) is not None), None)


def _sentence(cut: Cut, names: list[str]) -> str:
    whose = {"server": "clients", "client": "servers", "mount": "mounts"}[cut.side]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{whose} {cut.words}: {', '.join(names[:_SHOWN])}{more}"


def _blocked(target: Target, kind: BlockKind, why: str | None) -> Blocked | None:
    return target.blocked(kind, why) if why else None
