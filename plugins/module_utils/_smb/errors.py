# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between two ends of SMB: our own mistake, or the peer's; never one for the other."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    "too_long",
    "too_many",
    "truncated",
    "bad_offset",
    "bad_value",
    "bad_token",
    "missing",
    "not_offered",
    "not_smb",
    "wrong_message",
]
"""Why bytes of a peer were refused.

too_long: a frame, string or token is longer than we read; too_many: more frames, contexts or pairs than we read;
truncated: the message ends before what its own counts promise; bad_offset: an offset leads out of the message;
bad_value: a field has a value that the specification excludes; bad_token: the SPNEGO or NTLMSSP token is malformed;
missing: something the specification demands is not there; not_offered: the peer chose what we had not offered;
not_smb: the bytes are of another protocol; wrong_message: SMB, but not the reply to what was asked.
"""

REASONS: frozenset[str] = frozenset(get_args(Reason))


class SmbError(Exception):
    """Base of both."""


class LocalProtocolError(SmbError):
    """We asked for something that no client may send: a fault of the calling code."""


class RemoteProtocolError(SmbError):
    """The peer sent what the protocol excludes, or more than we are willing to read.

    Attributes:
        reason: one of ``REASONS``.
        detail: one line for people: what was expected and what was there. Never holds text of the peer.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
