# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe is about: addresses, names, networks and ranges, written as people write them.

============================  =====================================================================
``10.0.0.7``, ``fd00::7``     one address (``fe80::7%eth0`` with its interface)
``nas01``, ``nas01:4450``     a name, with or without a port of its own
``10.0.0.7:4450``             an address with a port; ``[fd00::7]:4450`` for IPv6
``10.0.0.0/24``               a network: its hosts, without network and broadcast address
``10.0.0.1-20``               a range; ``10.0.0.1-10.0.1.5`` and ``fd00::1-fd00::9`` too
============================  =====================================================================

Nothing is expanded before it is asked for: a range is two numbers, and duplicates are found by ranges.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .._model.errors import BadInput
from .spans import Spans

MAX_ADDRESSES = 2**24
"""Of one probe: an IPv4 network of eight bits, or an IPv6 network of 104."""
_ADDRESS = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
_BITS = {4: 32, 6: 128}
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_ZONE = re.compile(r"[A-Za-z0-9._-]{1,15}")
_NO_HOSTS = ("0.0.0.0/8", "224.0.0.0/3", "::/128", "ff00::/8")
"""Unspecified, multicast, reserved and broadcast addresses (IANA special-purpose registries)."""


class Target(NamedTuple):
    """One address to ask.

    Attributes:
        given: the text that it came from.
        address: IPv4 or IPv6 address, with ``%interface`` where one was given.
        port: the only TCP port to ask, or None: those of the probe.
    """

    given: str
    address: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses from ``first`` to ``last``, of IP version 4 or 6; ``zone`` is an interface of the asking host."""

    given: str
    version: int
    first: int
    last: int
    zone: str = ""
    port: int | None = None

    def text(self, number: int) -> str:
        """Return one of its addresses as text."""
        return f"{_ADDRESS[self.version](number)}{f'%{self.zone}' if self.zone else ''}"


@dataclass(frozen=True, slots=True)
class Name:
    """A name that is still to be resolved."""

    given: str
    name: str
    port: int | None = None


def refuse(text: str, seen: str, remedy: str) -> BadInput:
    """Return the error for a target that cannot be used."""
    return BadInput("The target cannot be used", where=text[:100], seen=seen, remedy=remedy)


def parse(text: str) -> Range | Name:
    """Return what one target means.

    Raises:
        BadInput: it is none, or holds addresses that no host has.
    """
    text = text.strip()
    if not text:
        raise refuse("", "it is empty", "write an address, a name, a network or a range")
    if not text.isprintable() or any(letter.isspace() for letter in text):
        raise refuse(text, "it is not one word", "write several targets as a list")
    if "\\" in text or "//" in text:
        raise refuse(text, "it looks like a share or a URL", "write only the host")
    body, port = _port(text)
    if "/" in body:
        found: Range | Name = _network(text, body)
    elif (ends := _ends(body)) is not None:
        found = _range(text, *ends)
    else:
        found = _single(text, body, port)
    if port is not None and not isinstance(found, Name) and found.first != found.last:
        raise refuse(text, "a network or range takes no port of its own", "set the option ports")
    if isinstance(found, Range):
        _hosts_only(found)
    return found


def _port(text: str) -> tuple[str, int | None]:
    """Split a port off: ``[v6]:port``, ``v4:port`` and ``name:port``; a bare IPv6 address has none."""
    if text.startswith("["):
        body, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise refuse(text, "the bracket around an IPv6 address is not closed", "write [fd00::7]:445")
        if ":" not in body:
            raise refuse(text, "only an IPv6 address stands in brackets", "write host:port")
        return body, _number(text, rest[1:]) if rest else None
    if text.count(":") == 1:
        body, _colon, rest = text.partition(":")
        return body, _number(text, rest)
    return text, None


def _number(text: str, digits: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", digits) or not 0 < int(digits) < 65536:
        raise refuse(text, f"{digits[:20]!r} is no port", "a port is a number from 1 to 65535")
    return int(digits)


def _network(text: str, body: str) -> Range:
    """Return the hosts of a network: RFC 3021 networks of two addresses have two, others neither first nor last."""
    address, _slash, prefix = body.partition("/")
    number, version, zone = _address(text, address)
    if not re.fullmatch(r"[0-9]{1,3}", prefix) or int(prefix) > _BITS[version]:
        raise refuse(text, f"{prefix[:20]!r} is no prefix length", f"it is a number from 0 to {_BITS[version]}")
    size = 1 << (_BITS[version] - int(prefix))
    if number % size:
        network = f"{_ADDRESS[version](number - number % size)}/{prefix}"
        raise refuse(text, "its host bits are set", f"write {network} for the network, or {address} for the host")
    first, last = number, number + size - 1
    if size > 2:
        first, last = first + 1, last - (version == 4)
    return Range(text, version, first, last, zone)


def _ends(body: str) -> tuple[str, str] | None:
    """Return the ends of a range, or None: a name may hold hyphens, but no address stands before its first one."""
    first, hyphen, last = body.partition("-")
    if not hyphen or not _is_address(first):
        return None
    return first, last


def _range(text: str, low: str, high: str) -> Range:
    first, version, zone = _address(text, low)
    if version == 4 and re.fullmatch(r"[0-9]{1,3}", high):
        high = f"{low.rpartition('.')[0]}.{high}"
    if not _is_address(high):
        raise refuse(text, f"{high[:60]!r} is no address", "write 10.0.0.1-20, or both addresses in full")
    last, other, _zone = _address(text, high)
    if other != version:
        raise refuse(text, "its ends are of two IP versions", "write both as IPv4 or both as IPv6")
    if last < first:
        raise refuse(text, "its last address comes before its first", "turn it round")
    return Range(text, version, first, last, zone)


def _single(text: str, body: str, port: int | None) -> Range | Name:
    if _is_address(body):
        number, version, zone = _address(text, body)
        return Range(text, version, number, number, zone, port)
    name = body.removesuffix(".")
    labels = name.split(".")
    if not name.isascii():
        raise refuse(text, "it holds letters that DNS does not know", "write the name in its ASCII form (xn--…)")
    if ":" in name or re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]+", labels[-1]):
        raise refuse(text, "it is no address", "write 10.0.0.7, fd00::7, a name, a network or a range")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise refuse(text, "it is neither an address nor a name", "write an address, a name, a network or a range")
    return Name(text, name, port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _address(text: str, address: str) -> tuple[int, int, str]:
    """Return number, version and interface; an IPv4 address in IPv6 clothes (RFC 4291 2.5.5.2) is an IPv4 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise refuse(text, f"{address[:60]!r} is no address", "write it as 10.0.0.7 or fd00::7") from None
    if isinstance(found, ipaddress.IPv4Address):
        return int(found), 4, ""
    zone = found.scope_id or ""
    if zone and not _ZONE.fullmatch(zone):
        raise refuse(text, f"{zone[:20]!r} is no interface", "write fe80::7%eth0")
    mapped = found.ipv4_mapped
    return (int(found), 6, zone) if mapped is None else (int(mapped), 4, "")


