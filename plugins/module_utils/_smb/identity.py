# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who answers: names and versions that a server tells anybody."""

from __future__ import annotations

from . import status
from .answers import INDETERMINATE, Ntlm, text
from .facts import PortFacts, why

_BLOCKED = frozenset((status.NOT_SUPPORTED, status.NTLM_BLOCKED))


def guid_text(guid: bytes) -> str:
    """Return a GUID of the wire as text ([MS-DTYP] 2.3.4.2: the first three fields are little-endian)."""
    if len(guid) != 16:
        return ""
    return f"{guid[3::-1].hex()}-{guid[5:3:-1].hex()}-{guid[7:5:-1].hex()}-{guid[8:10].hex()}-{guid[10:].hex()}"


def ntlm(facts: PortFacts) -> Ntlm:
    """Return what the NTLM challenge tells, or that NTLM is not taken."""
    outcome = facts.identity
    if outcome is None:
        broken = facts.failures.get("violation")
        return Ntlm(INDETERMINATE, why(broken) if broken is not None else "no session setup was answered")
    if outcome.challenge is None:
        code = outcome.setup if outcome.setup is not None else 0
        evidence = f"SESSION_SETUP {status.name(code)}"
        if code in _BLOCKED:
            return Ntlm("blocked", "", evidence)
        return Ntlm(INDETERMINATE, why(outcome) or status.name(code), evidence)
    challenge = outcome.challenge
    return Ntlm(
        "offered",
        "",
        f"SESSION_SETUP {status.name(outcome.setup or 0)}, NTLM flags 0x{challenge.flags:08X}",
        text(challenge.target),
        text(challenge.netbios_computer),
        text(challenge.netbios_domain),
        text(challenge.dns_computer),
        text(challenge.dns_domain),
        text(challenge.dns_forest),
        challenge.version,
        challenge.revision if challenge.version else None,
    )


def session_names(facts: PortFacts) -> list[str]:
    """Return names that a session request on port 139 may call ([RFC 1002] 4.3.2): at most 15 single bytes."""
    challenge = facts.identity.challenge if facts.identity is not None else None
    return callable_names([challenge.netbios_computer] if challenge is not None else [])


def callable_names(names: list[str]) -> list[str]:
    """Return those of ``names`` that a session request can carry."""
    return [name for name in names if 0 < len(name) <= 15 and name.isascii() and name.isprintable()]
