# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one port while it is being asked: written by the plan, read by ``conclusions``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .answers import ACCEPTED, INDETERMINATE, REFUSED, TIME_OVER, VIOLATION, Answer
from .dialogue import CLOSINGS, Outcome
from .netbios import SESSION_ERRORS
from .question import Question, name_of
from .smb1 import Negotiate1
from .smb2 import Negotiate2
from .status import INVALID_PARAMETER, INVALID_SMB, NOT_IMPLEMENTED, NOT_SUPPORTED, SUCCESS
from .status import name as status_name

_REFUSALS2 = frozenset((NOT_SUPPORTED,))
# Without a status SMB1 refuses by DialectIndex; these are what old servers say instead.
_REFUSALS1 = frozenset((SUCCESS, NOT_SUPPORTED, NOT_IMPLEMENTED, INVALID_SMB))
MAX_VIOLATIONS = 16

_FAILURES = {
    "timeout": "no reply in time",
    "eof": "the peer closed the connection",
    "reset": "the connection was reset",
    "session": "no NetBIOS session",
    "silent": "a later connection was not answered",
    "closed": "a later connection was refused",
    "unreachable": "a later connection found no way",
    "error": "our own side failed",
    "limit": TIME_OVER,
}


def why(outcome: Outcome) -> str:
    """Return in words why a question has no answer."""
    text = outcome.detail if outcome.failure == "violation" else _FAILURES.get(outcome.failure, outcome.failure)
    session = outcome.session
    if outcome.failure == "session" and session is not None:
        code = SESSION_ERRORS.get(session.code, "unknown code") if session.kind == "negative" else "retargeted"
        text = f"{text}: {code}"
    elif outcome.detail and outcome.failure != "violation":
        text = f"{text} ({outcome.detail})"
    return text


def reply_of(outcome: Outcome) -> Negotiate1 | Negotiate2 | None:
    """Return the reply in the protocol that the question was about."""
    return outcome.smb1 if isinstance(outcome.question.offer[0], str) else outcome.smb2


REFUSING = 4
"""Closings over one offer that are a refusal, with answers to others between: with fewer, servers that close one connection
out of ten, for whatever reason, would too often look as if they refused."""


