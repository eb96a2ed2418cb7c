# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the facts of a port to its answers: one function per part of the answer."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import lru_cache

from . import answers, filetime, smb1, smb2, smb2_session, spnego, status
from .answers import INDETERMINATE, REFUSED, Answer, Limits, Listing, PortAnswers, Smb1
from .dialogue import Outcome
from .elimination import ALL1, ALL2
from .errors import RemoteProtocolError
from .facts import PortFacts, why
from .identity import guid_text, ntlm
from .question import name_of
from .smb2_contexts import CIPHER_NAMES, COMPRESSION_NAMES, RDMA_NAMES, SIGNING_NAMES

_LOGON_REFUSALS = frozenset(
    (
        status.ACCESS_DENIED,
        status.LOGON_FAILURE,
        status.ACCOUNT_RESTRICTION,
        status.ACCOUNT_DISABLED,
        status.ACCOUNT_LOCKED_OUT,
        status.LOGON_TYPE_NOT_GRANTED,
        status.NTLM_BLOCKED,
        status.NETWORK_ACCESS_DENIED,
        status.USER_SESSION_DELETED,
    )
)
_LOGON_FLAGS = ((smb2_session.GUEST, "guest"), (smb2_session.NULL, "anonymous"), (smb2_session.ENCRYPT_DATA, "encrypt"))
_ORDER: tuple[tuple[int | str, str], ...] = (
    *((name, name) for name in ALL1),
    *((number, name_of(number)) for number in reversed(ALL2)),
)
_NO_SMB = frozenset(("not_smb", "wrong_message"))


def port_answers(
    facts: PortFacts, checks: Container[str], logons: Sequence[str], expected: Sequence[int | str], called: bool
) -> PortAnswers:
    """Return what a port that took a connection answered.

    Args:
        facts: of a finished plan.
        checks: what was to be asked.
        logons: those of ``identity``, ``anonymous``, ``guest`` that were to be asked on this port.
        expected: the dialects that were to be asked; none of them stays without an answer.
        called: the port has the NetBIOS session service.
    """
    state, reason = _state(facts, called)
    best = _best(facts)
    smb1_best = next(iter(facts.smb1.values()), None)
    blob = _security_blob(facts, best, smb1_best)
    offered = "ciphers" in checks
    return PortAnswers(
        state,
        reason,
        netbios_session=facts.session if called else "",
        dialects=_dialects(facts, expected),
        signing=_signing(facts, best) if "signing" in checks else None,
        smb1_signing=_smb1_signing(smb1_best) if "signing" in checks and smb1_best is not None else None,
        ciphers=_ciphers(facts, best) if offered else None,
        signing_algorithms=_signing_algorithms(facts, best) if offered else None,
        compression=_compression(facts) if offered and 0x0311 in facts.smb2 else None,
        limits=_limits(best) if best is not None else None,
        ntlm=ntlm(facts) if "identity" in logons else None,
        mechanisms=None if blob is None else tuple(answers.text(name) for name in blob.mechanisms),
        hint="" if blob is None else answers.text(blob.hint),
        smb1=_smb1(facts, smb1_best) if smb1_best is not None else None,
        anonymous=_logon(facts, "anonymous") if "anonymous" in logons else None,
        guest=_logon(facts, "guest") if "guest" in logons else None,
        ms17_010=_ms17_010(facts) if "ms17_010" in checks else None,
        violations=tuple(facts.violations),
    )


def _state(facts: PortFacts, called: bool) -> tuple[str, str]:
    if facts.spoke:
        return answers.OPEN, ""
    if facts.session not in ("", "none", "positive"):  # whoever takes the session has yet to speak SMB
        return (answers.OPEN if called else INDETERMINATE), f"the session was answered with: {facts.session}"
    if facts.reasons:
        first = facts.violations[0] if facts.violations else ""
        return (answers.NOT_SMB if facts.reasons <= _NO_SMB else answers.HOSTILE), first
    if facts.only("eof", "reset"):
        return INDETERMINATE, "takes connections and closes them before any reply: full, or something between us"
    if facts.only("timeout"):
        received = max(outcome.received for outcome in facts.failures.values())
        return INDETERMINATE, f"takes connections; {received} bytes, no whole reply in time"
    return INDETERMINATE, "; ".join(why(outcome) for outcome in facts.failures.values()) or "nothing was asked"


def _best(facts: PortFacts) -> Outcome | None:
    """Return the reply with the highest accepted SMB2 dialect."""
    return facts.smb2[max(facts.smb2)] if facts.smb2 else None


def _dialects(facts: PortFacts, expected: Sequence[int | str]) -> Mapping[str, Answer]:
    missing = [dialect for dialect in expected if dialect not in facts.dialects]
    if missing:
        reason = "; ".join(why(outcome) for outcome in facts.failures.values()) or answers.TIME_OVER
        for dialect in missing:
            facts.dialects[dialect] = Answer(INDETERMINATE, reason)
    known = facts.dialects
    return {name: known[dialect] for dialect, name in _ORDER if dialect in known}


