# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said on a connection, question by question: generators that yield bytes to send and take messages.

Each writes what it learns into the outcome as soon as it knows it, so that a peer that fails later takes nothing back.
What a message breaks of the protocol leaves the generator as ``RemoteProtocolError``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from functools import lru_cache, partial
from itertools import count
from typing import TypeVar

from . import ntlmssp, smb1, smb1_header, smb1_session, smb2, smb2_header, smb2_session, smb2_tree, spnego
from .dialogue import Conversation, Outcome, Script
from .errors import LocalProtocolError, RemoteProtocolError
from .framing import direct
from .netbios import SMB_SERVER
from .question import Question
from .status import MORE_PROCESSING_REQUIRED, NOT_SUPPORTED, PENDING, SUCCESS

IDENTITY = "identity"
ANONYMOUS = "anonymous"
GUEST = "guest"

MULTI_PROTOCOL = (smb1.NT_LM, smb1.SMB2_002, smb1.SMB2_WILDCARD)
"""An SMB1 offer that every server with SMB2 has to answer in SMB2 ([MS-SMB2] 3.3.5.3.1)."""

_FLUID = (smb2.WILDCARD, 0x0202)
_SALT = os.urandom(32)
_GUID = slice(80, 96)  # frame header 4, SMB2 header 64, then 12 bytes ([MS-SMB2] 2.2.3)
_GUIDS = count(int.from_bytes(os.urandom(15), "big"))  # one per connection: servers bind a client's GUID to its dialect
_INTERIM = 4

_Reply = TypeVar("_Reply", smb2.Negotiate2, smb2_header.Header, smb2_session.SessionSetup)


def negotiate2(talk: Conversation, question: Question, outcome: Outcome) -> Script:
    """SMB2 NEGOTIATE, and what ``then`` asks for."""

    def read(message: bytes) -> smb2.Negotiate2:
        return smb2.negotiate_response(
            message,
            question.offer,
            message_id=talk.message_id,
            ciphers=question.ciphers,
            signing=question.signing,
            compression=question.compression,
        )

    outcome.message, reply = yield from _final(_negotiate2_request(question, talk.message_id), read)
    outcome.smb2 = reply
    outcome.at = time.time()
    talk.message_id += 1
    if reply.dialect is None:
        talk.reusable = reply.status == NOT_SUPPORTED
    elif question.then:
        yield from _session2(talk, outcome, question)


def multi_protocol(talk: Conversation, question: Question, outcome: Outcome) -> Script:
    """SMB1 NEGOTIATE that offers SMB2 too; if the server asks for it, SMB2 NEGOTIATE on the same connection."""
    talk.wire_smb1 = True
    message = yield direct(smb1.negotiate_request(MULTI_PROTOCOL))
    outcome.message = message
    if not message.startswith(smb2_header.PROTOCOL):
        outcome.smb1 = smb1.negotiate_response(message, MULTI_PROTOCOL)
        return
    reply = smb2.negotiate_response(message, _FLUID)
    if reply.dialect != smb2.WILDCARD:
        outcome.smb2 = reply
        outcome.at = time.time()
        return
    outcome.fluid = True
    talk.message_id = 1
    yield from negotiate2(talk, question, outcome)


def negotiate1(talk: Conversation, question: Question, outcome: Outcome) -> Script:
    """SMB1 NEGOTIATE, and what ``then`` asks for."""
    talk.wire_smb1 = True
    message = yield direct(smb1.negotiate_request(question.offer))
    if message.startswith(smb2_header.PROTOCOL):
        raise RemoteProtocolError("wrong_message", "an SMB2 message where only SMB1 was offered")
    outcome.message = message
    outcome.at = time.time()
    if _framed_twice(message):
        outcome.oddity = "a refusal with two frame headers and without DialectIndex"
        outcome.smb1 = smb1.Negotiate1(0, word_count=1)
        return
    reply = outcome.smb1 = smb1.negotiate_response(message, question.offer)
    if reply.dialect != smb1.NT_LM or not question.then:
        return
    if reply.capabilities & smb1.CAP_EXTENDED_SECURITY:
        yield from _session1(outcome, question)
    elif ANONYMOUS in question.then:
        setup = smb1_session.session_setup_response((yield direct(smb1_session.null_session_request())))
        outcome.logon = setup.status
        outcome.native = (setup.native_os, setup.native_lm, setup.domain)
        if setup.status == SUCCESS:
            yield from _tree1(outcome, setup.uid)


def _framed_twice(message: bytes) -> bool:
    """Whether a reply is what ksmbd (Linux 6.1) refuses SMB1 with: the frame's header comes again inside, and as the
    length does not count it, the message ends behind its WordCount, which is 1 as in any refusal."""
    return len(message) == 37 and message[:9] == b"\0\0\0\x25" + smb1_header.PROTOCOL + b"\x72" and message[36] == 1


