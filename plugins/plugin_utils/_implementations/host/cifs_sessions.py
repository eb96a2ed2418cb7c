# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions of the kernel's SMB client, of /proc/fs/cifs/DebugData: what /proc/mounts does not tell of a mount."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

_STATUS = re.compile(r"session status: *\d+(.*)", re.IGNORECASE)
_SECURITY = re.compile(r"Security type: .*SessionId: 0x[0-9a-f]+(.*)", re.IGNORECASE)
_SHARE = re.compile(r"\s*\d+\) (?:IPC: )?(\\\\[^\\]+\\.*) Mounts: \d")
_NOBODY = re.compile(r"\b(?:Guest|Anonymous)\b")
_ENCRYPTED = re.compile(r"\bencrypted\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Session:
    """What the sessions of one share have in common.

    Attributes:
        signed: all of them sign; None: this kernel does not tell.
        encrypted: all of them encrypt, be it that the server demands it.
        guest: one of them was let in as a guest, or without a user.
    """

    signed: bool | None = None
    encrypted: bool = False
    guest: bool = False


Sessions = Mapping[str, Session]
"""Share as ``\\\\server\\share``, lower case → its sessions."""


def read(text: str) -> dict[str, Session]:
    """Return what DebugData tells; nothing where it is empty."""
    found: dict[str, Session] = {}
    now, share = Session(), ""
    for line in text.split("\n"):
        status, security, tree = _STATUS.search(line), _SECURITY.search(line), _SHARE.match(line)
        if status is not None:
            now, share = Session(guest=bool(_NOBODY.search(status[1]))), ""
        elif security is not None:
            words = security[1]
            now = dataclasses.replace(now, signed=bool(re.search(r"\bsigned\b", words)))
            now = dataclasses.replace(now, encrypted=bool(_ENCRYPTED.search(words)))
        elif tree is not None:
            share = tree[1].lower()
            found[share] = _joined(found[share], now) if share in found else now
        elif share and "PathComponentMax" in line and _ENCRYPTED.search(line):
            found[share] = dataclasses.replace(found[share], encrypted=True)
    return found


def of(sessions: Sessions, source: str) -> Session | None:
    """Return what is told of a mount's share; None when nothing is.

    Args:
        sessions: see there.
        source: of the mount: ``//server/share/folder``.
    """
    parts = source.replace("\\", "/").strip("/").lower().split("/")
    return sessions.get("\\\\" + "\\".join(parts[:2])) if len(parts) > 1 else None


def _joined(one: Session, other: Session) -> Session:
    signed = None if None in (one.signed, other.signed) else bool(one.signed and other.signed)
    return Session(signed, one.encrypted and other.encrypted, one.guest or other.guest)
