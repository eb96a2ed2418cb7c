# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for one TCP port: which question on which connection, and what a failing connection means."""

from __future__ import annotations

from collections.abc import Sequence

from . import answers
from .answers import INDETERMINATE, PortAnswers
from .conclusions import port_answers
from .dialogue import (
    CLOSED,
    CLOSINGS,
    LIMIT,
    SESSION,
    SILENT,
    TIMEOUT,
    UNREACHABLE,
    Conversation,
    Outcome,
)
from .elimination import ALL1, ALL2, Plan, smb1_plan, smb2_plan
from .facts import PortFacts
from .netbios import SMB_SERVER
from .options import Options
from .question import Question
from .scripts import negotiate2
from .settling import settle_plan

_CONNECT = Question(None)
_MAY_WORK_ANEW = CLOSINGS | {TIMEOUT}
_NOT_REACHED = {
    CLOSED: answers.CLOSED,
    SILENT: answers.FILTERED,
    UNREACHABLE: answers.UNREACHABLE,
    LIMIT: INDETERMINATE,
}


class Running:
    """A plan under way: ``question`` is what it waits to ask; ``busy``: it waits for an outcome."""

    __slots__ = ("busy", "plan", "question")

    def __init__(self, plan: Plan) -> None:
        self.plan: Plan | None = plan
        self.busy = False
        self.question: Question | None = next(plan, None)

    def advance(self, outcome: Outcome) -> Question | None:
        """Give the plan its outcome; return the next question, None at its end."""
        question = None
        if self.plan is not None:
            try:
                question = self.plan.send(outcome)
            except StopIteration:
                self.plan = None
        self.question = question
        return question

    def stop(self) -> None:
        """Ask no more."""
        if self.plan is not None:
            self.plan.close()
        self.plan = self.question = None


