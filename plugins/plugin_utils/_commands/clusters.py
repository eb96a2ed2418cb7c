# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a cluster: which they are, whether all are to be changed, and that they take turns."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._model.errors import BadInput
from .._plan.situation import Cluster
from .._store import turns
from .inputs import Inputs


@dataclass(frozen=True, slots=True)
class Nodes:
    """A cluster by the inventory.

    Attributes:
        group: name of the inventory group that holds all its nodes.
        members: node → its inventory groups.
        away: nodes that this play does not reach.
    """

    group: str
    members: Mapping[str, tuple[str, ...]]
    away: tuple[str, ...] = ()


def nodes(name: str | None, host: str, groups: Mapping[str, Sequence[str]], playing: Collection[str]) -> Nodes | None:
    """Return the cluster that ``breakwater_cluster`` names for a host, or None where it names none.

    Args:
        name: the inventory group.
        host: inventory name.
        groups: the inventory's groups with their hosts.
        playing: hosts of the play, in whatever batch.

    Raises:
        BadInput: there is no such group, or the host is not in it.
    """
    if not name:
        return None
    members = [str(member) for member in groups.get(name, ())]
    if name == "all" or host not in members:
        known = "holds every host" if name == "all" else f"does not hold {host}" if members else "is no inventory group"
        raise BadInput(
            "The cluster of the host is not known",
            where=f"breakwater_cluster of {host}",
            seen=f"{name!r} {known}",
            remedy="name an inventory group that holds all nodes of this cluster and no other host",
        )
    mine = {node: tuple(sorted(group for group, hosts in groups.items() if node in hosts)) for node in members}
    return Nodes(name, mine, tuple(node for node in members if node not in playing))


def cluster_of(found: Nodes | None, inputs: Inputs) -> Cluster | None:
    """Return the same for the planner, with who forces what on each node."""
    if found is None:
        return None
    force = {
        node: tuple(record for record in inputs.exceptions_for(node, groups) if record.kind == "force")
        for node, groups in found.members.items()
    }
    return Cluster(found.group, tuple(found.members), found.away, force)


@contextlib.contextmanager
def turn(found: Nodes | None, run: pathlib.Path, host: str) -> Iterator[turns.Turn]:
    """Wait until no other node of the cluster is being changed; a node that failed ends it for the others of this run.

    Raises:
        BadInput: an earlier node of this run was not changed as planned.
        StoreError: the lock cannot be written.
    """
    if found is None:
        yield turns.Turn()
        return
    with turns.take(run.parent, found.group, run.name) as mine:
        if mine.failed and mine.failed != host:
            raise BadInput(
                "Nothing was changed: the nodes of a cluster are changed one after another",
                where=found.group,
                seen=f"the change of {mine.failed} was not completed in this run",
                remedy=f"look at {mine.failed}, then run again",
            )
        mine.note(host)  # until it is known to have ended well
        yield mine