def _signing(facts: PortFacts, best: Outcome | None) -> Answer:
    reply = best.smb2 if best is not None else None
    if best is None or reply is None or reply.dialect is None:
        return Answer(INDETERMINATE, "no SMB2 dialect was accepted")
    evidence = f"SecurityMode 0x{reply.security_mode:04X} of NEGOTIATE {name_of(reply.dialect)}; {best.evidence()}"
    required = reply.signing_required
    for other in facts.smb2.values():
        if other.smb2 is not None and other.smb2.signing_required != required:
            return Answer(INDETERMINATE, f"the reply of {name_of(other.smb2.dialect or 0)} says otherwise", evidence)
    return Answer("required" if required else "not_required", "", evidence)


def _smb1_signing(outcome: Outcome) -> Answer | None:
    reply = outcome.smb1
    if reply is None:
        return None
    evidence = f"SecurityMode 0x{reply.security_mode:02X} of NEGOTIATE {reply.dialect}; {outcome.evidence()}"
    if reply.security_mode & smb1.SIGNING_REQUIRED:
        return Answer("required", "", evidence)
    return Answer("enabled" if reply.security_mode & smb1.SIGNING_ENABLED else "disabled", "", evidence)


def _ciphers(facts: PortFacts, best: Outcome | None) -> Listing:
    if facts.ciphers is not None:
        first = facts.smb2[0x0311]
        evidence = f"{first.question.text}; {first.evidence()}"
        values = tuple(CIPHER_NAMES[number] for number in facts.ciphers)
        if facts.ciphers_reason:
            return Listing(INDETERMINATE, values, facts.ciphers_reason, evidence)
        return Listing("known" if values else "none", values, "", evidence)
    unknown = _unknown_algorithms(facts, best)
    if unknown is not None:
        return unknown
    reply = best.smb2 if best is not None else None
    if best is None or reply is None or reply.dialect is None or reply.dialect < 0x0300:
        return Listing("none", (), "no dialect with encryption was accepted")
    if best.question.plain:
        return Listing(
            INDETERMINATE, (), f"{name_of(reply.dialect)} only to clients without encryption", best.evidence()
        )
    # 3.0 and 3.0.2 have one cipher, and say by a capability whether they take it ([MS-SMB2] 3.3.5.4).
    evidence = f"Capabilities 0x{reply.capabilities:08X} of NEGOTIATE {name_of(reply.dialect)}; {best.evidence()}"
    return (
        Listing("known", ("AES-128-CCM",), "", evidence)
        if reply.capabilities & 0x40
        else Listing("none", (), "", evidence)
    )


def _signing_algorithms(facts: PortFacts, best: Outcome | None) -> Listing:
    if facts.signing is not None:
        first = facts.smb2[0x0311]
        evidence = f"{first.question.text}; {first.evidence()}"
        values = tuple(SIGNING_NAMES[number] for number in facts.signing)
        if facts.signing_reason or not first.question.signing:
            return Listing(INDETERMINATE, values, facts.signing_reason or "refuses the context that asks", evidence)
        if not values:
            return Listing("known", ("AES-CMAC",), "no such context in the reply: the dialect's own", evidence)
        return Listing("known", values, "", evidence)
    unknown = _unknown_algorithms(facts, best)
    if unknown is not None:
        return unknown
    reply = best.smb2 if best is not None else None
    if best is None or reply is None or reply.dialect is None:
        return Listing("none", (), "no SMB2 dialect was accepted")
    value = "AES-CMAC" if reply.dialect >= 0x0300 else "HMAC-SHA256"
    return Listing("known", (value,), f"{name_of(reply.dialect)} has no other", best.evidence())


def _unknown_algorithms(facts: PortFacts, best: Outcome | None) -> Listing | None:
    """Return why nothing is known of algorithms that 3.1.1 was not asked for; None: the older dialects tell."""
    unsure = _unsure(facts, (0x0311,) if best is not None else ALL2)
    if unsure:
        return Listing(INDETERMINATE, (), unsure)
    if best is not None and 0x0311 in facts.smb2:
        return Listing(INDETERMINATE, (), "3.1.1 was accepted too late to be asked", best.evidence())
    return None


def _unsure(facts: PortFacts, dialects: Sequence[int]) -> str:
    """Return why it is not known whether one of these dialects is accepted; ``""``: it is known."""
    for dialect in dialects:
        answer = facts.dialects.get(dialect)
        if answer is None or answer.answer not in (answers.ACCEPTED, REFUSED):
            return f"{name_of(dialect)}: {answer.reason if answer is not None else 'not asked'}"
    return ""