class PortFacts:
    """Facts of one port.

    Attributes:
        dialects: the answer per dialect, SMB2 by number and SMB1 by name.
        smb2, smb1: what came back, per accepted dialect, in the order of being accepted.
        closings: by dialect, the last of the outcomes where an offer made the peer close the connection.
        proper: a question that the peer answered as the protocol allows; ``proper_numbers``: of all such conversations.
        closed_kinds: "smb1", "smb2": over which protocol's offers the peer has closed a connection.
        flaky: the peer closed a connection over a question that it answered another time.
        failures: per kind of failure, the last outcome.
        violations: in words.
        reasons: of the violations, see ``errors.Reason``.
        session: 139: what answered the session request.
        multi_protocol: SMB2 is spoken only after an SMB1 NEGOTIATE.
        identity: the outcome that went furthest towards an NTLM challenge.
        native: what an SMB1 session setup told of the server.
        logons: the outcome of ``anonymous`` and ``guest``.
        ciphers, signing: ids in the order of preference, None: not asked; ``*_reason``: why there may be more.
    """

    def __init__(self) -> None:
        self.dialects: dict[int | str, Answer] = {}
        self.smb2: dict[int, Outcome] = {}
        self.smb1: dict[str, Outcome] = {}
        self.closings: dict[int | str, Outcome] = {}
        self.proper: Question | None = None
        self.proper_numbers: list[int] = []
        self.closed_kinds: set[str] = set()
        self.flaky = False
        self.failures: dict[str, Outcome] = {}
        self.violations: list[str] = []
        self.reasons: set[str] = set()
        self.session = ""
        self.multi_protocol = False
        self.identity: Outcome | None = None
        self.native: tuple[str, str, str] | None = None
        self.logons: dict[str, Outcome] = {}
        self.ms17_010: Outcome | None = None
        self.ciphers: list[int] | None = None
        self.ciphers_reason = ""
        self.signing: list[int] | None = None
        self.signing_reason = ""

    def note(self, outcome: Outcome) -> None:
        """Keep what every outcome tells, whatever was asked."""
        if outcome.smb2 is not None or outcome.smb1 is not None:
            self.proper = outcome.question
            self.proper_numbers.append(outcome.number)
            if outcome.setup is not None and (self.identity is None or self.identity.challenge is None):
                self.identity = outcome
            if outcome.native is not None:
                self.native = outcome.native
            if outcome.logon is not None:
                self.logons.setdefault("guest" if "guest" in outcome.question.then else "anonymous", outcome)
        if outcome.oddity:
            self.violate(f"{outcome.question.text}: {outcome.oddity}")
        session = outcome.session
        if session is not None and self.session != "positive":
            self.session = f"negative 0x{session.code:02x}" if session.kind == "negative" else session.kind
        if outcome.failure:
            self.failures[outcome.failure] = outcome
            if outcome.failure == "violation":
                self.reasons.add(outcome.reason)
                self.violate(f"{outcome.question.text}: {outcome.detail}")

    def violate(self, text: str) -> None:
        """Keep a breach of the protocol, in words of ours."""
        if len(self.violations) < MAX_VIOLATIONS and text not in self.violations:
            self.violations.append(text)

    def closed(self, outcome: Outcome) -> None:
        """Keep over which kind of offer a fresh connection was closed."""
        if outcome.failure in CLOSINGS and outcome.question.offer:
            self.closed_kinds.add("smb1" if isinstance(outcome.question.offer[0], str) else "smb2")

    def accept(self, dialect: int | str, outcome: Outcome) -> None:
        """A dialect was chosen from an offer that had it."""
        evidence = f"{outcome.question.text}: chose {name_of(dialect)}; {outcome.evidence()}"
        reason = ""
        if isinstance(dialect, str):
            self.smb1[dialect] = outcome
        else:
            if self.smb2 and dialect > min(self.smb2):
                reason = "not chosen when it was the highest in common"
                self.violate(f"{outcome.question.text}: chose {name_of(dialect)} only after a lower one")
            self.smb2[dialect] = outcome
        self.dialects[dialect] = Answer(ACCEPTED, reason, evidence)
        if self.closings:
            self.closings.pop(dialect, None)

    def refuse(self, dialects: Iterable[int | str], outcome: Outcome, reason: str = "") -> None:
        """All of an offer was refused, by a reply."""
        reply = outcome.smb1 if outcome.smb1 is not None else outcome.smb2
        status = reply.status if reply is not None else 0
        evidence = f"{outcome.question.text}: {status_name(status)}; {outcome.evidence()}"
        refusals = _REFUSALS1 if isinstance(reply, Negotiate1) else _REFUSALS2
        offer = outcome.question.offer
        if status == INVALID_PARAMETER and outcome.question.plain and len(offer) == 1 and offer != (0x0311,):
            reason = status_name(status)  # there is nothing in such an offer that could be wrong but the dialect
        kind, text = (REFUSED, reason) if reason or status in refusals else (INDETERMINATE, status_name(status))
        self._set(dialects, Answer(kind, text, evidence))

    def unanswered(self, dialects: Iterable[int | str], outcome: Outcome) -> None:
        """An offer brought no reply, or one that breaks the protocol."""
        evidence = outcome.question.text
        if outcome.failure == "violation":
            self._set(dialects, Answer(VIOLATION, outcome.detail, evidence))
            return
        dialects = tuple(dialects)
        texts = [why(attempt) for attempt in _attempts(outcome)]
        text = texts[0] if len(set(texts)) == 1 else "; then: ".join(texts)
        self._set(dialects, Answer(INDETERMINATE, text, f"{len(texts)} times {evidence}" if texts[1:] else evidence))
        if outcome.failure in CLOSINGS:
            for dialect in dialects:
                self.closings[dialect] = outcome

    def closed_offers(self) -> list[tuple[tuple[Any, ...], Outcome]]:
        """Return the dialects of ``closings`` by the outcome that they share."""
        found: dict[int, tuple[list[int | str], Outcome]] = {}
        for dialect, outcome in self.closings.items():
            found.setdefault(id(outcome), ([], outcome))[0].append(dialect)
        return [(tuple(dialects), outcome) for dialects, outcome in found.values()]

    def may_refuse_by_closing(self, dialects: Iterable[int | str]) -> bool:
        """Whether a closing can be a refusal at all.

        Who takes one dialect of SMB2 answers to the others ([MS-SMB2] 3.3.5.4); and who closes connections over offers of
        both protocols does so for another reason.
        """
        if self.flaky or len(self.closed_kinds) > 1:
            return False
        return not self.smb2 or all(isinstance(dialect, str) for dialect in dialects)

    def refused_by_closing(self, closing: Outcome) -> bool:
        """Whether the peer closed the connection each time, twice in a row too, and answered something else between."""
        numbers = sorted(attempt.number for attempt in _attempts(closing) if attempt.failure in CLOSINGS)
        between = [
            any(numbers[at] < number < numbers[at + 1] for number in self.proper_numbers)
            for at in range(len(numbers) - 1)
        ]
        return len(numbers) >= REFUSING and sum(between) > 1 and not all(between)

    def resolve_closings(self) -> None:
        """Take closings for refusals, unless the peer closed the connection over what it answers another time."""
        for dialect, closing in self.closings.items():
            if self.may_refuse_by_closing((dialect,)) and self.refused_by_closing(closing):
                times = sum(attempt.failure in CLOSINGS for attempt in _attempts(closing))
                text = f"closed the connection {times} times, and answered other questions between"
                self.dialects[dialect] = Answer(REFUSED, text, self.dialects[dialect].evidence)

    @property
    def spoke(self) -> bool:
        """Whether the peer answered any NEGOTIATE as the protocol allows."""
        return self.proper is not None

    def only(self, *failures: str) -> bool:
        """Whether there was no other failure than these, and one of them."""
        return bool(self.failures) and set(self.failures) <= set(failures)

    def _set(self, dialects: Iterable[int | str], answer: Answer) -> None:
        for dialect in dialects:
            self.dialects[dialect] = answer
            self.closings.pop(dialect, None)


def _attempts(outcome: Outcome) -> list[Outcome]:
    """Return an outcome and those that it repeats, the first one first."""
    found = [outcome]
    while found[-1].earlier is not None:
        found.append(found[-1].earlier)
    return found[::-1]
