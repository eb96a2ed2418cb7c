# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *sweep*: hosts that answer SMB, with names and groups that an inventory can take."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._model.codec import encode
from .._model.text import printable
from .._probe.document import fault, standing, taken
from .._probe.fingerprints import identify
from .._probe.offer import SMB1, offered
from .._probe.targets import expand
from . import catalogue
from .asking import Ask, Document, ask_here, settings
from .context import Context
from .probe import identity, told
from .targeting import Lookup, choose_targets

PREFIX = "smb"
_PROPER = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9][A-Za-z0-9_-]{0,62})*")
"""A name that a host may give itself; whatever else it says is no name, and its address serves."""
_RESERVED = ("all", "ungrouped", "localhost", "localhost.localdomain")
"""What means something to Ansible; others delegate to it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A host of the inventory; ``answers`` is the text of strangers."""

    name: str
    address: str
    groups: tuple[str, ...]
    answers: Mapping[str, Any]


def sweep(
    options: Mapping[str, Any],
    scope: str | None,
    context: Context,
    ask: Ask = ask_here,
    lookup: Lookup | None = None,
) -> list[Document]:
    """Ask, and return the answers of all targets that are exposed.

    Args:
        options: those of the inventory file, ``targets`` among them.
        scope: file that names what is not private and may be asked.
        context: clock and screen.
        ask, lookup: what reaches the wire, and the resolver.

    Raises:
        BadInput: a target, the scope file or an option cannot be used.
    """
    chosen = choose_targets([str(text) for text in options["targets"]], scope, context.now().date(), lookup)
    for name, reason in chosen.unresolved.items():
        context.warn(printable(f"{name} is not in the inventory: {reason}"))
    rows, found = catalogue.fingerprints(), []

    def take(document: Document) -> None:
        if _exposed(document):
            document["implementation"] = identity(identify(document, rows))
            found.append(document)

    failures = ask(
        expand(chosen.ranges),
        settings(encode(options)),
        take,
        lambda done: context.show(f"{done} of {chosen.total} targets"),
    )
    for failure in told(failures):
        context.warn(printable(f"While sweeping: {failure}"))
    return found


def kept(found: Any) -> list[Document] | None:
    """Return what a cache holds, or None where it is not what ``sweep`` has put there."""
    if not isinstance(found, list) or any(map(fault, found)):
        return None
    told = [document.get("implementation") for document in found]
    return found if all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in told) else None


def _exposed(document: Document) -> bool:
    """Whether a target speaks SMB, or something that only SMB's neighbours do; 135 and QUIC are others' ports too."""
    open_ports = {name for name, port in document["ports"].items() if port["state"] == "open"}
    return standing(document) == "open" or bool(open_ports & {"137/udp", "5445/tcp"})


def entries(documents: Iterable[Mapping[str, Any]], named: bool, taken_names: Collection[str] = ()) -> Iterator[Entry]:
    """Yield the hosts of an inventory, in the order of their addresses; no two have the same name.

    Args:
        documents: what ``sweep`` returned; a cache may have kept it.
        named: hosts are called what they call themselves, where that can be done.
        taken_names: hosts and groups that the inventory has already; no stranger becomes one of them.
    """
    ordered = list(_merged(sorted(documents, key=_order)))
    reserved = {name.casefold() for name in (*_RESERVED, *taken_names)}
    reserved |= {_safe(group) for document in ordered for group in groups(document)}
    wanted = [_own_name(document, reserved) if named else "" for document in ordered]
    given = [_given(document) for document in ordered]
    claims = Counter(name.casefold() for name in (*wanted, *dict.fromkeys(given)) if name)
    by_given = Counter(filter(None, given))
    for document, own, target in zip(ordered, wanted, given, strict=True):
        name = document["address"]
        if target and by_given[target] == 1:
            name = target
        elif not target and own and claims[own.casefold()] == 1:
            name = own
        yield Entry(name, document["address"], tuple(groups(document)), document)


def _merged(documents: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield one document per address: it may have been named twice, with a port of its own or by two names."""
    by_address: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        first = by_address.get(document["address"])
        both = document if first is None else {**document, **first, "ports": {**document["ports"], **first["ports"]}}
        by_address[document["address"]] = both
    yield from by_address.values()


def _order(document: Mapping[str, Any]) -> tuple[int, int, str]:
    address = ipaddress.ip_address(document["address"])
    return address.version, int(address), document["target"]


def _given(document: Mapping[str, Any]) -> str:
    """Return the name that the user gave a target, or "" for an address, a network or a range."""
    target = str(document["target"])
    if not _PROPER.fullmatch(target) or re.fullmatch(r"[0-9.-]+", target):
        return ""
    return target


def _safe(group: str) -> str:
    """Return a group's name as an inventory spells it, to be compared."""
    return re.sub(r"[^A-Za-z0-9_]", "_", group).casefold()


def _own_name(document: Mapping[str, Any], reserved: Collection[str]) -> str:
    """Return the name that a host gives itself, DNS before NetBIOS; "" when it is no proper name, or means another."""
    for port in document["ports"].values():
        ntlm = port.get("ntlm") or {}
        for key in ("dns_computer", "netbios_computer"):
            name = str(ntlm.get(key) or "")
            proper = _PROPER.fullmatch(name) and not re.fullmatch(r"[0-9.]+", name)
            if proper and name.casefold() not in reserved and not name.casefold().endswith(".localhost"):
                return name.lower()
    return ""


def groups(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the groups of one host. Whatever is not known for certain has a group of its own."""
    if standing(document) == "open":
        yield PREFIX
        yield f"{PREFIX}_is_{document['implementation']['name']}"
    for dialect in taken(document):
        yield f"{PREFIX}_dialect_{dialect}"
    offer = offered([document])
    smb1 = [offer.state(family) for family in dict.fromkeys(SMB1.values())]
    if "accepted" in smb1:
        yield f"{PREFIX}_smb1"
    elif "unknown" in smb1 or "" in offer.doubts:
        yield f"{PREFIX}_smb1_unknown"
    answer, doubt = offer.weakest("signing", "smb1_signing")
    if doubt:
        yield f"{PREFIX}_signing_unknown"
    elif answer:
        yield f"{PREFIX}_signing_{'required' if answer == 'required' else 'not_required'}"
    for name, port in document["ports"].items():
        if port["state"] == "open":
            yield f"{PREFIX}_port_{name}"
