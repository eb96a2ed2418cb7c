# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions: what somebody has decided to live with, vouch for, or go on with."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

ExceptionKind = Literal["waiver", "force", "attestation"]


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """One entry of the exceptions file.

    Attributes:
        kind: "waiver" (the finding stays, marked, and does not fail the run), "force", "attestation".
        control: control id.
        hosts: inventory names, globs or groups; a force names hosts only.
        object: the share or other object it is limited to; a glob; "*" is all.
        reason, owner, ticket: why, who answers for it, where it is tracked.
        expires: last day on which it holds; None: never (waivers must have one).
        where: file and line, for messages.
    """

    kind: ExceptionKind
    control: str
    hosts: tuple[str, ...]
    reason: str
    owner: str
    expires: datetime.date | None = None
    object: str = "*"
    ticket: str = ""
    where: str = ""
