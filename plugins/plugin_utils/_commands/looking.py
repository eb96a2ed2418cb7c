# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit's look from the wire: what the vantages of its run have heard of one host."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Collection, Iterator, Sequence

from .._model.collected import Implementation
from .._model.fact import FactSet
from .._model.run import HostRecord
from .._probe.agreement import LOOK, Look, joined
from .._probe.document import fault
from .._probe.own import ours
from .._store import probes
from . import catalogue
from .context import Context
from .targeting import system_lookup

_WIRE = Implementation("wire", "", "server", True)
"""Whom the controls of the wire are for: a host that somebody has looked at, or should have."""

_SMB1 = "usage.smb1_client"
_REMEMBERED = 366
"""Days of probes that are looked through; an event log of SMB 1.0 seldom reaches further back."""


def look(record: HostRecord, run: pathlib.Path | None, vantages: Sequence[str]) -> None:
    """Put into a record what vantages heard of its host; nothing where none is named.

    Args:
        record: with what the host itself told, if anything.
        run: directory of the open run, whose probes are read; None: there is none, and nothing was asked.
        vantages: those that were to look. One that did not makes the host's verdict unknown.
    """
    if not vantages:
        return
    names = {record.address, record.host, *_resolved(record.address)}
    looks = [heard(run, vantage, names) for vantage in dict.fromkeys(vantages)]
    record.facts.merge(joined(record.facts, record.implementations, catalogue.every_setting(), looks))


def _resolved(name: str) -> Sequence[str]:
    """Return the addresses of a name: another name of the same host may be the one that was asked."""
    try:
        return system_lookup(name)
    except (OSError, UnicodeError):
        return ()


def heard(run: pathlib.Path | None, vantage: str, names: Collection[str]) -> Look:
    """Return what a vantage heard in a run of the host that was asked by one of these names or addresses."""
    if run is None:
        return Look(vantage, failed="only the run of an audit has a probe")
    try:
        found = tuple(one for one in probes.about(run, vantage, names) if not fault(one))
    except OSError as error:
        return Look(vantage, failed=f"its answers cannot be read ({error.strerror})")
    if found:
        unresolved = [str(one.get("reason")) for one in found if not one["address"]]
        documents = tuple(one for one in found if one["address"])
        return Look(vantage, documents, "" if documents else unresolved[0])
    ended = probes.ended(run).get(vantage)
    return Look(
        vantage, failed="its probe failed, or was broken off" if ended is None else "it was not asked about this host"
    )


def judged_parts(record: HostRecord) -> list[Implementation]:
    """Return what controls may speak of: the host's implementations, and the wire where somebody was to look."""
    wire = [_WIRE] if record.facts.objects(LOOK) else []
    return [*record.implementations, *wire]


def own_clients(record: HostRecord, context: Context) -> frozenset[str]:
    """Return the clients whose SMB 1.0 events on a host are all what our own probes have sent there."""
    events = record.facts.objects(_SMB1)
    if not events:
        return frozenset()
    here = {record.address, *_addresses(record.facts)}
    oldest = context.now().date() - datetime.timedelta(days=_REMEMBERED)
    sent = probes.attempts_since(context.results, oldest)
    since = str(record.facts.in_force("usage.audit_since") or "")
    told = {client: fact.effective for client, fact in events.items() if isinstance(fact.effective, dict)}
    return frozenset(
        client
        for client, seen in told.items()
        if ours(sent, here, client, str(seen.get("last") or ""), int(seen.get("count") or 0), since)
    )


def _addresses(facts: FactSet) -> Iterator[str]:
    """Yield the addresses that the host listens on."""
    for fact in facts.objects("host.listener").values():
        if isinstance(fact.effective, dict):
            yield str(fact.effective.get("address") or "")
