# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the user wrote to whom a probe may ask: names are resolved first, then every address is checked."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .._assess import strict_yaml
from .._model.codec import DecodeError
from .._model.errors import BadInput
from .._probe.scope import Grant, Scope, grants
from .._probe.targets import Name, Range, count, parse, placed

Lookup = Callable[[str], Sequence[str]]
"""Name → its addresses. Raises OSError with the reason when there is none."""
_RESOLVERS = 16
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom to ask.

    Attributes:
        ranges: every address may be asked.
        unresolved: names that lead nowhere, as they were given → why.
        total: how many addresses there are.
        grants: the scope file's records.
    """

    ranges: tuple[Range, ...]
    unresolved: Mapping[str, str]
    total: int
    grants: tuple[Grant, ...] = ()


def choose_targets(
    texts: Sequence[str], scope_file: str | None, today: datetime.date, lookup: Lookup | None = None
) -> Chosen:
    """Return whom the user means.

    Args:
        texts: targets as they were written.
        scope_file: names what is not private and may be asked all the same.
        today: for the expiry of what is in there.
        lookup: the resolver; by default the system's.

    Raises:
        BadInput: a target is malformed or may not be asked, there is none at all, or there are too many.
    """
    if not texts:
        raise BadInput("There is nothing to probe", seen="no target is named", remedy="set breakwater_targets")
    entries = [parse(text) for text in texts]
    records = tuple(load_scope(scope_file)) if scope_file else ()
    scope = Scope(records, today)
    scope.check(entry for entry in entries if isinstance(entry, Range))
    addresses, reasons = _resolved(entries, lookup or system_lookup)
    ranges = placed(entries, addresses)
    scope.check(ranges)
    unresolved = {
        entry.given: reasons[entry.name] for entry in entries if isinstance(entry, Name) and entry.name in reasons
    }
    if not ranges:
        name, reason = next(iter(unresolved.items()))
        raise BadInput(
            "There is nothing to probe", where=name, seen=reason, remedy="mend the name, or write the address"
        )
    return Chosen(tuple(ranges), unresolved, count(ranges), records)


def load_scope(path: str) -> list[Grant]:
    """Return the records of a scope file.

    Raises:
        BadInput: it cannot be read or is malformed; names file and line.
    """
    source, document = strict_yaml.load(path, "scope file", "breakwater_scope")
    try:
        return grants(document)
    except DecodeError as error:
        raise BadInput(
            "The scope file is malformed", where=source.where(error.path), seen=str(error), remedy="mend that line"
        ) from error


def _resolved(entries: Sequence[Range | Name], lookup: Lookup) -> tuple[dict[str, Sequence[str]], dict[str, str]]:
    """Return the addresses of every name that has any, and why the others have none."""
    names = list(dict.fromkeys(entry.name for entry in entries if isinstance(entry, Name)))
    addresses: dict[str, Sequence[str]] = {}
    reasons: dict[str, str] = {}

    def one(name: str) -> Sequence[str] | str:
        try:
            return list(lookup(name)) or "the name has no address"
        except (OSError, UnicodeError) as error:
            return f"the name cannot be resolved: {getattr(error, 'strerror', None) or error}"

    if names:
        with ThreadPoolExecutor(min(_RESOLVERS, len(names))) as threads:
            for name, found in zip(names, threads.map(one, names), strict=True):
                if isinstance(found, str):
                    reasons[name] = found
                else:
                    addresses[name] = found
    return addresses, reasons


def system_lookup(name: str) -> Sequence[str]:
    """Return the addresses of a name, IPv4 and IPv6, as the system's resolver orders them."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def known_hosts(hosts: Sequence[str], variables: Mapping[str, Any]) -> dict[str, str]:
    """Return what inventory hosts are asked as, with the implementation that the inventory names, or "".

    Args:
        hosts: inventory names.
        variables: of every host of the inventory.

    Raises:
        BadInput: one is not in the inventory.
    """
    unknown = [name for name in hosts if name not in variables]
    if unknown:
        raise BadInput("There is no such host", where="hosts", seen=unknown[0], remedy="name hosts of the inventory")
    own = {name: variables[name] for name in hosts}
    return {
        str(told.get("ansible_host") or name): str(told.get("breakwater_implementation") or "")
        for name, told in own.items()
    }


def check_vantages(patterns: Sequence[str] | None, found: Sequence[str]) -> None:
    """Check that the patterns of ``breakwater_vantage`` mean hosts; None names nobody, which is nobody's mistake.

    Raises:
        BadInput: there is no such host.
    """
    if patterns is not None and not found:
        raise BadInput(
            "Nobody can look from the wire",
            seen=f"breakwater_vantage {','.join(patterns)!r} is no host of the inventory",
            remedy="name one, or localhost for this machine",
        )


def check_here(vantage: str, variables: Mapping[str, Any]) -> None:
    """Check that a host which a task is delegated to, and whose connection is local, is this very machine.

    Raises:
        BadInput: it is another: in a loop, ansible-core 2.21 takes the connection of the item before.
    """
    told = variables.get(vantage) or {}
    if vantage not in _HERE and told.get("ansible_connection") != "local":
        raise BadInput(
            "The vantage host was not reached",
            where=vantage,
            seen="ansible-core would ask from the controller in its place",
            remedy="set ansible_connection of that host, or loop over include_tasks",
        )
