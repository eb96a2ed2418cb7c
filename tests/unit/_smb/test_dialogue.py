# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection's exchange: whatever comes, in whatever pieces, it ends in an outcome."""

from __future__ import annotations

import struct

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.module_utils._smb import dialogue, elimination, scripts, spnego
from ansible_collections.breakwater.smb.plugins.module_utils._smb.dialogue import Conversation
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import REASONS, LocalProtocolError
from ansible_collections.breakwater.smb.plugins.module_utils._smb.question import Question
from ansible_collections.breakwater.smb.plugins.module_utils._smb.smb1 import NT_LM
from tests.unit._smb.simulated import CLOSE, SILENCE, Link, Truth, frame, hold, without

ALL = elimination.ask_smb2(elimination.ALL2, ("identity",))
OLD = elimination.ask_smb1((NT_LM,), ("identity",))
QUESTIONS = [
    ALL,
    ALL.plainer(),
    OLD,
    elimination.ask_smb2(elimination.ALL2, ("identity",), True),
    elimination.ask_smb2((0x0202,)),
    Question(scripts.ms17_010, (NT_LM,)),
    elimination.ask_smb2(elimination.ALL2, ("identity", "anonymous")),
    elimination.ask_smb2(elimination.ALL2, ("identity", "guest")).changed(user="Guest"),
]
MANY = hypothesis.settings(max_examples=300, deadline=None)
BOTH = Truth(smb1=frozenset((NT_LM,)))


def talk(question, truth=BOTH, called="", chunks=0):
    conversation = Conversation(question, 445, 0, called)
    hold(conversation, Link(truth, 0, bool(called)), chunks)
    assert conversation.done
    return conversation


def replies(question, truth=BOTH):
    """Return all that a peer says in one conversation, in one piece per answer."""
    conversation, link, said = Conversation(question, 445, 0), Link(truth, 0), []
    while not conversation.done and (data := conversation.data_to_send()):
        for action in link.receive(data):
            if isinstance(action, bytes):
                said.append(action)
                conversation.receive(action)
    return said


def assert_ended(conversation):
    assert conversation.done
    outcome = conversation.outcome
    assert outcome.failure in ("", "violation", "eof", "session")
    if outcome.failure == "violation":
        assert outcome.reason in REASONS and outcome.detail.isprintable()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_pieces_make_no_difference(question, chunks):
    whole, cut = talk(question).outcome, talk(question, chunks=chunks).outcome
    assert not whole.failure
    for name in ("smb1", "smb2", "setup", "logon", "logon_flags", "challenge", "native", "peek", "message", "fluid"):
        assert getattr(whole, name) == getattr(cut, name), name


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_closing_anywhere_keeps_what_was_answered(question):
    said = replies(question)
    for number in range(len(said)):
        for cut in range(len(said[number])):
            conversation = Conversation(question, 445, 0)
            conversation.data_to_send()
            for step in said[:number]:
                conversation.receive(step)
                assert not conversation.done
            if cut:
                conversation.receive(said[number][:cut])
            conversation.receive_eof()
            outcome = conversation.outcome
            assert conversation.done and outcome.failure == "eof"
            assert outcome.answered == (number > (1 if outcome.fluid else 0))
            assert ("in the middle of a frame" in outcome.detail) == bool(cut)


@MANY
@given(st.sampled_from(QUESTIONS), st.binary(max_size=400), st.integers(0, 3))
def test_noise_ends_in_an_outcome(question, noise, before):
    said = replies(question)[:before]
    conversation = Conversation(question, 445, 0)
    for step in [*said, noise, frame(noise), b"\0\0\0\0"]:
        if not conversation.done:
            conversation.receive(step)
    conversation.receive_eof()
    assert_ended(conversation)


@MANY
@given(st.sampled_from(QUESTIONS), st.data())
def test_a_changed_byte_ends_in_an_outcome(question, data):
    said = replies(question)
    number = data.draw(st.integers(0, len(said) - 1))
    changed = bytearray(said[number])
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    conversation = Conversation(question, 445, 0)
    for step in [*said[:number], bytes(changed), *said[number + 1 :]]:
        if not conversation.done:
            conversation.receive(step)
    conversation.receive_eof()
    assert_ended(conversation)


def test_what_one_connection_may_bring_is_bounded():
    conversation = Conversation(ALL, 445, 0)
    for _piece in range(100):
        conversation.receive(b"\x85\0\0\0" if _piece < 5 else b"\0\0\xff\xf0" + bytes(65520))
        if conversation.done:
            break
    assert conversation.outcome.failure == "violation"
    slow = Conversation(ALL, 445, 0)
    slow.receive(b"\0\0\xff\xff")
    for _byte in range(dialogue.MAX_BYTES):
        slow.receive(b"\xfe")
        if slow.done:
            break
    assert slow.outcome.reason in ("too_long", "not_smb") and slow.outcome.received <= dialogue.MAX_BYTES + 1


