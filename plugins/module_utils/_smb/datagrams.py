# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions by UDP, without the socket: node status on 137, QUIC version negotiation on 443."""

from __future__ import annotations

import os

from . import netbios, quic
from .answers import CLOSED, ERROR, INDETERMINATE, OPEN, TIME_OVER, UNREACHABLE, NetbiosName, PortAnswers, text
from .dialogue import LIMIT
from .errors import RemoteProtocolError

NODE_STATUS_PORT = 137
QUIC_PORT = 443
WAITS = (1.0, 1.0, 1.5)
"""Seconds after each of the three requests; UDP gets lost."""

MAX_DATAGRAMS = 8
MAX_NAMES = 32
_FAILURES = {"closed": CLOSED, "unreachable": UNREACHABLE, "error": ERROR}


class Datagram:
    """One question by UDP. A reply that is not one to the request is passed over, as anybody can send it.

    Attributes:
        sent: requests so far; when ``WAITS[sent - 1]`` is over the next is due, see ``more``.
        done: ``answers`` is final.
    """

    datagram = True
    opening = False

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0
        self.done = False
        self.answers = PortAnswers(INDETERMINATE, f"no answer to {len(WAITS)} requests: filtered, or nothing there")
        self._left = MAX_DATAGRAMS

    @property
    def more(self) -> bool:
        """Whether another request may be sent."""
        return self.sent < len(WAITS)

    def data_to_send(self) -> bytes:
        """Return the next request."""
        self.sent += 1
        return self._request()

    def receive(self, data: bytes) -> None:
        """Take one datagram."""
        try:
            self.answers = self._answers(data)
            self.done = True
        except RemoteProtocolError as error:
            self._left -= 1
            self.answers = PortAnswers(INDETERMINATE, f"only datagrams that do not answer: {error}")
            if not self._left:
                self.done = True

    def fail(self, failure: str, detail: str = "") -> None:
        """End it: the words are those of ``dialogue``."""
        if self.done:
            return
        self.done = True
        if failure in _FAILURES:
            self.answers = PortAnswers(_FAILURES[failure], detail)
        elif failure == LIMIT:
            self.answers = PortAnswers(INDETERMINATE, TIME_OVER)

    def _request(self) -> bytes:
        raise NotImplementedError

    def _answers(self, data: bytes) -> PortAnswers:
        raise NotImplementedError


class NodeStatus(Datagram):
    """The name table of UDP 137."""

    def __init__(self) -> None:
        super().__init__(NODE_STATUS_PORT)
        self._id = int.from_bytes(os.urandom(2), "big")

    def _request(self) -> bytes:
        return netbios.node_status_request(self._id)

    def _answers(self, data: bytes) -> PortAnswers:
        found = netbios.node_status_response(data, self._id)
        names = tuple(NetbiosName(text(row.name), row.suffix, row.group) for row in found.names[:MAX_NAMES])
        return PortAnswers(OPEN, names=names, mac=found.mac)

    def server_names(self) -> list[str]:
        """Return the names of the file server itself."""
        rows = self.answers.names or ()
        return [row.name for row in rows if row.suffix == netbios.SUFFIX_SERVER and not row.group]


class QuicVersions(Datagram):
    """Which versions of QUIC UDP 443 speaks. It says nothing about SMB inside."""

    def __init__(self) -> None:
        super().__init__(QUIC_PORT)
        self._destination = os.urandom(quic.CONNECTION_ID_LENGTH)
        self._source = os.urandom(quic.CONNECTION_ID_LENGTH)

    def _request(self) -> bytes:
        return quic.version_request(self._destination, self._source)

    def _answers(self, data: bytes) -> PortAnswers:
        versions = quic.version_response(data, self._destination, self._source)
        return PortAnswers(OPEN, quic_versions=tuple(quic.version_name(version) for version in versions))
