# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom to ask, what to ask, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CHECKS = frozenset(
    (
        "dialects",  # which SMB2 dialects are accepted, each from its own negotiate
        "smb1",  # the SMB1 dialects too; a host may audit that as use of SMB1
        "signing",
        "ciphers",  # all ciphers and signing algorithms of 3.1.1, in order of preference
        "identity",  # names and version, from the NTLM challenge; no logon is tried
        "netbios",  # node status on UDP 137
        "ports",  # TCP 135 and 5445: whether they are open
        "quic",  # version negotiation on UDP 443
        "anonymous",  # one anonymous logon
        "guest",  # one logon as guest without a password: a host may audit it as a failed logon
        "ms17_010",
    )
)
OPT_IN = frozenset(("anonymous", "guest", "ms17_010"))
DEFAULT_CHECKS = CHECKS - OPT_IN

DIRECT_PORT = 445
SESSION_PORT = 139
CONNECT_PORTS = (135, 5445)
PORTION = 512
"""Targets that a vantage host is asked about in one call."""


class Target(NamedTuple):
    """Whom to ask.

    Attributes:
        name: as the user wrote it; goes back in the answer.
        address: numeric IPv4 or IPv6, with a scope (``fe80::1%eth0``) where it is link-local; ``""``: no address was
            found, ``reason`` says why, and the answer will say so.
        ports: TCP ports instead of those of the options; then nothing but these is asked. Empty: those of the options.
        reason: why there is no address.
    """

    name: str
    address: str
    ports: tuple[int, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Options:
    """What to ask, and the limits (seconds, numbers).

    Attributes:
        checks: a subset of ``CHECKS``.
        ports: TCP ports that SMB is asked on, in this order; those in ``session_ports`` with the NetBIOS session service.
        connect_seconds: how long each attempt to connect may take; a port is ``filtered`` when all were silent. Each
            is a fresh connection: so the kernel sends 2 + 2 + 3 SYNs in 6.5 s, where one connection would need 63 s
            for seven (its interval doubles), and a way that hashes on the source port gets three chances.
        conversation_seconds: a connection's life after it was made, in total.
        retry_seconds: the same, for the one repetition of what gave no answer.
        host_seconds: a target's life, in total; time that it waits for room in a window does not count.
        connecting, conversing: connections at a time.
        per_network: connections at a time to one IPv4 /24 or IPv6 /64.
        guest_user: the name of the one logon of the check ``guest``.

    Raises:
        ValueError: an unknown check, a port that cannot be, a limit that is not above zero.
    """

    checks: frozenset[str] = DEFAULT_CHECKS
    ports: tuple[int, ...] = (DIRECT_PORT, SESSION_PORT)
    session_ports: frozenset[int] = frozenset((SESSION_PORT,))
    connect_seconds: tuple[float, ...] = (1.5, 1.5, 3.5)
    conversation_seconds: float = 4.0
    retry_seconds: float = 8.0
    host_seconds: float = 30.0
    connecting: int = 1024
    conversing: int = 256
    per_network: int = 64
    guest_user: str = "Guest"

    def __post_init__(self) -> None:
        if not self.checks <= CHECKS:
            raise ValueError(f"unknown checks: {', '.join(sorted(self.checks - CHECKS))}")
        if not all(0 < port < 65536 for port in self.ports):
            raise ValueError("a port is 1 to 65535")
        limits = (*self.connect_seconds, self.conversation_seconds, self.retry_seconds, self.host_seconds)
        windows = (self.connecting, self.conversing, self.per_network)
        if not self.connect_seconds or not all(limit > 0 for limit in (*limits, *windows)):
            raise ValueError("limits are above zero")


def of_task(told: Mapping[str, Any]) -> Options:
    """Return the options of a task, by the names that they have in the module's documentation, as the engine wants them.

    A silent port gets three trains of SYNs, and what gave no answer is asked once more with twice the time.
    """
    last = told["connect_timeout"]
    return Options(
        checks=frozenset(told["checks"]),
        ports=tuple(told["ports"]),
        connect_seconds=(min(1.5, last), min(1.5, last), last),
        conversation_seconds=told["timeout"],
        retry_seconds=2 * told["timeout"],
        host_seconds=told["host_timeout"],
        connecting=told["window"],
        conversing=told["conversations"],
        per_network=told["per_network"],
    )


@dataclass
class Summary:
    """What a run did.

    Attributes:
        targets, connections: numbers.
        seconds: from begin to end.
        states: number of ports by state.
        failures: of our own side (descriptors, local ports, routes that ran out) and how often.
    """

    targets: int = 0
    connections: int = 0
    seconds: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
