# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which dialects, ciphers and signing algorithms one port accepts: the order of questions.

A server answers an offer with one dialect, the highest in common ([MS-SMB2] 3.3.5.4). So all are offered, the one that
was chosen is taken out, the rest is offered again, until the rest is refused. The rest holds the higher ones too: each
dialect that is ``refused`` was refused in an offer without any accepted one, and none is counted because a server
"would have chosen it". A reply outside the offer ends it (``violation``): such servers would answer for ever.

Each function is a generator: it yields a ``Question`` and is sent its ``Outcome``.
"""

from __future__ import annotations

from collections.abc import Container, Generator, Sequence
from functools import lru_cache
from typing import Any

from . import smb1, smb2
from .dialogue import CLOSINGS, VIOLATION, Outcome
from .facts import PortFacts, reply_of
from .question import Question
from .scripts import multi_protocol, negotiate1, negotiate2
from .smb2_contexts import CIPHERS, COMPRESSION, SIGNING, Contexts
from .status import INVALID_PARAMETER, NOT_SUPPORTED, SUCCESS

Plan = Generator[Question, Outcome, None]
Answered = Generator[Question, Outcome, Outcome]

ALL2 = tuple(reversed(smb2.DIALECTS))
ALL1 = smb1.DIALECTS
ROUNDS = 4
"""Ciphers and signing algorithms: there are four and three, and each round finds one of each."""

# Servers that neither answer nor refuse an offer with a dialect they do not know are old: what they may know comes first.
_SINGLES = (0x0210, 0x0202, 0x0300, 0x0302, 0x0311)
_SOFT_REASONS = frozenset(
    ("wrong_message", "not_smb")
)  # not malformed: the peer took the question for another protocol
_HOPELESS = frozenset(("too_long", "too_many", "not_smb"))


@lru_cache(maxsize=256)
def ask_smb2(
    offer: tuple[int, ...],
    then: tuple[str, ...] = (),
    multi: bool = False,
    ciphers: tuple[int, ...] = CIPHERS,
    signing: tuple[int, ...] = SIGNING,
) -> Question:
    """Return the question for SMB2 dialects; the same object for the same question."""
    if 0x0311 not in offer:
        ciphers = signing = ()
    script = multi_protocol if multi else negotiate2
    return Question(script, offer, ciphers, signing, COMPRESSION if ciphers else (), then, multi)


@lru_cache(maxsize=64)
def ask_smb1(offer: tuple[str, ...], then: tuple[str, ...] = ()) -> Question:
    """Return the question for SMB1 dialects; the same object for the same question."""
    return Question(negotiate1, offer, then=then)


def ask(question: Question) -> Answered:
    """Ask; once more, longer, if nothing came or a status that says "not now". The first outcome is kept in the second.

    Where the peer closed the connection the repetition comes later: see ``recheck_closings``.
    """
    outcome = yield question
    reply = reply_of(outcome)
    if reply is None:
        if outcome.failure == VIOLATION or outcome.failure in CLOSINGS:
            return outcome
        return (yield from _again(question, outcome))
    if question.plain or reply.status in (SUCCESS, NOT_SUPPORTED) or not isinstance(question.offer[0], int):
        return outcome
    # Some refuse contexts that they do not know, against [MS-SMB2] 3.3.5.4; and Samba without AES-128-CCM refuses 3.0 to
    # clients that can encrypt.
    second = yield question.plainer()
    return second if second.smb2 is not None else outcome


def smb2_plan(facts: PortFacts, checks: Container[str], then: tuple[str, ...]) -> Plan:
    """Find the SMB2 dialects, and what hangs on 3.1.1."""
    question = ask_smb2(ALL2, then)
    first = yield question
    outcome: Outcome | None = first
    if first.smb2 is None and _soft(first):
        other = yield from _other_ways(facts, question, first, "smb1" in checks)
        outcome = other
    elif first.smb2 is not None and first.smb2.status not in (SUCCESS, NOT_SUPPORTED):
        second = yield question.plainer()
        outcome = second if second.smb2 is not None else first
    if outcome is None:
        pass  # all is said
    elif "dialects" in checks:
        yield from eliminate(facts, ALL2, outcome)
    else:
        _first_only(facts, outcome)
    if "ciphers" in checks and 0x0311 in facts.smb2:
        yield from cipher_rounds(facts)


def smb1_plan(facts: PortFacts, then: tuple[str, ...]) -> Plan:
    """Find the SMB1 dialects: all in one offer, as most servers refuse or close on any of them."""
    outcome = yield ask_smb1(ALL1, then)
    if outcome.smb1 is not None or outcome.reason in _HOPELESS:
        yield from eliminate(facts, ALL1, outcome)
    elif outcome.failure in CLOSINGS:
        facts.unanswered(ALL1, outcome)
    else:
        yield from _nt_lm_alone(facts, outcome, then)


def _nt_lm_alone(facts: PortFacts, before: Outcome, then: tuple[str, ...]) -> Plan:
    """All of SMB1 brought no reply: offer the one that matters, and the older ones only if that is answered."""
    outcome = yield from _again(ask_smb1((smb1.NT_LM,), then), before)
    if outcome.smb1 is None:
        facts.unanswered(ALL1, outcome)
        return
    facts.unanswered(ALL1[:-1], before)
    if outcome.smb1.dialect is None:
        facts.refuse((smb1.NT_LM,), outcome)
        return
    facts.accept(smb1.NT_LM, outcome)
    outcome = yield from ask(ask_smb1(ALL1[:-1]))
    yield from eliminate(facts, ALL1[:-1], outcome)


def recheck_closings(facts: PortFacts) -> Plan:
    """Ask again where the peer closed the connection, which may be its way to refuse.

    It was if it does so every time, twice in a row too, and answers something else between: then it is not full, has not
    shut us out, no passing trouble closed the first one, and it is not one of two servers behind an address that is
    broken. Comes last, when the other questions have been answered.
    """
    for dialects, before in facts.closed_offers():
        outcome = before
        for controlled in (True, False, True):
            if facts.proper is None or not facts.may_refuse_by_closing(dialects):
                break
            if controlled:
                control = yield facts.proper.changed(then=(), again=True)
                facts.flaky |= control.failure in CLOSINGS
                if not control.answered:
                    break
            outcome = yield from _again(before.question, outcome)
            if outcome.failure not in CLOSINGS:
                break
        facts.flaky |= outcome.answered
        if outcome is not before:
            yield from eliminate(facts, dialects, outcome)
    facts.resolve_closings()


def eliminate(facts: PortFacts, offer: Sequence[Any], outcome: Outcome) -> Plan:
    """Offer what is left, in the same way, until it is refused; ``outcome`` is that of the whole offer."""
    rest = list(offer)
    while True:
        reply = reply_of(outcome)
        if reply is None:
            if outcome.failure != VIOLATION or 0x0311 not in rest or rest == [0x0311] or not _may_be_contexts(outcome):
                facts.unanswered(rest, outcome)
                return
            facts.unanswered((0x0311,), outcome)
            rest.remove(0x0311)
            outcome = yield from ask(outcome.question.rest(0x0311))
            continue
        if reply.dialect is None:
            if reply.status == INVALID_PARAMETER and len(rest) > 1 and isinstance(rest[0], int):
                yield from _one_by_one(facts, rest, outcome)
            else:
                facts.refuse(rest, outcome)
            return
        dialect = reply.dialect
        facts.accept(dialect, outcome)
        rest.remove(dialect)
        if not rest:
            return
        outcome = yield from ask(outcome.question.rest(dialect))


def _one_by_one(facts: PortFacts, rest: Sequence[int], before: Outcome) -> Plan:
    """The highest of an offer is chosen and then found wanting (Samba, where a dialect's own algorithms are not allowed)."""
    for dialect in rest:
        outcome = yield from ask(before.question.changed(offer=(dialect,), then=(), again=False))
        yield from eliminate(facts, (dialect,), outcome)


def cipher_rounds(facts: PortFacts) -> Plan:
    """Find all ciphers and signing algorithms of 3.1.1: take the chosen pair out of the offer and ask again."""
    first = facts.smb2[0x0311]
    reply = first.smb2
    contexts = reply.contexts if reply is not None else Contexts()
    ciphers, signing = _Chosen(first.question.ciphers), _Chosen(first.question.signing)
    for _round in range(ROUNDS):
        ciphers.take(contexts.cipher or None)
        signing.take(contexts.signing)
        facts.ciphers, facts.signing = ciphers.found, signing.found
        if not ciphers.open and not signing.open:
            return
        # What is exhausted is offered whole again: a client without ciphers would be noted as a weak one.
        question = ask_smb2(
            (0x0311,), (), first.question.multi_protocol, ciphers.rest or CIPHERS, signing.rest or SIGNING
        )
        outcome = yield from ask(question)
        reply = outcome.smb2
        if reply is None or reply.dialect is None:
            facts.flaky |= outcome.failure in CLOSINGS  # it has taken this dialect before
            text = outcome.detail or outcome.failure or "the offer was refused"
            facts.ciphers_reason = text if ciphers.open else ""
            facts.signing_reason = text if signing.open else ""
            return
        contexts = reply.contexts


class _Chosen:
    """One list that is found element by element; ``rest`` is what was not chosen, ``open`` whether more may come."""

    def __init__(self, offer: tuple[int, ...]) -> None:
        self.found: list[int] = []
        self.rest = offer
        self.open = bool(offer)

    def take(self, chosen: int | None) -> None:
        if not self.open:
            return
        if chosen is None or chosen not in self.rest:
            self.open = False
            self.rest = ()
            return
        self.found.append(chosen)
        self.rest = tuple(item for item in self.rest if item != chosen)
        self.open = bool(self.rest)


def _other_ways(
    facts: PortFacts, question: Question, outcome: Outcome, smb1_allowed: bool
) -> Generator[Question, Outcome, Outcome | None]:
    """No reply to all of SMB2: perhaps it needs SMB1 first, or time, or does not take dialects it does not know.

    Returns:
        An outcome with a reply to all of SMB2, or one that breaks the protocol; None: all is said.
    """
    multi: Outcome | None = None
    if smb1_allowed:
        multi = yield ask_smb2(ALL2, question.then, True)
        if multi.smb2 is not None:
            facts.multi_protocol = True
            if multi.fluid or multi.smb2.dialect is None:
                return multi
            _only_202(facts, multi)
            return None
    second = yield from _again(question, outcome)
    facts.flaky |= outcome.failure in CLOSINGS and second.answered
    if second.smb2 is not None or second.failure == VIOLATION:
        return second
    if multi is not None and multi.smb1 is not None and multi.smb1.dialect is not None:
        text = f"SMB2 brought no reply, and an SMB1 offer that has SMB2 in it was answered with {multi.smb1.dialect}"
        facts.refuse(ALL2, multi, text)
        return None
    facts.unanswered(ALL2, second)
    yield from _singles(facts, second)
    return None


def _singles(facts: PortFacts, before: Outcome) -> Plan:
    """Offer each dialect alone; give up after two if the peer has never answered anything."""
    for count, dialect in enumerate(_SINGLES):
        if count == 2 and not facts.spoke:
            return
        outcome = yield ask_smb2((dialect,))
        outcome.earlier = before
        reply = outcome.smb2
        if reply is None:
            facts.unanswered((dialect,), outcome)
        elif reply.dialect is None:
            facts.refuse((dialect,), outcome)
        else:
            facts.accept(dialect, outcome)


def _only_202(facts: PortFacts, outcome: Outcome) -> None:
    """A server with 2.1 or more answers "SMB 2.???" with 0x02FF ([MS-SMB2] 3.3.5.3.1); this one chose "SMB 2.002"."""
    facts.refuse(ALL2[:-1], outcome, "answered SMB 2.002 where SMB 2.??? was offered")
    facts.accept(0x0202, outcome)


def _first_only(facts: PortFacts, outcome: Outcome) -> None:
    reply = outcome.smb2
    if reply is not None and reply.dialect is not None:
        facts.accept(reply.dialect, outcome)
    elif reply is not None:
        facts.refuse(ALL2, outcome)
    elif outcome.failure == "violation":
        facts.unanswered(ALL2, outcome)


def _may_be_contexts(outcome: Outcome) -> bool:
    """Whether a reply broke the protocol in what only 3.1.1 has, so that the older dialects may be well."""
    return outcome.reason not in _SOFT_REASONS and outcome.reason != "too_long"


def _soft(outcome: Outcome) -> bool:
    """Whether a question without a reply may have one when it is put another way."""
    return outcome.failure != VIOLATION or outcome.reason in _SOFT_REASONS


def _again(question: Question, first: Outcome) -> Answered:
    second = yield question.repeated()
    second.earlier = first
    return second
