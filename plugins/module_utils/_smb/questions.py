# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One target's plan: which conversations to hold now, and what came of them. No sockets and no clock here.

The ports of SMB are asked one after the other, as the second says little new where the first has answered; but a port
that stays silent does not keep the others waiting. What needs no connection (UDP) and what only wants to know whether
a port is open comes beside.
"""

from __future__ import annotations

from .answers import INDETERMINATE, NOT_OBSERVABLE, TIME_OVER, PortAnswers, Smb1Attempt, TargetAnswers
from .datagrams import Datagram, NodeStatus, QuicVersions
from .dialogue import Conversation
from .identity import callable_names, session_names
from .options import CONNECT_PORTS, Options, Target
from .ports import PortInquiry

PARALLEL = 2
"""Connections at a time to one target: many servers start a process for each."""

_SMB_CHECKS = frozenset(("dialects", "smb1", "signing", "ciphers", "identity", "anonymous", "guest", "ms17_010"))
_LOGONS = ("identity", "anonymous", "guest")


class Inquiry:
    """All that is asked of one target.

    Args:
        target: with an address.
        options: what to ask, and the limits.
        started: seconds since the epoch.

    Attributes:
        active: conversations that were given out and not taken back.
        connections: TCP connections so far.
    """

    __slots__ = (
        "_datagrams", "_expired", "_node_status", "_open", "_options", "_ports", "_smb1_attempts", "_source", "_to_do",
        "_unsent", "active", "connections", "started", "target",
    )  # fmt: skip

    def __init__(self, target: Target, options: Options, started: float) -> None:
        self.target = target
        self.started = started
        self.active = 0
        self.connections = 0
        self._options = options
        self._expired = False
        self._open = 0  # connections among the active
        self._ports: list[PortInquiry] = []
        self._source = ""
        self._smb1_attempts: list[Smb1Attempt] = []
        smb = options.checks & _SMB_CHECKS
        self._to_do = [(number, bool(smb)) for number in target.ports or options.ports]
        self._node_status: NodeStatus | None = None
        self._unsent: list[Datagram] = []
        self._datagrams: list[Datagram] | None = []  # None: to be made when the target has shown some life, or none
        if not target.ports:
            if "ports" in options.checks:
                self._to_do += [(number, False) for number in CONNECT_PORTS if number not in options.ports]
            if options.checks & {"netbios", "quic"}:
                self._datagrams = None

    @property
    def done(self) -> bool:
        """Whether all is asked and answered."""
        if self.active:
            return False
        if self._expired:
            return True
        return not self._to_do and self._datagrams is not None and all(port.done for port in self._ports)

    def next(self) -> Conversation | Datagram | None:
        """Return a conversation to begin now, or None: first something has to come back."""
        if self._expired:
            return None
        if self._open < PARALLEL:
            for port in self._ports:
                if port.wants_name:
                    self._name(port)
                if not port.idle:
                    conversation = port.next(self.connections)
                    if conversation is not None:
                        return self._given(conversation)
            if self._to_do:
                conversation = self._next_port()
                if conversation is not None:
                    return self._given(conversation)
        return self._next_datagram() if self._unsent or self._datagrams is None else None

    def _next_port(self) -> Conversation | None:
        while self._to_do and all(port.done or port.slow for port in self._ports):
            number, smb = self._to_do.pop(0)
            port = self._begin_port(number, smb)
            self._ports.append(port)
            conversation = port.next(self.connections)
            if conversation is not None:
                return conversation
        return None

    def _given(self, conversation: Conversation) -> Conversation:
        self.active += 1
        self._open += 1
        self.connections += 1
        return conversation

    def _begin_port(self, number: int, smb: bool) -> PortInquiry:
        """A further port is not asked again who it is, nor for its ciphers: only what may differ between ports."""
        checks = self._options.checks
        logons = [kind for kind in _LOGONS if kind in checks]
        for port in self._ports:
            facts = port.facts
            known = {"identity"} if facts.identity is not None and facts.identity.challenge is not None else set()
            logons = [kind for kind in logons if kind not in known and kind not in facts.logons]
            if facts.ciphers is not None and not facts.ciphers_reason and not facts.signing_reason:
                checks = checks - {"ciphers"}
            if facts.ms17_010 is not None:
                checks = checks - {"ms17_010"}
        return PortInquiry(number, self.target.address, self._options, checks, tuple(logons), smb)

    def _name(self, port: PortInquiry) -> None:
        """Give a port that refuses ``*SMBSERVER`` the name of the server, if anybody knows it."""
        self._make_datagrams()
        status = self._node_status
        if status is not None and not status.done:
            return  # it may still come
        names = [name for other in self._ports for name in session_names(other.facts)]
        if status is not None:
            names += callable_names(status.server_names())
        port.name_known(names)

    def _next_datagram(self) -> Datagram | None:
        if self._datagrams is None:
            if self._ports and not any(port.done or port.slow or port.reached for port in self._ports):
                return None
            self._make_datagrams()
        if not self._unsent:
            return None
        self.active += 1
        return self._unsent.pop()

    def _make_datagrams(self) -> None:
        if self._datagrams is None:
            self._datagrams = []
            if "netbios" in self._options.checks:
                self._node_status = NodeStatus()
                self._datagrams.append(self._node_status)
            if "quic" in self._options.checks:
                self._datagrams.append(QuicVersions())
            self._unsent = self._datagrams[::-1]

    def connected(self, conversation: Conversation, source: str) -> None:
        """Take note that a port takes connections; ``source`` is our own address."""
        conversation.owner[0].connected()
        conversation.connected()
        self._source = source

    def smb1_sent(self, moment: float, source: str, port: int) -> None:
        """Take note that an SMB1 NEGOTIATE has left: when, and from which address and port of ours."""
        self._smb1_attempts.append(Smb1Attempt(moment, source, port))

    def finished(self, conversation: Conversation | Datagram) -> bool:
        """Take the outcome; return whether the same connection is to be used for another question."""
        if isinstance(conversation, Conversation):
            if conversation.owner[0].take(conversation) and not self._expired:
                return True
            self._open -= 1
        self.active -= 1
        return False

    def expire(self) -> None:
        """The target's time is over: nothing more is asked, and what is not known stays so."""
        self._expired = True
        for port in self._ports:
            port.stop()

    def answers(self, seconds: float) -> TargetAnswers:
        """Return all that is known; ``seconds`` since the inquiry began."""
        ports: dict[str, PortAnswers] = {f"{port.number}/tcp": port.answers() for port in self._ports}
        for number, _smb in self._to_do:
            ports[f"{number}/tcp"] = PortAnswers(INDETERMINATE, TIME_OVER)
        for datagram in self._datagrams or ():
            ports[f"{datagram.port}/udp"] = datagram.answers
        if "netbios" in self._options.checks and not self.target.ports:
            ports["138/udp"] = PortAnswers(NOT_OBSERVABLE, "datagrams to it are never answered")
        return TargetAnswers(
            self.target.name,
            self.target.address,
            self.started,
            seconds,
            self._source,
            self.connections,
            self._smb1_attempts,
            ports,
        )
