# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The third truth joins the other two: what a host says of itself beside what clients are offered. Pure.

Where both speak of a setting, ``wire.same_as_on_the_host`` says whether they agree, and why probably not. Of a server whose
settings cannot be read, the wire is all there is: ``wire.smb1`` and ``wire.signing`` are for those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.collected import Implementation
from .._model.fact import Fact, FactSet
from .._model.setting import Setting
from .._model.text import visible
from .document import smb_ports
from .offer import ORDER, SILENT, SMB2, offered
from .wire import wire_facts

SAME = "wire.same_as_on_the_host"
LOOK = "wire.look"
READABLE = frozenset({"samba", "windows"})
"""Implementations whose settings the host tells."""
_PORTS = frozenset({139, 445})


@dataclass(frozen=True, slots=True)
class Look:
    """What one vantage heard of a host.

    Attributes:
        vantage: the host that asked.
        documents: one per address, in the probe's result format, with ``implementation``.
        failed: why there is none; "" when there is.
    """

    vantage: str
    documents: tuple[Mapping[str, Any], ...] = ()
    failed: str = ""


def joined(
    known: FactSet, parts: Sequence[Implementation], settings: Mapping[str, Setting], looks: Sequence[Look]
) -> FactSet:
    """Return the facts that change or come in by what vantages heard.

    Args:
        known: what was collected from the host; empty when it could not be read.
        parts: the implementations on the host.
        settings: the property tables, by fact id.
        looks: one per vantage that was asked to look.
    """
    facts = FactSet()
    for look in looks:
        why = look.failed or ("" if look.documents else "it was not asked about this host")
        told = [_summary(document) for document in look.documents]
        facts.put(LOOK, Fact(unreadable=why) if why else Fact(effective=told), look.vantage)
        if why:
            facts.put(SAME, Fact(unreadable=f"nothing is known from {look.vantage}: {why}"), look.vantage)
        for document in (one for one in look.documents if not one["ports"]):
            reason = visible(str(document.get("reason") or "it could not be asked"))
            facts.put(
                SAME, Fact(unreadable=f"nothing is known from {look.vantage}: {reason}"), visible(document["address"])
            )
    documents = [document for look in looks for document in look.documents]
    servers = list(dict.fromkeys(part.name for part in parts if part.role == "server"))
    other = _other(documents, servers, known)
    for fact_id, obj, seen in wire_facts(documents, servers, known):
        setting = settings.get(fact_id)
        _compare(fact_id, obj, seen, known.get(fact_id, obj), setting, other, facts)
    if READABLE.isdisjoint(servers):
        _alone(documents, facts)
    return facts


def _compare(
    fact_id: str, obj: str, seen: Fact, have: Fact | None, setting: Setting | None, other: str, facts: FactSet
) -> None:
    """Put a setting with its third truth, and whether that agrees with the others."""
    name = setting.name if setting is not None else fact_id.partition(".")[2].replace("_", " ")
    if have is None or have.unreadable is not None:
        facts.put(fact_id, seen if have is None else dataclasses.replace(have, wire=seen.wire), obj)
        return
    if seen.unreadable is not None:
        facts.put(SAME, Fact(unreadable=seen.unreadable), name)
        if seen.wire is not None:
            facts.put(fact_id, dataclasses.replace(have, wire=seen.wire), obj)
        return
    if seen.wire is None or have.in_force is None:
        return
    same = bool(seen.wire == have.in_force)
    cause = None if same else _cause(have, setting, other)
    facts.put(fact_id, dataclasses.replace(have, wire=seen.wire, cause=have.cause or cause), obj)
    told = None if same else f"{cause} (host: {have.in_force}; on the wire: {seen.wire})"
    facts.put(SAME, Fact(effective=same, cause=told), name)


def _cause(have: Fact, setting: Setting | None, other: str) -> str:
    """Return the likely cause of a difference, the surest first."""
    if other:
        return other
    if have.cause:
        return have.cause
    if have.origin is not None and have.origin.kind == "policy":
        return f"a policy ({visible(have.origin.where)}) that the running service has not taken up, or does not obey"
    if setting is not None and setting.restart != "none":
        return f"pending {setting.restart}: the running service offers what it read before, or a device in the path answers"
    return "a device in the path answers, or changes what is said"


def _other(documents: Sequence[Mapping[str, Any]], servers: Sequence[str], known: FactSet) -> str:
    """Return that another server answers than the host's own, in words; "" where nothing speaks for that."""
    for document in documents:
        identity = document.get("implementation") or {}
        name = str(identity.get("name") or "unknown")
        spoke = any(port.get("dialects") and port.get("state") == "open" for port in document["ports"].values())
        if not spoke:
            continue
        if name == "ksmbd" and name in servers:
            return "ksmbd ignores a value that it does not know without a word"
        if name != "unknown" and not identity.get("named") and servers and name not in servers:
            evidence = "; ".join(map(str, identity.get("evidence") or ()))[:160]
            return f"another server answers on this port: it looks like {visible(name)} ({visible(evidence)})"
        if known.get("host.listeners_read") is not None and not _listens(known):
            return "another server answers at this address: nothing on the host listens on 445 or 139"
    return ""


def _listens(known: FactSet) -> bool:
    """Whether the host has an SMB listener, or may have one that could not be read."""
    read = known.get("host.listeners_read") or Fact()
    rows = [fact.in_force for fact in known.objects("host.listener").values()]
    return read.unreadable is not None or any(isinstance(row, dict) and row.get("port") in _PORTS for row in rows)


def _alone(documents: Sequence[Mapping[str, Any]], facts: FactSet) -> None:
    """Put what can be said of a server whose settings nobody can read."""
    for document in documents:
        for where, port in smb_ports(document):
            place = f"{visible(str(document['address']))} {where}"
            offer = offered([{"ports": {where: port}}])
            if port.get("state") in SILENT:
                continue
            if not offer.speaks:
                why = next(iter(offer.doubts.values()), "its dialects were not asked for")
                for name in ("wire.smb1", "wire.signing"):
                    facts.put(name, Fact(unreadable=why), place)
                continue
            low, doubt = offer.lowest(ORDER[: -len(SMB2)])
            if low or doubt:
                facts.put("wire.smb1", Fact(wire=True) if low else Fact(unreadable=doubt), place)
            else:
                unasked = offer.state("NT1") == "not_asked"
                fact = Fact(unreadable="SMB 1.0 was not asked for") if unasked else Fact(wire=False)
                facts.put("wire.smb1", fact, place)
            answer, doubt = offer.weakest("signing", *(("smb1_signing",) if low else ()))
            if doubt:
                facts.put("wire.signing", Fact(unreadable=doubt), place)
            else:
                fact = Fact(wire=answer == "required") if answer else Fact(unreadable="signing was not asked for")
                facts.put("wire.signing", fact, place)


def _summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report shows of a look: the states of the ports, and what answered."""
    identity = document.get("implementation") or {}
    return {
        "address": visible(str(document["address"])),
        "ports": dict(_states(document)),
        "implementation": visible(
            " ".join(filter(None, (str(identity.get("name") or ""), str(identity.get("version") or ""))))
        ),
    }


def _states(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for where, port in document["ports"].items():
        taken = [name for name, told in (port.get("dialects") or {}).items() if told.get("answer") == "accepted"]
        yield where, visible(" ".join([str(port.get("state")), *([f"({', '.join(taken)})"] if taken else [])]))