class PortInquiry:
    """One TCP port of one target.

    Args:
        number: of the port.
        address: numeric, of the target.
        options: checks and limits.
        checks: those that are wanted of this port.
        logons: ``identity``, ``anonymous``, ``guest``, likewise.
        smb: False: only whether it takes connections.

    Attributes:
        reached: it took a connection.
        idle: ``next`` has nothing, until an outcome or a name comes.
        slow: an attempt to connect was not answered.
        done: nothing more will be asked.
        wants_name: the server refused the name ``*SMBSERVER``; ``name_known`` goes on.
    """

    __slots__ = (
        "_address", "_attempts", "_called", "_checks", "_connect_port", "_logons", "_options", "_reason", "_running", "_settling",
        "_smb", "_state", "done", "facts", "idle", "number", "reached", "slow", "wants_name",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        address: str,
        options: Options,
        checks: frozenset[str],
        logons: tuple[str, ...],
        smb: bool = True,
    ) -> None:
        self.number = number
        self._address = address
        self.facts = PortFacts()
        self.reached = self.slow = self.done = self.wants_name = self.idle = False
        self._options = options
        self._checks = checks
        self._logons = logons
        self._smb = smb
        self._called = SMB_SERVER if smb and number in options.session_ports else ""
        self._connect_port = number
        self._attempts = 0
        self._state = self._reason = ""
        self._settling = not smb
        if smb:
            then = tuple(kind for kind in ("identity", "anonymous") if kind in logons)
            self._running = [Running(smb2_plan(self.facts, checks, then))]
            if "smb1" in checks:
                self._running.append(Running(smb1_plan(self.facts, then[:1])))
        else:
            self._running = [Running(_connect_plan())]

    def next(self, number: int) -> Conversation | None:
        """Return the next conversation, if one can be begun now; ``number`` becomes its own."""
        self.idle = True  # until something changes
        if self.done or self.wants_name:
            return None
        chosen: Running | None = None
        for running in self._running:
            if running.question is not None and not running.busy:
                if chosen is not None:
                    self.idle = False
                    break
                chosen = running
            if not self.reached:  # one connection at a time until the port is known to take them
                break
        return None if chosen is None or chosen.question is None else self._begin(chosen, chosen.question, number)

    def _begin(self, running: Running, question: Question, number: int) -> Conversation:
        options = self._options
        running.busy = True
        connect_seconds, seconds = options.connect_seconds[-1], options.conversation_seconds
        if question.again:
            connect_seconds = seconds = options.retry_seconds
        if not self.reached:
            connect_seconds = options.connect_seconds[self._attempts]
        return Conversation(
            question,
            self._connect_port,
            number,
            self._called,
            connect_seconds,
            seconds,
            not self.reached,
            (self, running),
        )

    def connected(self) -> None:
        """The port takes connections: there is more to ask now."""
        self.reached = True
        self.idle = False

    def take(self, conversation: Conversation) -> bool:
        """Take the outcome of a conversation; return whether another question was put on the same connection."""
        outcome = conversation.outcome
        running: Running = conversation.owner[1]
        running.busy = self.idle = False
        if not self.reached:
            self._not_reached(running, outcome)
            return False
        self.facts.note(outcome)
        if outcome.failure == SESSION:
            self._no_session(conversation)
            return False
        if conversation.asked > 1 and outcome.failure in _MAY_WORK_ANEW and not outcome.answered:
            return False  # perhaps only the connection was used up: the same question on a fresh one
        self.facts.closed(outcome)
        question = running.advance(outcome)
        if question is None:
            self._go_on()
        elif conversation.reusable and question.script is negotiate2 and not question.again:
            conversation.ask(question)
            running.busy = True
            return True
        return False

    def _go_on(self) -> None:
        """When all plans are through: settle, then be done."""
        if any(running.plan is not None for running in self._running):
            return
        if not self._settling:
            self._settling = True
            self._running = [Running(settle_plan(self.facts, self._checks, self._logons, self._options.guest_user))]
            if self._running[0].question is not None:
                return
        self.done = True

    def _not_reached(self, running: Running, outcome: Outcome) -> None:
        """No connection yet: another attempt, or a verdict."""
        self._attempts += 1
        failure = outcome.failure
        attempts = len(self._options.connect_seconds)
        # No way: a neighbour that did not answer, or a router's word; either may be a passing state.
        if (failure == SILENT and self._attempts < attempts) or (
            failure == UNREACHABLE and self._attempts < 2 <= attempts
        ):
            self.slow = True
            return
        self._state = _NOT_REACHED.get(failure, answers.ERROR)
        self._reason = outcome.detail
        if failure == SILENT:
            self._reason = f"{self._attempts} connections in {sum(self._options.connect_seconds):g} s brought no answer"
        elif failure == LIMIT:
            self._reason = f"{answers.TIME_OVER} before a connection was made"
        self.stop()

    def _no_session(self, conversation: Conversation) -> None:
        """139: try the server's own name once, and another port of the same address; never another address."""
        response = conversation.outcome.session
        if conversation.called != self._called or conversation.port != self._connect_port:
            return  # the first of two has already learned it: this question is put anew
        if response is not None and response.kind == "retarget" and response.address == self._address:
            if self._connect_port == self.number and response.port not in (0, self.number):
                self._connect_port = response.port
                return
        elif self._called == SMB_SERVER:
            self.wants_name = True
            return
        self._session_refused(conversation.outcome)

    def name_known(self, names: Sequence[str]) -> None:
        """139: go on with the first of the names; with none the refusal stands."""
        self.wants_name = self.idle = False
        if names:
            self._called = names[0]
        else:
            self._session_refused(self.facts.failures[SESSION])

    def _session_refused(self, outcome: Outcome) -> None:
        for running in self._running:
            running.stop()
        self.facts.unanswered(self.expected(), outcome)
        self._settling = True
        self._go_on()

    def expected(self) -> list[int | str]:
        """Return the dialects that the checks ask for."""
        wanted: list[int | str] = list(ALL1) if "smb1" in self._checks else []
        return wanted + (list(ALL2) if "dialects" in self._checks else [])

    def stop(self) -> None:
        """Ask no more; what is known stands."""
        for running in self._running:
            running.stop()
        self.done = True

    def answers(self) -> PortAnswers:
        """Return what is known."""
        if not self.reached:
            if not self._state:
                return PortAnswers(INDETERMINATE, answers.TIME_OVER)
            return PortAnswers(self._state, self._reason)
        if not self._smb:
            return PortAnswers(answers.OPEN)
        if self._called and not self.facts.session:
            self.facts.session = "none"
        self.facts.resolve_closings()
        return port_answers(self.facts, self._checks, self._logons, self.expected(), bool(self._called))


def _connect_plan() -> Plan:
    yield _CONNECT
