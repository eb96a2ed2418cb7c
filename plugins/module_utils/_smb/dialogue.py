# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection's exchange, without the connection: bytes in, bytes out, an outcome at the end.

A ``Conversation`` holds one question, and further ones where the peer leaves the connection usable. Whatever the peer
sends, nothing is raised: it ends in the outcome. Time is not known here; who owns the socket calls ``fail``.
"""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256
from typing import Any

from .errors import LocalProtocolError, RemoteProtocolError
from .framing import LIMIT as FRAME_LIMIT
from .framing import MESSAGE, NEGATIVE, Frame, Frames
from .netbios import SessionResponse, session_request, session_response
from .ntlmssp import Challenge
from .question import Question
from .smb1 import Negotiate1
from .smb2 import Negotiate2

MAX_BYTES = 131072
"""Bytes of one connection that are read."""

MAX_FRAMES = 16

# Why there is no answer.
TIMEOUT = "timeout"  # connected, but no (whole) reply in time
EOF = "eof"  # the peer closed
RESET = "reset"  # the peer, or somebody between, reset the connection
VIOLATION = "violation"  # the reply breaks the protocol
SESSION = "session"  # 139: no session
SILENT = "silent"  # no answer to connecting
CLOSED = "closed"  # the connection was refused
UNREACHABLE = "unreachable"
ERROR = "error"  # our own side
LIMIT = "limit"  # the host's time was over

CLOSINGS = frozenset((EOF, RESET))

Script = Generator[bytes, bytes, None]


class Outcome:
    """What became of one question. Whatever was answered before a failure stands.

    Attributes:
        number: of the conversation, in the order in which they were begun.
        failure: one of the words above, ``""``: all was answered; ``detail`` in words of ours.
        reason: of a violation, see ``errors.Reason``.
        session: the answer to a NetBIOS session request.
        smb1, smb2: the answer to NEGOTIATE.
        message: what answered NEGOTIATE.
        at: when it came, seconds since the epoch.
        setup: the status of the first SESSION_SETUP; None: not answered.
        challenge: what it held.
        native: native OS and native LAN manager of an SMB1 SESSION_SETUP, and its domain.
        logon: the status of the second SESSION_SETUP; ``logon_flags`` of its session.
        tree: the status of its TREE_CONNECT to IPC$.
        peek: the name of the request whose status decided MS17-010, and that status.
        fluid: the peer answered an SMB1 offer with 0x02FF, "ask again in SMB2".
        oddity: what was wrong with a reply whose meaning is clear nevertheless.
        received: bytes of the peer.
        earlier: the outcome of an attempt that this one repeats.
    """

    failure = ""
    detail = ""
    reason = ""
    session: SessionResponse | None = None
    smb1: Negotiate1 | None = None
    smb2: Negotiate2 | None = None
    message = b""
    at = 0.0
    setup: int | None = None
    challenge: Challenge | None = None
    native: tuple[str, str, str] | None = None
    logon: int | None = None
    logon_flags = 0
    tree: int | None = None
    peek: tuple[str, int] | None = None
    fluid = False
    oddity = ""
    received = 0
    earlier: Outcome | None = None
    _evidence = ""

    def __init__(self, question: Question, number: int) -> None:
        self.question = question
        self.number = number

    @property
    def answered(self) -> bool:
        """Whether the peer answered NEGOTIATE as the protocol allows, be it by a refusal."""
        return self.smb2 is not None or self.smb1 is not None

    def evidence(self) -> str:
        """Return the size and the begin of the SHA-256 of the message that answered NEGOTIATE, as text."""
        if not self._evidence:
            self._evidence = f"{len(self.message)} bytes, sha256 {sha256(self.message).hexdigest()[:12]}"
        return self._evidence


class Conversation:
    """The exchange on one connection.

    Args:
        question: the first one.
        port: where to connect to.
        number: in the order in which conversations are begun.
        called: 139: the NetBIOS name to ask a session with; ``""``: direct TCP.

    Attributes:
        done: nothing more is to be sent or read for the question; see ``outcome``.
        reusable: the peer has refused and waits for another NEGOTIATE on this connection.
        asked: questions so far.
        message_id: of the next SMB2 request.
        connect_seconds, seconds: limits for connecting and for the life after that.
        opening: nobody knows yet whether the port is open.
        called: the NetBIOS name of the session request.
        owner: whose question it is; for its own use.
        wire_smb1: an SMB1 NEGOTIATE has been handed out to be sent; who sends it resets this.
    """

    __slots__ = (
        "_frames", "_out", "_script", "_session", "asked", "called", "connect_seconds", "done", "message_id", "number",
        "opening", "outcome", "owner", "port", "question", "reusable", "seconds", "wire_smb1",
    )  # fmt: skip

    datagram = False

    def __init__(
        self,
        question: Question,
        port: int,
        number: int,
        called: str = "",
        connect_seconds: float = 0.0,
        seconds: float = 0.0,
        opening: bool = False,
        owner: Any = None,
    ) -> None:
        self.question = question
        self.port = port
        self.number = number
        self.called = called
        self.connect_seconds = connect_seconds
        self.seconds = seconds
        self.opening = opening
        self.owner = owner
        self.outcome = outcome = Outcome(question, number)
        self.done = self.reusable = self.wire_smb1 = False
        self.asked = 1
        self.message_id = 0
        self._frames: Frames | None = None
        self._session = not called  # whether messages may be exchanged
        self._script: Script | None = None
        if called:
            self._out = session_request(called)
        elif question.script is None:
            self._out = b""
        else:
            self._script = script = question.script(self, question, outcome)
            self._out = next(script, b"")

    def _begin(self) -> None:
        question = self.question
        if question.script is not None:
            self._script = question.script(self, question, self.outcome)
            self._out += next(self._script, b"")

    def connected(self) -> None:
        """The connection was made: for a question without a script that is all."""
        self.opening = False
        if self.question.script is None:
            self.done = True

    def ask(self, question: Question) -> None:
        """Put another question on the same connection; only where ``reusable``."""
        if not self.reusable:
            raise LocalProtocolError("this connection cannot take another question")
        self.question = question
        self.outcome = Outcome(question, self.number)
        self.done = self.reusable = False
        self.asked += 1
        self._begin()

    def data_to_send(self) -> bytes:
        """Return what to send now; ``b""`` if nothing."""
        data, self._out = self._out, b""
        return data

    def receive(self, data: bytes) -> None:
        """Take bytes of the peer, in whatever pieces they come."""
        outcome = self.outcome
        length = len(data)
        outcome.received += length
        try:
            # Nearly always one whole message comes in one piece: nothing has to be put together then.
            if (
                self._frames is None
                and self._session
                and 4 < length <= FRAME_LIMIT
                and data[0] == MESSAGE
                and not data[1]
                and (data[2] << 8 | data[3]) == length - 4
            ):
                if self._script is not None:
                    self._out = self._script.send(data[4:])
            else:
                self._receive_frames(data)
        except StopIteration:
            self.done = True
        except RemoteProtocolError as error:
            self._violate(error)
        except LocalProtocolError as error:  # a fault of ours, perhaps one that a peer can bring about
            self.fail(ERROR, str(error))

    def _receive_frames(self, data: bytes) -> None:
        if self.outcome.received > MAX_BYTES:
            raise RemoteProtocolError("too_long", f"more than {MAX_BYTES} bytes on one connection")
        if self._frames is None:
            self._frames = Frames(frames=MAX_FRAMES)
        for kind, payload in self._frames.receive(data):
            if self.done:
                return
            if not self._session or kind == NEGATIVE:  # direct TCP too: so smbd answers those that it does not serve
                self._take_session(kind, payload)
            elif kind != MESSAGE:
                raise RemoteProtocolError("wrong_message", f"a frame of type 0x{kind:02X} where a message belongs")
            elif self._script is not None:
                self._out += self._script.send(payload)

    def receive_eof(self) -> None:
        """Take note that the peer closed the connection."""
        partial = self._frames is not None and self._frames.partial
        self.fail(EOF, "in the middle of a frame" if partial else "")

    def fail(self, failure: str, detail: str = "") -> None:
        """End the question: ``failure`` is one of the words above."""
        if self.done:
            return
        outcome = self.outcome
        outcome.failure = failure
        if not detail and outcome.received and not outcome.answered:
            detail = f"after {outcome.received} bytes that are no whole reply"
        outcome.detail = detail
        self.done = True
        self.reusable = False
        self._script = None  # it refers to us: nothing else would break that circle

    def _violate(self, error: RemoteProtocolError) -> None:
        self.outcome.reason = error.reason
        self.fail(VIOLATION, str(error))

    def _take_session(self, kind: int, payload: bytes) -> None:
        """The frame answers a session request (RFC 1002 4.3.1)."""
        response = self.outcome.session = session_response(Frame(kind, payload))
        if response.kind != "positive":
            self.fail(SESSION, response.kind)
            return
        self._session = True
        self._begin()
