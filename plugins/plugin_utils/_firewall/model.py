# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One model of firewall rules, whatever engine they stand in.

Exposure is never hidden: a rule that opens a port under a condition that cannot be judged here counts as open, and a
rule that closes one under such a condition does not count as protection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Action = Literal["allow", "block"]
Direction = Literal["in", "out"]
Match = Literal["always", "perhaps", "never"]
"""Whether a rule matches the traffic of the system's own SMB when protocol, ports and addresses fit: "perhaps" hangs on
conditions that cannot be judged here, "never" is a rule for other programs."""

TCP, UDP = 6, 17


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports that a rule names.

    Attributes:
        spans: first and last port of each range.
        words: names for ports that the system assigns itself; none of them is ever one of SMB's.
        unknown: what cannot be understood, and may be any port.
    """

    spans: tuple[tuple[int, int], ...] = ()
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def covers(self, port: int) -> bool | None:
        """Return whether a port is among them; None when that cannot be told."""
        if any(first <= port <= last for first, last in self.spans):
            return True
        return None if self.unknown else False


@dataclass(frozen=True, slots=True)
class Scope:
    """Remote addresses that a rule names: a range of IP version 4 or 6, or a word such as ``LocalSubnet``."""

    version: Literal[4, 6]
    first: int = 0
    last: int = 0
    word: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: the name that the engine knows it by; it is the same in every language.
        source: "local", or "policy" for what an administrator of the domain or a management service put there.
        action, direction: what it does with which traffic.
        active: whether it is switched on.
        profiles: where it applies; of Windows "domain", "private", "public".
        protocol: IP protocol number; None: any.
        local_ports, remote_ports: None: any.
        peers: remote addresses; empty: any.
        authenticated: only peers that IPsec has authenticated match.
        overrides: it lets those peers through rules that block.
        match: see Match.
        conditions: other conditions, as the engine writes them: (name, value).
        title, group: what people know it by.
    """

    id: str
    source: str
    action: Action
    direction: Direction
    active: bool = True
    profiles: frozenset[str] = frozenset()
    protocol: int | None = None
    local_ports: Ports | None = None
    remote_ports: Ports | None = None
    peers: tuple[Scope, ...] = ()
    authenticated: bool = False
    overrides: bool = False
    match: Match = "always"
    conditions: tuple[tuple[str, str], ...] = ()
    title: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What holds where no rule matches.

    Attributes:
        name: of Windows "domain", "private", "public".
        enabled: whether the firewall filters at all.
        inbound, outbound: default actions.
        shielded: nothing comes in, whatever the rules say.
        local_rules: whether rules of the host count beside those of policy.
    """

    name: str
    enabled: bool = True
    inbound: Action = "block"
    outbound: Action = "allow"
    shielded: bool = False
    local_rules: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who can reach a port, as scopes: "any", a network, an address, ``a-b``, or a word of the engine.

    Attributes:
        open: anybody there can.
        authenticated: those whom IPsec has authenticated can.
        rules: ids of the rules that open it.
    """

    open: tuple[str, ...] = ()
    authenticated: tuple[str, ...] = ()
    rules: tuple[str, ...] = field(default=())
