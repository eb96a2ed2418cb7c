# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of remote addresses: ranges of both IP versions, and words whose addresses only the host knows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from .model import Scope

Span = tuple[int, int]
_LAST = {4: 2**32 - 1, 6: 2**128 - 1}
_NOT_PUBLIC = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
"""IPv4 addresses that no router of the internet forwards (IANA special-purpose registry)."""
_GLOBAL_UNICAST = "2000::/3"
INTERNET = "Internet"
_LOCAL_WORDS = frozenset(
    {"LocalSubnet", "DNS", "DHCP", "WINS", "DefaultGateway", "Intranet", "RmtIntranet", "Ply2Renders", "CaptivePortal"}
)
"""Words for neighbours and the organisation's own networks."""


class Addresses:
    """A set of addresses that rules add to and take from."""

    def __init__(self, whole: bool = False) -> None:
        self.spans: dict[int, list[Span]] = {4: [], 6: []}
        self.words: set[tuple[int, str]] = set()
        if whole:
            self.add(())

    def add(self, scopes: Iterable[Scope]) -> None:
        """Add scopes; none at all means every address."""
        listed = tuple(scopes) or everything()
        for scope in listed:
            if scope.word:
                self.words.add((scope.version, scope.word))
            else:
                self.spans[scope.version].append((scope.first, scope.last))
        for version in self.spans:
            self.spans[version] = _merged(self.spans[version])

    def add_all(self, other: Addresses) -> None:
        """Add every address of another set."""
        self.words |= other.words
        for version, spans in other.spans.items():
            self.spans[version] = _merged([*self.spans[version], *spans])

    def remove(self, scopes: Iterable[Scope]) -> None:
        """Take scopes away; a word only takes the same word away, because nobody knows its addresses."""
        listed = tuple(scopes) or everything()
        for scope in listed:
            if scope.word:
                self.words.discard((scope.version, scope.word))
        for version in self.spans:
            taken = _merged(
                [(scope.first, scope.last) for scope in listed if scope.version == version and not scope.word]
            )
            self.spans[version] = _without(self.spans[version], taken)
            if taken == [(0, _LAST[version])]:
                self.words = {word for word in self.words if word[0] != version}

    def shown(self) -> tuple[str, ...]:
        """Return the set as people write it."""
        if all(self.spans[version] == [(0, _LAST[version])] for version in self.spans):
            return ("any",)
        ranges = [_range(version, span) for version in self.spans for span in self.spans[version]]
        return (*sorted({word for _version, word in self.words}), *ranges)

    def reaches_internet(self) -> bool:
        """Return whether some public address may be in the set."""
        if any(word not in _LOCAL_WORDS for _version, word in self.words):
            return True
        return any(_without(self.spans[version], _private(version)) for version in self.spans)

    def remove_internet(self, version: int) -> None:
        """Take the public addresses away: what the word Internet stands for."""
        self.spans[version] = _without(self.spans[version], _without([(0, _LAST[version])], _private(version)))
        self.words.discard((version, INTERNET))

    def __bool__(self) -> bool:
        return bool(self.words or self.spans[4] or self.spans[6])


def everything() -> tuple[Scope, Scope]:
    """Return scopes that hold every address."""
    return Scope(4, 0, _LAST[4]), Scope(6, 0, _LAST[6])


def _private(version: int) -> list[Span]:
    if version == 4:
        return _merged([_span(text) for text in _NOT_PUBLIC])
    return _without([(0, _LAST[6])], [_span(_GLOBAL_UNICAST)])


def _span(text: str) -> Span:
    network = ipaddress.ip_network(text)
    return int(network.network_address), int(network.broadcast_address)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """Return sorted spans without the parts that other sorted spans hold."""
    left = []
    for first, last in spans:
        begin = first
        for low, high in taken:
            if high < begin or low > last:
                continue
            if low > begin:
                left.append((begin, low - 1))
            begin = high + 1
        if begin <= last:
            left.append((begin, last))
    return left


def _range(version: int, span: Span) -> str:
    """Return a range as an address, a network, or ``a-b``."""
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    first, last = kind(span[0]), kind(span[1])
    if first == last:
        return str(first)
    size = span[1] - span[0] + 1
    if size & (size - 1) == 0 and span[0] % size == 0:
        return f"{first}/{(32 if version == 4 else 128) - size.bit_length() + 1}"
    return f"{first}-{last}"