def _hosts_only(found: Range) -> None:
    for text in _NO_HOSTS:
        network = ipaddress.ip_network(text)
        first, last = int(network.network_address), int(network.broadcast_address)
        if found.version == network.version and found.first <= last and first <= found.last:
            raise refuse(found.given, f"{text} holds no host's address", "leave it out")


def placed(entries: Iterable[Range | Name], addresses: Mapping[str, Sequence[str]]) -> list[Range]:
    """Return the entries with every name replaced by its addresses; a name that has none is left out.

    Args:
        entries: what ``parse`` returned.
        addresses: name → what the resolver says, as text.

    Raises:
        BadInput: a name leads to an address that no host has.
    """
    ranges = []
    for entry in entries:
        if isinstance(entry, Range):
            ranges.append(entry)
            continue
        for address in addresses.get(entry.name, ()):
            number, version, zone = _address(entry.given, address)
            found = Range(entry.given, version, number, number, zone, entry.port)
            _hosts_only(found)
            ranges.append(found)
    return ranges


def count(ranges: Iterable[Range]) -> int:
    """Return how many targets ``expand`` will yield.

    Raises:
        BadInput: more than MAX_ADDRESSES.
    """
    total = sum(last - first + 1 for _origin, first, last in _distinct(ranges))
    if total > MAX_ADDRESSES:
        raise BadInput(
            "The targets are too many",
            seen=f"{total} addresses",
            remedy=f"{MAX_ADDRESSES} at most: probe smaller networks, or name the hosts",
        )
    return total


def expand(ranges: Iterable[Range]) -> Iterator[Target]:
    """Yield every address once, in the order in which it was first named."""
    for origin, first, last in _distinct(ranges):
        for number in range(first, last + 1):
            yield Target(origin.given, origin.text(number), origin.port)


def _distinct(ranges: Iterable[Range]) -> Iterator[tuple[Range, int, int]]:
    seen: dict[tuple[int, str, int | None], Spans] = {}
    for item in ranges:
        known = seen.setdefault((item.version, item.zone, item.port), Spans())
        for first, last in known.missing(item.first, item.last):
            yield item, first, last
        known.add(item.first, item.last)
