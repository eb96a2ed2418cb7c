# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One plan per cluster: what others lean on is changed on all nodes or on none, or a failover would bring the old back."""

from __future__ import annotations

from .._model.step import Target
from .situation import Situation, forced_by

_NODE = "cluster"
_SHOWN = 3


def is_node(situation: Situation) -> bool:
    """Return whether the host is certainly a node of a cluster: it says so, or the user does."""
    told = any(_NODE in part.traits for part in situation.implementations)
    return told or situation.cluster is not None or _NODE in situation.options.roles


def partly(target: Target, situation: Situation) -> str | None:
    """Return why a change that somebody answers for would leave the nodes of a cluster unlike, or None."""
    if not is_node(situation):
        return None
    cluster = situation.cluster
    if cluster is None:
        return "the nodes of a cluster are changed together, and breakwater_cluster names no inventory group of them"
    away = [node for node in cluster.nodes if node in cluster.away]
    if away:
        return f"the nodes of {cluster.group} are changed together, and this run leaves out {_named(away)}"
    unnamed = [node for node in cluster.nodes if not forced_by(cluster.force.get(node, ()), target, situation.today)]
    if unnamed:
        return (
            f"the nodes of {cluster.group} are changed together, and no exception of kind force names {target.control} "
            f"for {_named(unnamed)}"
        )
    return None


def _named(nodes: list[str]) -> str:
    more = f" and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else ""
    return f"{', '.join(nodes[:_SHOWN])}{more}"