def test_interim_replies_are_passed_over_but_not_for_ever():
    """[MS-SMB2] 3.3.4.2: STATUS_PENDING comes before the real reply."""
    pending = frame(Link(BOTH, 0).header2(0, 0, 0x103) + b"\x09\0" + bytes(7))
    (answer, _setup) = replies(ALL)
    conversation = Conversation(ALL, 445, 0)
    for step in (pending, pending, answer):
        conversation.receive(step)
    assert conversation.outcome.smb2.dialect == 0x0311 and not conversation.done
    conversation = Conversation(ALL, 445, 0)
    for _step in range(9):
        if not conversation.done:
            conversation.receive(pending)
    assert conversation.outcome.reason == "too_many"


def test_a_refused_connection_is_used_again_with_the_next_message_id():
    refusing = Truth(smb2=frozenset((0x0311,)))
    conversation, link = Conversation(elimination.ask_smb2((0x0210,)), 445, 0), Link(refusing, 0)
    hold(conversation, link)
    assert conversation.reusable and conversation.outcome.smb2.dialect is None
    conversation.ask(elimination.ask_smb2((0x0311,)))
    request = conversation.data_to_send()
    assert struct.unpack_from("<Q", request, 28)[0] == 1
    conversation.receive(link.receive(request)[0])
    assert conversation.done and not conversation.reusable
    assert conversation.outcome.smb2.dialect == 0x0311
    with pytest.raises(LocalProtocolError):
        conversation.ask(ALL)


def test_every_connection_has_a_guid_of_its_own_and_never_a_set_of_its_own():
    first, second = (Conversation(ALL, 445, number).data_to_send() for number in range(2))
    assert first[80:96] != second[80:96]
    assert first[:80] + first[96:] == second[:80] + second[96:]
    assert Conversation(elimination.ask_smb2((0x0202,)), 445, 0).data_to_send()[80:96] == bytes(16)


def test_signing_and_encryption_are_always_offered_unless_the_peer_cannot_bear_it():
    """A server that audits weak clients has nothing to note."""
    request = Conversation(ALL, 445, 0).data_to_send()
    assert struct.unpack_from("<H", request, 72)[0] == 1 and struct.unpack_from("<I", request, 76)[0] == 0x7F
    plain = Conversation(ALL.plainer(), 445, 0).data_to_send()
    assert struct.unpack_from("<I", plain, 76)[0] == 0
    assert struct.unpack_from("<H", plain, 96 + 4)[0] == 2  # preauthentication and ciphers are left


@pytest.mark.parametrize(
    ("session", "failure", "kind"),
    [("", "", "positive"), ("OTHER", "session", "negative")],
    ids=["positive", "negative"],
)
def test_a_session_comes_first_on_139(session, failure, kind):
    outcome = talk(ALL, without(BOTH, session=session), called="*SMBSERVER").outcome
    assert (outcome.failure, outcome.session.kind) == (failure, kind)
    assert (outcome.smb2 is None) == bool(failure)


def test_a_denied_address_is_not_a_broken_protocol():
    """smbd with "hosts deny" answers with a negative session response on direct TCP too."""
    conversation = Conversation(ALL, 445, 0)
    conversation.receive(b"\x83\0\0\x01\x81")
    assert (conversation.outcome.failure, conversation.outcome.session.code) == ("session", 0x81)


def test_ksmbds_refusal_of_smb1_is_one():
    conversation = Conversation(OLD, 445, 0)
    header = bytes.fromhex("ff534d4272000000008040c80000000000000000000000000000fffe00000000")
    conversation.receive(b"\0\0\0\x25" + b"\0\0\0\x25" + header + b"\x01")
    assert conversation.outcome.smb1.dialect is None and conversation.outcome.oddity


def test_no_logon_without_being_asked():
    """The NTLM challenge is as far as it goes: the third message, which would be a logon, is never sent."""
    for question in QUESTIONS[:4]:
        conversation, link = Conversation(question, 445, 0), Link(BOTH, 0)
        hold(conversation, link)
        assert link.setups <= 1 and conversation.outcome.logon is None


def test_a_fault_of_ours_ends_one_conversation_and_not_the_run(monkeypatch):
    def fault(_token):
        raise LocalProtocolError("a token of 40000 bytes")

    monkeypatch.setattr(spnego, "response", fault)
    outcome = talk(QUESTIONS[-1]).outcome
    assert outcome.failure == "error" and "40000" in outcome.detail
    assert outcome.challenge is not None and outcome.logon is None


@pytest.mark.parametrize("action", [CLOSE, SILENCE])
def test_no_reply_at_all(action):
    outcome = talk(ALL, Truth(smb2=frozenset(), refuses2=action)).outcome
    assert outcome.failure == ("eof" if action == CLOSE else "timeout")
    assert not outcome.answered


def test_what_comes_after_the_end_changes_nothing():
    conversation = talk(ALL)
    outcome = conversation.outcome
    before = (outcome.smb2, outcome.failure)
    conversation.fail("timeout")
    conversation.receive_eof()
    assert (outcome.smb2, outcome.failure) == before