def _compression(facts: PortFacts) -> Listing | None:
    outcome = facts.smb2[0x0311]
    reply = outcome.smb2
    if reply is None:
        return None
    evidence = f"{outcome.question.text}; {outcome.evidence()}"
    if not outcome.question.compression:
        return Listing(INDETERMINATE, (), "refuses the context that asks", evidence, chained=False)
    methods = [
        COMPRESSION_NAMES.get(number, f"0x{number:04X}") for number in reply.contexts.compression or () if number
    ]
    return Listing("known" if methods else "none", tuple(methods), "", evidence, chained=reply.contexts.chained)


@lru_cache(maxsize=64)
def _capabilities(bits: int) -> tuple[str, ...]:
    return smb2.capability_names(bits)


def _limits(best: Outcome) -> Limits | None:
    reply = best.smb2
    if reply is None:
        return None
    seconds = filetime.unix(reply.system_time)
    rdma = reply.contexts.rdma
    return Limits(
        _capabilities(reply.capabilities),
        reply.max_transact,
        reply.max_read,
        reply.max_write,
        guid_text(reply.guid),
        filetime.iso(reply.system_time),
        filetime.iso(reply.boot_time),
        None if seconds is None else round(seconds - best.at, 1),
        None if reply.contexts.transport is None else bool(reply.contexts.transport & 1),
        None if rdma is None else tuple(RDMA_NAMES.get(number, f"0x{number:04X}") for number in rdma if number),
    )


def _security_blob(facts: PortFacts, *outcomes: Outcome | None) -> spnego.Spnego | None:
    """Return what the best NEGOTIATE says of the mechanisms. A bad token takes nothing from what the reply says else."""
    for outcome in outcomes:
        reply = None if outcome is None else outcome.smb2 or outcome.smb1
        if outcome is None or reply is None or not reply.blob:
            continue
        try:
            return spnego.parse(reply.blob)
        except RemoteProtocolError as error:
            facts.violate(f"{outcome.question.text}: security blob: {error}")
    return None


def _smb1(facts: PortFacts, outcome: Outcome) -> Smb1 | None:
    reply = outcome.smb1
    if reply is None:
        return None
    native_os, native_lm, domain = facts.native or ("", "", "")
    return Smb1(
        answers.text(native_os),
        answers.text(native_lm),
        answers.text(reply.domain or domain),
        answers.text(reply.server),
        "user" if reply.user_security else "share",
        reply.word_count,
    )


def _logon(facts: PortFacts, kind: str) -> Answer:
    outcome = facts.logons.get(kind)
    if outcome is None or outcome.logon is None:
        setup = facts.identity.setup if facts.identity is not None else None
        if setup is not None and setup in (status.NOT_SUPPORTED, status.NTLM_BLOCKED):
            return Answer(REFUSED, "NTLM is not taken", f"SESSION_SETUP {status.name(setup)}")
        return Answer(INDETERMINATE, why(facts.identity) if facts.identity else "no session setup was answered")
    evidence = f"SESSION_SETUP {status.name(outcome.logon)}"
    if outcome.logon == status.SUCCESS:
        flags = ", ".join(name for bit, name in _LOGON_FLAGS if outcome.logon_flags & bit)
        text = f"session flags: {flags or 'none'}"
        if outcome.tree is None:
            return Answer(INDETERMINATE, f"{text}; IPC$: {why(outcome)}", evidence)
        evidence = f"{evidence}, TREE_CONNECT IPC$ {status.name(outcome.tree)}"
        # Samba's "restrict anonymous = 2" lets the session stand, and nothing be reached.
        if outcome.tree in _LOGON_REFUSALS:
            return Answer(REFUSED, text, evidence)
        nobody = outcome.logon_flags & (smb2_session.NULL | smb2_session.GUEST) == smb2_session.NULL
        if outcome.tree != status.SUCCESS or (kind == "guest" and nobody):
            return Answer(INDETERMINATE, f"{text}; IPC$: {status.name(outcome.tree)}", evidence)
        return Answer(answers.ACCEPTED, text, evidence)
    if outcome.logon in _LOGON_REFUSALS:
        return Answer(REFUSED, "", evidence)
    return Answer(INDETERMINATE, status.name(outcome.logon), evidence)


def _ms17_010(facts: PortFacts) -> Answer:
    outcome = facts.ms17_010
    if outcome is None:
        return Answer(INDETERMINATE, "SMB1 was not accepted: it cannot be asked")
    if outcome.peek is None or outcome.failure:
        return Answer(INDETERMINATE, why(outcome) or "no reply")
    request, code = outcome.peek
    evidence = f"{request} {status.name(code)}"
    if request == "PeekNamedPipe" and code == status.INSUFF_SERVER_RESOURCES:
        return Answer("vulnerable", "", evidence)
    if request == "PeekNamedPipe" and code in (status.ACCESS_DENIED, status.INVALID_HANDLE):
        return Answer("patched_or_not_windows", "", evidence)
    return Answer(INDETERMINATE, f"{request} was answered with {status.name(code)}", evidence)
