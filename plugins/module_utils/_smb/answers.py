# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one target answered: dataclasses per target and port, and their JSON form.

``document`` gives one JSON object per target; this text is the definition of that format. **A key that is absent was
not asked.** Every fact that was asked is an object with ``answer``, ``reason`` (why it is not known, or what was odd)
and ``evidence`` (what was offered, what came back, and a digest of the message)::

    {"target": as given, "address": numeric, "started": UTC, "seconds": float, "source": our address ("" = none used),
     "connections": TCP connections that were tried, "smb1_attempts": [{"time": UTC, "source": address, "port": n}],
     "ports": {"445/tcp": PORT, "139/tcp": PORT, "135/tcp": PORT, "137/udp": PORT, ...}}

``smb1_attempts`` are the SMB1 NEGOTIATE requests that we sent: a host may audit them as use of SMB1, and the evidence
rule of a remediation has to leave them out. ``address`` is ``""`` where no address was given; then ``ports`` is empty
and ``reason`` says why.

PORT, for every port:

``state``
    ``open`` (spoke SMB; 135, 5445 and UDP: answered), ``closed`` (refused the connection; UDP: port unreachable),
    ``filtered`` (silent to several SYNs of several connections), ``unreachable`` (no route, or an ICMP error),
    ``not_smb`` (answered, but not SMB), ``hostile`` (SMB, but nothing that the protocol or our limits allow), ``error`` (our own
    side failed), ``indeterminate`` (none of these can be told; UDP: silent), ``not_observable`` (138/udp).
``reason``
    Why, in words; ``""`` where the state says all.

PORT, where SMB was spoken or tried (``open``, ``not_smb``, ``hostile``, ``indeterminate``):

``netbios_session``
    139 only: ``positive``, ``negative 0x82`` (the code), ``retarget``, ``none`` (no answer to a session request).
``dialects``
    {name: {"answer": ``accepted``, ``refused``, ``indeterminate``, ``violation``, ...}}; names are the strings of
    the SMB1 dialects (``NT LM 0.12``, ``LANMAN2.1``, ...) and ``2.0.2``, ``2.1``, ``3.0``, ``3.0.2``, ``3.1.1``.
    ``violation``: the peer answered that offer, but not as the protocol allows; it is never counted as accepted.
``signing``
    ``required``, ``not_required``, ``indeterminate``: the SIGNING_REQUIRED bit of SMB2 NEGOTIATE replies.
``smb1_signing``
    ``required``, ``enabled``, ``disabled``: the same of the SMB1 NEGOTIATE reply; only where SMB1 was accepted.
``ciphers``, ``signing_algorithms``
    ``known`` with ``values`` in the server's order of preference, ``none`` (it takes none), ``indeterminate`` (with the
    ``values`` that were found before the peer failed).
``compression``
    As above, in the order of the reply, with ``chained`` (bool).
