# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets → steps for Samba: what is wanted of smb.conf, of its files, of its daemons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._model.collected import Collected
from ..._model.editing import joined
from ..._model.fact import FactSet
from ..._model.setting import Setting
from ..._model.step import Edited, Target
from . import edit_conf, edit_other, loglevel


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet, settings: Mapping[str, Setting]) -> Edited:
    """Return the steps that make targets hold, the changes that they are, and what cannot be changed and why.

    A target whose value stands there already, and is only not in force, gives nothing.

    Args:
        targets: facts of Samba with the value that shall hold.
        collected: the host's answer: the texts that are edited.
        facts: what was read from it.
        settings: the property table, by fact id.
    """
    written = [target for target in targets if target.fact in settings or target.fact == loglevel.AUTH]
    others = [target for target in targets if target.fact not in settings and target.fact != loglevel.AUTH]
    parts = [edit_conf.edit(written, collected, facts, settings)] if written else []
    return joined([*parts, edit_other.edit(others, collected, facts)])
