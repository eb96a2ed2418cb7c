# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which audit events of a host are our own probes' doing, so that they do not count as use of SMB1. Pure.

An address alone proves nothing: a vantage host may use SMB1 itself. What a host has counted of a client is ours only when
we have sent just as many SMB1 requests from that address to that host since its log begins, and the last event is of the
time of one of them.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Collection, Iterable
from typing import Protocol

NEAR = datetime.timedelta(minutes=5)
"""How far the clocks of a host and of a vantage may be apart; Kerberos allows no more either."""


class Attempt(Protocol):
    """An SMB1 request that we sent: when (UTC), from which address, to which address, and what that was called."""

    @property
    def time(self) -> datetime.datetime: ...

    @property
    def source(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def target(self) -> str: ...


def ours(attempts: Iterable[Attempt], host: Collection[str], client: str, last: str, count: int, since: str) -> bool:
    """Return whether everything that a host has counted of a client was sent by our probes.

    Args:
        attempts: all of ours.
        host: addresses of the host that counted, and names that it was asked by.
        client: the address that the events name.
        last: time of the last event, ISO 8601; one that cannot be read is nobody's.
        count: how many events there are.
        since: time of the oldest event in the host's log, of whatever client.
    """
    here = set(map(_plain, host))
    from_there = [item for item in attempts if _plain(item.source) == _plain(client)]
    sent = [item for item in from_there if {_plain(item.address), _plain(item.target)} & here]
    when, begins = _moment(last), _moment(since)
    if when is None or begins is None:
        return False
    counted = [item for item in sent if item.time >= begins - NEAR]
    return 0 < count == len(counted) and any(abs(item.time - when) <= NEAR for item in counted)


def _moment(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.timezone.utc)


def _plain(address: str) -> str:
    """Return an address in one spelling; an IPv4 address in IPv6 clothes without them; a name as it is."""
    text = address.strip().strip("\\[]").casefold()
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
