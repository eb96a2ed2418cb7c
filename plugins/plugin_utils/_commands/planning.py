# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was collected and judged to a plan: which editors a host has, and the line that the change comes through."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._assess.targets import targets
from .._implementations.host.edit import edit as edit_host
from .._implementations.host.edit_mounts import awaited
from .._implementations.samba.edit import edit as edit_samba
from .._implementations.samba.settings import default as samba_default
from .._implementations.windows.edit import edit as edit_windows
from .._implementations.windows.settings import default as windows_default
from .._model.collected import Collected, Implementation
from .._model.fact import FactSet
from .._model.run import HostRecord
from .._model.setting import Setting
from .._model.step import Edited, Plan, Target
from .._plan.plan import make
from .._plan.situation import Line, Options, Situation
from . import catalogue
from .clusters import Nodes, cluster_of
from .context import Context
from .inputs import Inputs
from .looking import judged_parts, own_clients
from .watching import seen

Editor = Callable[[Sequence[Target], Collected, FactSet, Mapping[str, Setting]], Edited]
EDITORS: Mapping[str, tuple[Editor, str]] = {
    "samba": (edit_samba, "samba"),
    "windows": (edit_windows, "windows"),
    "client": (edit_host, ""),
    "host": (edit_host, ""),
}
"""First word of a fact id → its editor, and the property table that it needs ("" needs none)."""


def plan(
    record: HostRecord,
    collected: Collected,
    inputs: Inputs,
    options: Options,
    line: Line,
    context: Context,
    nodes: Nodes | None = None,
) -> Plan:
    """Return what would make the failing findings of a record hold, and what keeps it from being done.

    Args:
        record: with facts and findings.
        collected: what the facts were read from; the editors write where it was read.
        inputs: what the findings were judged with.
        options: what the user chose; they have been checked.
        line: what the connection is known to be; who it leads to is in ``collected``.
        context: the clock.
        nodes: the cluster that the host belongs to, by the inventory.
    """
    exceptions = inputs.exceptions_for(record.host, record.groups)
    controls, settings = catalogue.controls(), catalogue.every_setting()
    wanted, _beyond = targets(
        record.findings,
        controls,
        inputs.selections_for(record.facts, record.implementations),
        record.facts,
        settings,
        judged_parts(record),
        default_of,
    )
    days = options.observe_days
    situation = Situation(
        host=record.host,
        facts=record.facts,
        implementations=tuple(record.implementations),
        settings=settings,
        controls=controls,
        force=tuple(exception for exception in exceptions if exception.kind == "force"),
        today=context.now().date(),
        now=context.now(),
        options=options,
        line=dataclasses.replace(line, uid=collected.uid, groups=_groups(collected)),
        seen=seen(context.results, record.host, context.now().date(), days) if days > 0 else {},
        own=own_clients(record, context),
        cluster=cluster_of(nodes, inputs),
    )
    made = make(wanted, situation, _editors(collected, record.facts))
    return dataclasses.replace(made, pending=(*made.pending, *awaited(made.changes, record.facts)))


def default_of(setting: Setting, host: Implementation) -> Any:
    """Return what is in force on a host when nothing is written; None when that is not known."""
    if not host.version:
        return None
    if host.name == "samba":
        return samba_default(setting, host.version)
    return windows_default(setting, host.version, host.traits).value


def _editors(collected: Collected, facts: FactSet) -> dict[str, Callable[[Sequence[Target]], Edited]]:
    def bound(editor: Editor, table: str) -> Callable[[Sequence[Target]], Edited]:
        return lambda wanted: editor(wanted, collected, facts, catalogue.settings(table) if table else {})

    return {prefix: bound(editor, table) for prefix, (editor, table) in EDITORS.items()}


def _groups(collected: Collected) -> tuple[str, ...]:
    """Return the SIDs in the token that the collector ran with (Windows)."""
    identity = collected.get("host.identity")
    data = identity.data if identity is not None and isinstance(identity.data, dict) else {}
    groups = data.get("groups")
    return tuple(map(str, groups)) if isinstance(groups, list) else ()
