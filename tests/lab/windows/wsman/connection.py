# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One client's TCP connection: authenticate, unseal, serve, seal, and go wrong where that is wanted."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from . import envelope, sealing
from .auth import Session
from .envelope import EnvelopeError, Message, Refused
from .faults import GARBAGE, Fault
from .http import HttpError, Reader, Reply, Request
from .sealing import SealError
from .wire import Wire

if TYPE_CHECKING:
    from .server import WsmanServer

_INSTEAD = frozenset(("drop", "garbage", "unavailable", "unauthorized"))


class _Hangup(Exception):
    """The connection ends here, without an answer."""


class Connection:
    """Serves requests until the client, or a fault, ends it."""

    def __init__(self, server: WsmanServer, wire: Wire, session: Session) -> None:
        self._server, self._wire, self._session = server, wire, session
        self._granted: tuple[tuple[str, str], ...] = ()

    def serve(self) -> None:
        """Answer every request."""
        reader = Reader(self._wire)
        try:
            while (request := reader.next()) is not None:
                self._server.tally.add(requests=1)
                self._answer(request)
            self._wire.close()
        except _Hangup:
            self._wire.break_off()
        except HttpError:
            with contextlib.suppress(OSError):
                self._wire.send(Reply(400).encode())
            self._wire.close()
        except OSError:
            self._wire.break_off()

    def _answer(self, request: Request) -> None:
        if self._server.latency:
            time.sleep(self._server.latency)
        sealed = sealing.protocol(request.headers.get("content-type", ""))
        reply, message = self._authenticated(request), None
        if reply is None:
            try:
                message = self._message(request, sealed)
            except (SealError, EnvelopeError):  # as when a client goes on with the keys of another connection
                self._session.forget()
                reply = Reply(400)
        operation = message.operation if message else "Authenticate"
        self._server.tally.operation(operation)
        fault = self._server.plan.pick(operation)
        if fault is not None and fault.what in _INSTEAD:
            self._instead(fault)
            return
        if fault is not None and fault.what == "slow":
            time.sleep(fault.seconds)
        if message is not None:
            reply = self._served(message, sealed, fault)
        elif reply is None:
            reply = Reply(500 if request.body else 200, headers=self._granted)
        self._send(reply, fault)

    def _authenticated(self, request: Request) -> Reply | None:
        """Return an answer that asks for more, or None when the request comes from somebody known."""
        self._granted = ()
        if request.path.split("?")[0] != "/wsman":
            return Reply(404)
        header = request.headers.get("authorization", "")
        if header:
            outcome = self._session.step(header)
            if outcome.state == "more":
                return Reply(401, headers=outcome.headers)
            self._granted = outcome.headers
        elif self._session.user and self._session.context is None:
            self._session.forget()  # Basic says so with every request
        return None if self._session.user else Reply(401, headers=self._server.gate.offers())

    def _message(self, request: Request, sealed: str) -> Message | None:
        """Return the message of a request; None: it has none that may be read here."""
        body = request.body
        if sealed and self._session.context is not None:
            body = sealing.unseal(self._session.context, body)
        elif not self._wire.encrypted and not self._server.allow_unencrypted:
            return None
        return envelope.parse(body) if body else None

    def _served(self, message: Message, sealed: str, fault: Fault | None) -> Reply:
        if message.size > self._server.largest_request:
            return Reply(413)
        status = 200
        try:
            text = envelope.answer(message, self._server.serve(message, self._session.user, fault))
        except Refused as refused:
            status, text = 500, envelope.fault(message, refused.problem)
        if sealed and self._session.context is not None:
            kind, text = sealing.seal(self._session.context, text, sealed)
            return Reply(status, text, kind, self._granted)
        return Reply(status, text, headers=self._granted)

    def _instead(self, fault: Fault) -> None:
        """What happens instead of an answer."""
        if fault.what == "unavailable":
            self._wire.send(Reply(503).encode())
        elif fault.what == "unauthorized":
            self._session.forget()
            self._wire.send(Reply(401, headers=self._server.gate.offers()).encode())
        else:
            if fault.what == "garbage":
                self._wire.send(GARBAGE)
            raise _Hangup

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        whole = reply.encode()
        what = fault.what if fault else ""
        if what == "cut":
            self._wire.send(whole[: len(whole) // 2])
        if what in ("cut", "drop-after"):
            raise _Hangup
        self._wire.send(whole)