``capabilities`` (names without ``SMB2_GLOBAL_CAP_``), ``max_transact``, ``max_read``, ``max_write`` (bytes), ``guid``,
``system_time``, ``boot_time`` (UTC; ``""`` = not disclosed), ``clock_skew`` (seconds that the peer's clock is ahead)
    From the reply with the highest accepted dialect; absent where no SMB2 dialect was accepted.
``transport_security``, ``rdma_transforms``
    Only where the reply has these contexts: bool, list of names.
``ntlm``
    ``offered`` (with ``target``, ``netbios_computer``, ``netbios_domain``, ``dns_computer``, ``dns_domain``,
    ``dns_forest``, ``version`` as ``10.0.20348``, ``revision``), ``blocked``, ``indeterminate``.
``mechanisms`` (names or OIDs of the SPNEGO offer), ``hint``
    From the security blob of NEGOTIATE.
``smb1``
    {"native_os", "native_lm", "domain", "server", "security": ``user`` or ``share``, "word_count"}: only where an SMB1
    dialect was accepted; empty texts were not told.
``anonymous``, ``guest``
    ``accepted``: the session stands and reaches IPC$; ``refused``: one of the two is denied; ``indeterminate``. Where a
    session stands ``reason`` names its flags.
``ms17_010``
    ``vulnerable``, ``patched_or_not_windows``, ``indeterminate``.
``violations``
    Texts: every way in which the peer broke the protocol, whether or not a fact hangs on it; absent when none.

PORT of ``137/udp`` has ``names`` ([{"name", "suffix", "group"}]) and ``mac``; ``443/udp`` has ``quic_versions``.

All text of the peer is bounded (``MAX_TEXT``) and made printable; it is still text that a stranger chose.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

MAX_TEXT = 255
"""Characters of one text of the peer that are kept."""

ACCEPTED = "accepted"
REFUSED = "refused"
INDETERMINATE = "indeterminate"
VIOLATION = "violation"

TIME_OVER = "the time for this host was over"
"""The reason of what was not asked in the end."""

OPEN = "open"
CLOSED = "closed"
FILTERED = "filtered"
UNREACHABLE = "unreachable"
NOT_SMB = "not_smb"
HOSTILE = "hostile"
ERROR = "error"
NOT_OBSERVABLE = "not_observable"


@dataclass(frozen=True)
class Answer:
    """One fact: what is known, why not, and what it was seen in."""

    answer: str
    reason: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Listing:
    """A list that was found by asking repeatedly (``known``, ``none``, ``indeterminate``)."""

    answer: str
    values: tuple[str, ...] = ()
    reason: str = ""
    evidence: str = ""
    chained: bool | None = None  # compression only


@dataclass(frozen=True)
class Limits:
    """Sizes, capabilities, identity and clock of an SMB2 NEGOTIATE reply."""

    capabilities: tuple[str, ...]
    max_transact: int
    max_read: int
    max_write: int
    guid: str
    system_time: str
    boot_time: str
    clock_skew: float | None
    transport_security: bool | None = None
    rdma_transforms: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Ntlm:
    """What the NTLM challenge tells, which needs no credentials."""

    answer: str
    reason: str = ""
    evidence: str = ""
    target: str = ""
    netbios_computer: str = ""
    netbios_domain: str = ""
    dns_computer: str = ""
    dns_domain: str = ""
    dns_forest: str = ""
    version: str = ""
    revision: int | None = None


@dataclass(frozen=True)
class Smb1:
    """What an SMB1 server says about itself."""

    native_os: str = ""
    native_lm: str = ""
    domain: str = ""
    server: str = ""
    security: str = ""
    word_count: int = 0


@dataclass(frozen=True)
class NetbiosName:
    """A row of a node status reply ([RFC 1002] 4.2.18)."""

    name: str
    suffix: int
    group: bool


@dataclass(frozen=True)
class PortAnswers:
    """All that one port answered; None and empty = not asked, or not told."""

    state: str
    reason: str = ""
    netbios_session: str = ""
    dialects: Mapping[str, Answer] = field(default_factory=dict)
    signing: Answer | None = None
    smb1_signing: Answer | None = None
    ciphers: Listing | None = None
    signing_algorithms: Listing | None = None
    compression: Listing | None = None
    limits: Limits | None = None
    ntlm: Ntlm | None = None
    mechanisms: tuple[str, ...] | None = None
    hint: str = ""
    smb1: Smb1 | None = None
    anonymous: Answer | None = None
    guest: Answer | None = None
    ms17_010: Answer | None = None
    violations: tuple[str, ...] = ()
    names: tuple[NetbiosName, ...] | None = None
    mac: str = ""
    quic_versions: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Smb1Attempt:
    """An SMB1 NEGOTIATE that we sent: seconds since the epoch, our address and port."""

    time: float
    source: str
    port: int


@dataclass(frozen=True)
class TargetAnswers:
    """All that one target answered; ``ports`` by ``445/tcp`` and the like."""

    target: str
    address: str
    started: float
    seconds: float
    source: str = ""
    connections: int = 0
    smb1_attempts: Sequence[Smb1Attempt] = ()
    ports: Mapping[str, PortAnswers] = field(default_factory=dict)
    reason: str = ""


def text(value: str) -> str:
    """Return a text of the peer as one printable line of at most ``MAX_TEXT`` characters."""
    if value.isascii() and value.isprintable() and len(value) <= MAX_TEXT:
        return value
    shown = "".join(c if c.isprintable() else _escaped(c) for c in value[: MAX_TEXT + 1])
    return shown if len(shown) <= MAX_TEXT else shown[: MAX_TEXT - 1] + "…"


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def moment(seconds: float) -> str:
    """Return seconds since the epoch as ``2026-01-01T00:00:00.000Z``; ``""`` where no calendar has that time."""
    try:
        whole = int(seconds // 1)
        return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"
    except (OverflowError, ValueError, OSError):
        return ""


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}"


def document(answers: TargetAnswers) -> dict[str, Any]:
    """Return the JSON object of one target; the module's docstring defines it."""
    found = {
        "target": answers.target,
        "address": answers.address,
        "started": moment(answers.started),
        "seconds": round(answers.seconds, 3),
        "source": answers.source,
        "connections": answers.connections,
        "smb1_attempts": [
            {"time": moment(attempt.time), "source": attempt.source, "port": attempt.port}
            for attempt in answers.smb1_attempts
        ],
        "ports": {name: port_document(port) for name, port in answers.ports.items()},
    }
    if answers.reason:
        found["reason"] = answers.reason
    return found


def port_document(port: PortAnswers) -> dict[str, Any]:
    """Return the JSON object of one port."""
    found: dict[str, Any] = {"state": port.state, "reason": port.reason}
    if port.netbios_session:
        found["netbios_session"] = port.netbios_session
    if port.dialects:
        found["dialects"] = {
            name: {"answer": answer.answer, "reason": answer.reason, "evidence": answer.evidence}
            for name, answer in port.dialects.items()
        }
    for name in ("signing", "smb1_signing", "anonymous", "guest", "ms17_010"):
        answer = getattr(port, name)
        if answer is not None:
            found[name] = _answer(answer)
    for name in ("ciphers", "signing_algorithms", "compression"):
        listing = getattr(port, name)
        if listing is not None:
            found[name] = _listing(listing)
    if port.limits is not None:
        found.update(_limits(port.limits))
    if port.ntlm is not None:
        found["ntlm"] = dict(vars(port.ntlm)) if port.ntlm.answer == "offered" else _answer(port.ntlm)
    if port.mechanisms is not None:
        found["mechanisms"] = list(port.mechanisms)
        found["hint"] = port.hint
    if port.smb1 is not None:
        found["smb1"] = dict(vars(port.smb1))
    if port.violations:
        found["violations"] = list(port.violations)
    if port.names is not None:
        found["names"] = [dict(vars(name)) for name in port.names]
        found["mac"] = port.mac
    if port.quic_versions is not None:
        found["quic_versions"] = list(port.quic_versions)
    return found


def _answer(answer: Answer | Ntlm) -> dict[str, Any]:
    return {"answer": answer.answer, "reason": answer.reason, "evidence": answer.evidence}


def _listing(listing: Listing) -> dict[str, Any]:
    found: dict[str, Any] = {
        "answer": listing.answer,
        "values": list(listing.values),
        "reason": listing.reason,
        "evidence": listing.evidence,
    }
    if listing.chained is not None:
        found["chained"] = listing.chained
    return found


def _limits(limits: Limits) -> dict[str, Any]:
    found = dict(vars(limits))
    found["capabilities"] = list(limits.capabilities)
    for name in ("transport_security", "rdma_transforms"):
        if found[name] is None:
            del found[name]
    if limits.rdma_transforms is not None:
        found["rdma_transforms"] = list(limits.rdma_transforms)
    return found
