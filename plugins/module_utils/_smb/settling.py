# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a port when its dialects are known: closings that may be refusals, names, logons, MS17-010."""

from __future__ import annotations

from collections.abc import Container, Sequence

from . import smb1
from .elimination import Plan, ask_smb1, ask_smb2, recheck_closings
from .facts import PortFacts
from .question import Question
from .scripts import ANONYMOUS, GUEST, IDENTITY, ms17_010

_MS17_010 = Question(ms17_010, (smb1.NT_LM,))


def settle_plan(facts: PortFacts, checks: Container[str], logons: Sequence[str], user: str) -> Plan:
    """Ask what is still open.

    Args:
        checks: what was to be asked.
        logons: those of ``identity``, ``anonymous``, ``guest`` that are wanted of this port.
        user: of ``guest``.
    """
    yield from recheck_closings(facts)
    if (IDENTITY in logons and facts.identity is None) or (ANONYMOUS in logons and _logon_possible(facts, ANONYMOUS)):
        question = _session_question(facts, (IDENTITY, ANONYMOUS) if ANONYMOUS in logons else (IDENTITY,))
        if question is not None:
            yield question.repeated()
    if GUEST in logons and _logon_possible(facts, GUEST):
        question = _session_question(facts, (IDENTITY, GUEST))
        if question is not None:
            yield question.changed(user=user)
    if "ms17_010" in checks and smb1.NT_LM in facts.smb1:
        facts.ms17_010 = yield _MS17_010


def _logon_possible(facts: PortFacts, kind: str) -> bool:
    """Whether a logon was not answered yet, and the server has not said that it takes no NTLM."""
    refused = facts.identity is not None and facts.identity.setup is not None and facts.identity.challenge is None
    return kind not in facts.logons and not refused


def _session_question(facts: PortFacts, then: tuple[str, ...]) -> Question | None:
    """Return the question that goes on to a session, in the best dialect that was accepted."""
    if facts.smb2:
        return ask_smb2(tuple(sorted(facts.smb2, reverse=True)), then, facts.multi_protocol)
    outcome = facts.smb1.get(smb1.NT_LM)
    reply = outcome.smb1 if outcome is not None else None
    if reply is not None and (reply.capabilities & smb1.CAP_EXTENDED_SECURITY or ANONYMOUS in then):
        return ask_smb1((smb1.NT_LM,), then)
    return None