def ms17_010(talk: Conversation, _question: Question, outcome: Outcome) -> Script:
    """Null session, IPC$, PeekNamedPipe on a pipe that is not open: four round trips, nothing is changed."""
    offer = (smb1.NT_LM,)
    talk.wire_smb1 = True
    message = yield direct(smb1.negotiate_request(offer, extended_security=False))
    reply = outcome.smb1 = smb1.negotiate_response(message, offer)
    outcome.message = message
    if reply.dialect is None:
        outcome.peek = ("NEGOTIATE", reply.status)
        return
    setup = smb1_session.session_setup_response((yield direct(smb1_session.null_session_request())))
    outcome.peek = ("SESSION_SETUP", setup.status)
    if setup.status:
        return
    connect = smb1_session.tree_connect_request(SMB_SERVER, uid=setup.uid)
    tree = smb1_session.tree_connect_response((yield direct(connect)))
    outcome.peek = ("TREE_CONNECT", tree.status)
    if tree.status:
        return
    peek = smb1_session.peek_named_pipe_request(tid=tree.tid, uid=setup.uid)
    outcome.peek = ("PeekNamedPipe", smb1_header.status((yield direct(peek))))


def _negotiate2_request(question: Question, message_id: int) -> bytes:
    """Return the frame: all but the GUID is made once."""
    pieces = question.requests.get(message_id)
    if pieces is None:
        request = direct(
            smb2.negotiate_request(
                question.offer,
                message_id=message_id,
                guid=bytes(16),
                salt=_SALT,
                ciphers=question.ciphers,
                signing=question.signing,
                compression=question.compression,
                capabilities=not question.plain,
            )
        )
        # 2.0.2 has no GUID ([MS-SMB2] 2.2.3): it stays zero.
        pieces = (request, b"") if question.offer == (0x0202,) else (request[: _GUID.start], request[_GUID.stop :])
        question.requests[message_id] = pieces
    head, tail = pieces
    return head + next(_GUIDS).to_bytes(16, "big") + tail if tail else head


def _session2(talk: Conversation, outcome: Outcome, question: Question) -> Script:
    """SESSION_SETUP up to the NTLM challenge, which is no logon; a second one only where a logon was asked for."""
    setup = yield from _session_reply(talk, _first_setup(talk.message_id))
    outcome.setup = setup.status
    if setup.status != MORE_PROCESSING_REQUIRED:
        return
    outcome.challenge = ntlmssp.challenge(spnego.parse(setup.blob).token)
    token = _logon_token(outcome, question)
    if token:
        request = smb2_session.session_setup_request(talk.message_id, setup.session_id, spnego.response(token))
        setup = yield from _session_reply(talk, direct(request))
        outcome.logon = setup.status
        outcome.logon_flags = setup.flags
        if setup.status == SUCCESS:
            request = direct(smb2_tree.tree_connect_request(talk.message_id, setup.session_id, SMB_SERVER))
            read = partial(smb2_tree.tree_connect_response, message_id=talk.message_id)
            outcome.tree = (yield from _final(request, read))[1].status


@lru_cache(maxsize=16)
def _first_setup(message_id: int) -> bytes:
    return direct(smb2_session.session_setup_request(message_id, 0, spnego.init(ntlmssp.negotiate())))


def _session_reply(talk: Conversation, request: bytes) -> Generator[bytes, bytes, smb2_session.SessionSetup]:
    read = partial(smb2_session.session_setup_response, message_id=talk.message_id)
    _message, setup = yield from _final(request, read)
    talk.message_id += 1
    return setup


def _final(request: bytes, read: Callable[[bytes], _Reply]) -> Generator[bytes, bytes, tuple[bytes, _Reply]]:
    """Return what answers a request in the end; interim replies (STATUS_PENDING, [MS-SMB2] 3.3.4.2) are passed over."""
    message = yield request
    for _interim in range(_INTERIM):
        reply = read(message)
        if reply.status != PENDING:
            return message, reply
        message = yield b""
    raise RemoteProtocolError("too_many", f"more than {_INTERIM} interim replies")


def _session1(outcome: Outcome, question: Question) -> Script:
    request = smb1_session.session_setup_request(spnego.init(ntlmssp.negotiate()))
    setup = smb1_session.session_setup_response((yield direct(request)))
    outcome.setup = setup.status
    outcome.native = (setup.native_os, setup.native_lm, setup.domain)
    if setup.status != MORE_PROCESSING_REQUIRED:
        return
    outcome.challenge = ntlmssp.challenge(spnego.parse(setup.blob).token)
    token = _logon_token(outcome, question)
    if token:
        request = smb1_session.session_setup_request(spnego.response(token), uid=setup.uid, mid=2)
        setup = smb1_session.session_setup_response((yield direct(request)))
        outcome.logon = setup.status
        outcome.logon_flags = smb2_session.GUEST if setup.guest else 0
        if setup.status == SUCCESS:
            yield from _tree1(outcome, setup.uid)


def _tree1(outcome: Outcome, uid: int) -> Script:
    request = smb1_session.tree_connect_request(SMB_SERVER, uid=uid, mid=3)
    outcome.tree = smb1_session.tree_connect_response((yield direct(request))).status


def _logon_token(outcome: Outcome, question: Question) -> bytes:
    challenge = outcome.challenge
    if challenge is None:
        return b""
    if ANONYMOUS in question.then:
        return ntlmssp.anonymous(challenge)
    if GUEST in question.then:
        try:
            return ntlmssp.guest(challenge, question.user)
        except LocalProtocolError as error:
            outcome.detail = str(error)
    return b""
