# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user chose to change, checked before any host is asked: names that mean nothing are no silent no-op."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._model.errors import BadInput
from .._plan.roles import NAMED
from .._plan.situation import Options
from .._plan.window import contains
from . import catalogue
from .context import Context


def choose(options: Mapping[str, Any], context: Context) -> Options:
    """Return a task's options as the planner wants them.

    Args:
        options: areas, controls, exclude, stages (lists), observe_days, restart, reboot, window, roles;
            each may be missing.
        context: the clock.

    Raises:
        BadInput: a name or glob fits no area, control or role, the window is malformed, or the days are negative.
    """
    controls = catalogue.controls()
    areas = {control.area for control in controls.values()}
    window = str(options.get("window") or "")
    try:
        contains(window, context.now())
    except ValueError as error:
        raise BadInput("The window cannot be used", where="breakwater_window", seen=str(error)) from error
    days = int(options.get("observe_days") or 0)
    if days < 0:
        raise BadInput(
            "The days of observation cannot be used",
            where="breakwater_observe_days",
            seen=f"{days} days",
            remedy="0 looks at what is live now; 14 is what we advise",
        )
    return Options(
        areas=_known("area", "breakwater_areas", options.get("areas"), areas),
        controls=_known("control", "breakwater_controls", options.get("controls"), controls),
        exclude=_known("control", "breakwater_exclude", options.get("exclude"), controls),
        stages=tuple(options.get("stages") or ()),
        observe_days=days,
        restart=bool(options.get("restart")),
        reboot=bool(options.get("reboot")),
        window=window,
        roles=_known("special role", "breakwater_roles", options.get("roles"), NAMED),
    )


def _known(what: str, variable: str, globs: Sequence[str] | None, names: Collection[str]) -> tuple[str, ...]:
    for glob in globs or ():
        if any(fnmatch.fnmatchcase(name, glob) for name in names):
            continue
        close = difflib.get_close_matches(glob, names, 1)
        listed = "see docs/coverage.md" if what == "control" else f"the {what}s are {', '.join(sorted(names))}"
        raise BadInput(
            f"There is no such {what}",
            where=variable,
            seen=f"{glob!r} fits none",
            remedy=f"did you mean {close[0]!r}?" if close else listed,
        )
    return tuple(map(str, globs or ()))
