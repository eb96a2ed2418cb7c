# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a probe may ask: private addresses, and what somebody has answered for in a scope file.

A scope file is a list of records::

    scope:
      - network: 203.0.113.0/24     # an address, a network or a range
        reason: our own DMZ
        owner: alice
        expires: 2027-06-30         # optional; the last day

It adds to the private addresses and takes nothing away.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from .._model.codec import DecodeError, decode
from .._model.errors import BadInput
from .spans import Spans
from .targets import Range, parse

PRIVATE = (
    "10.0.0.0/8",  # RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",  # RFC 6598, shared address space
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # RFC 3927, link-local
    "::1/128",
    "fc00::/7",  # RFC 4193, unique local
    "fe80::/10",  # link-local
)
_KEYS = "network, reason, owner, expires"


@dataclass(frozen=True, slots=True)
class Grant:
    """One record of a scope file: who answers for asking which addresses, and why.

    Attributes:
        network: an address, a network or a range.
        reason, owner: as they were written.
        expires: the last day; None: it does not expire.
    """

    network: str
    reason: str
    owner: str
    expires: datetime.date | None = None


class Scope:
    """The addresses that may be asked."""

    def __init__(self, grants: Iterable[Grant] = (), today: datetime.date | None = None) -> None:
        """Take the private addresses, and those of every grant that has not expired by ``today`` (None: never)."""
        self._spans = {4: Spans(), 6: Spans()}
        for text in PRIVATE:
            network = ipaddress.ip_network(text)
            self._spans[network.version].add(int(network.network_address), int(network.broadcast_address))
        self.expired = []
        for grant in grants:
            if today is not None and grant.expires is not None and grant.expires < today:
                self.expired.append(grant)
                continue
            found = whole(grant.network)
            self._spans[found.version].add(found.first, found.last)

    def outside(self, found: Range) -> str | None:
        """Return the first address of a range that may not be asked, or None when all may."""
        missing = self._spans[found.version].missing(found.first, found.last)
        return found.text(missing[0][0]) if missing else None

    def check(self, ranges: Iterable[Range]) -> None:
        """Refuse ranges that hold an address which may not be asked.

        Raises:
            BadInput: one does; names it.
        """
        for found in ranges:
            stranger = self.outside(found)
            if stranger is None:
                continue
            raise BadInput(
                "The target may not be probed",
                where=found.given,
                seen=f"{stranger} is no private address, and {self._why(found)}",
                remedy="name it in the file of breakwater_scope, if you may probe it",
            )

    def _why(self, found: Range) -> str:
        for grant in self.expired:
            other = whole(grant.network)
            if other.version == found.version and other.first <= found.last and found.first <= other.last:
                return f"what {grant.owner} answered for expired on {grant.expires}"
        return "no scope file names it"


def grants(document: object) -> list[Grant]:
    """Return the records of a scope file's document: the list ``scope:``, or a bare list.

    Raises:
        DecodeError: it has not that form; the path leads to the place.
    """
    place = "scope" if isinstance(document, dict) else ""
    if isinstance(document, dict):
        unknown = [str(key) for key in document if key != "scope"]
        if unknown:
            raise DecodeError(unknown[0], "unknown key; the file holds one list named 'scope'")
        document = document.get("scope")
    if document is None:
        return []
    if not isinstance(document, list):
        raise DecodeError(place, f"no list; write one record with the keys {_KEYS} per network")
    return [_grant(entry, f"{place}[{number}]") for number, entry in enumerate(document)]


def _grant(entry: object, place: str) -> Grant:
    record = decode(Grant, entry, place)
    try:
        whole(record.network)
    except BadInput as error:
        raise DecodeError(f"{place}.network", f"{error.seen or error.what}; {error.remedy}") from None
    for name in ("reason", "owner"):
        if not getattr(record, name).strip():
            raise DecodeError(f"{place}.{name}", f"is empty: say {'why' if name == 'reason' else 'who answers for it'}")
    return record


def whole(text: str) -> Range:
    """Return a network with all its addresses, a range or one address.

    Raises:
        BadInput: it is none of these.
    """
    found = parse(text)
    if not isinstance(found, Range) or found.port is not None:
        raise BadInput(
            "The scope cannot be used",
            where=text,
            seen="it is no address, network or range",
            remedy="write 203.0.113.0/24",
        )
    if "/" not in text:
        return found
    network = ipaddress.ip_network(text.strip().partition("%")[0] if "%" in text else text.strip())
    return Range(found.given, found.version, int(network.network_address), int(network.broadcast_address))
