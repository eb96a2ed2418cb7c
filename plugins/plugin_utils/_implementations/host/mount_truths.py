# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What controls ask of a mount: configured is what fstab demands, effective what the mount that is there does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..._model.fact import Fact, FactSet, Origin
from . import cifs_sessions, mount_options
from .mount_options import DIALECTS

DIALECT, SIGNING = "client.mount_dialect", "client.mount_signing"
ENCRYPTION, GUEST = "client.mount_encryption", "client.mount_guest"
FACTS = (DIALECT, SIGNING, ENCRYPTION, GUEST)
"""One per mount point. A dialect is the oldest one that the entry lets the server choose; the others are booleans."""
PENDING = "pending remount"
_OTHER = "mounted with other options than those of /etc/fstab"
_NEWER = "negotiated: newer than what the entry demands"
_ALONE = "not mounted by /etc/fstab"
_LET_IN = "the server lets the user in as a guest"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a mount table. ``line`` counts the lines of what was collected, from 1."""

    source: str
    point: str
    type: str
    options: tuple[str, ...]
    line: int = 0


Truth = bool | str | None


@dataclass(frozen=True, slots=True)
class _Question:
    """How one fact is read: of an entry in fstab, and of a mount that is there; None: it does not tell.

    ``weaker`` is the one of two values that protects less.
    """

    asked: Callable[[Entry], Truth]
    done: Callable[[Entry], Truth]
    weaker: Callable[[Truth, Truth], Truth]
    untold: str


def put(
    facts: FactSet,
    mounted: Sequence[Entry],
    configured: Sequence[Entry],
    sessions: cifs_sessions.Sessions,
    kernel: str,
    unread: str | None,
) -> None:
    """Put the facts of every mount point.

    Args:
        facts: to put them in.
        mounted: the mounts that are there.
        configured: the entries of fstab.
        sessions: what the kernel tells of the sessions behind the mounts.
        kernel: its release; "" when it is not known.
        unread: why one of the tables could not be read: there may be mounts that nobody sees.
    """
    live = [entry for entry in mounted if entry.type in mount_options.TYPES]
    asked = [entry for entry in configured if entry.type in mount_options.TYPES]
    for fact_id, question in _questions(sessions, kernel).items():
        for point in dict.fromkeys(entry.point for entry in (*asked, *live)):
            here = [entry for entry in live if entry.point == point]
            wanted = [entry for entry in asked if entry.point == point]
            fact = _fact(question, wanted, here)
            if fact_id == GUEST and fact.effective is True and not any(map(_guest, here)):
                fact = dataclasses.replace(fact, cause=_LET_IN)
            facts.put(fact_id, fact, point)
        if unread is not None:
            facts.put(fact_id, Fact(unreadable=unread))


def _questions(sessions: cifs_sessions.Sessions, kernel: str) -> dict[str, _Question]:
    def told(entry: Entry) -> cifs_sessions.Session:
        return cifs_sessions.of(sessions, entry.source) or cifs_sessions.Session()

    def signs(entry: Entry) -> bool | None:
        if mount_options.signs(entry.options) or told(entry).encrypted:
            return True
        if told(entry).signed is None and not mount_options.last(entry.options, "sec"):
            return None  # the kernel shows whether a mount signs beside its sec= only
        return told(entry).signed is True

    return {
        DIALECT: _Question(
            lambda entry: mount_options.dialect(entry.options, kernel),
            lambda entry: mount_options.negotiated(entry.options),
            lambda one, other: min(str(one), str(other), key=DIALECTS.index),
            "which dialect it speaks",
        ),
        SIGNING: _Question(
            lambda entry: mount_options.signs(entry.options), signs, lambda one, other: bool(one and other),
            "whether it signs (sec=ntlmsspi or krb5i in place of sign would show)",
        ),
        ENCRYPTION: _Question(
            lambda entry: mount_options.seals(entry.options),
            lambda entry: mount_options.seals(entry.options) or told(entry).encrypted,
            lambda one, other: bool(one and other),
            "whether it encrypts",
        ),
        GUEST: _Question(
            _guest,
            lambda entry: _guest(entry) or told(entry).guest,
            lambda one, other: bool(one or other),
            "whether a user is logged in",
        ),
    }  # fmt: skip


def _guest(entry: Entry) -> bool:
    return mount_options.guest(entry.options)


def _fact(question: _Question, wanted: Sequence[Entry], here: Sequence[Entry]) -> Fact:
    """Return the truths of one mount point; where several mounts lie on it, the weakest of them."""
    asked = _weakest(question, map(question.asked, wanted))
    done = _weakest(question, map(question.done, here))
    if wanted and asked is None:
        versions = ", ".join(mount_options.last(entry.options, "vers") or "the kernel's default" for entry in wanted)
        return Fact(unreadable=f"which dialect {versions} stands for is not known")
    if here and done is None and asked is not False:
        return Fact(unreadable=f"the kernel does not tell of the mount that is there {question.untold}")
    origin = Origin("local", "/etc/fstab") if wanted else None
    return Fact(configured=asked, effective=done, origin=origin, cause=_cause(question, asked, done))


def _cause(question: _Question, asked: Truth, done: Truth) -> str | None:
    if done is None or asked == done:
        return None
    if asked is None:
        return _ALONE
    if question.weaker(asked, done) == done:
        return PENDING
    return _NEWER if isinstance(done, str) else _OTHER


def _weakest(question: _Question, truths: Iterable[Truth]) -> Truth:
    """Return the weakest of several truths; None when one of them is not told, or there is none."""
    found = list(truths)
    if not found or None in found:
        return None
    weakest = found[0]
    for truth in found[1:]:
        weakest = question.weaker(weakest, truth)
    return weakest
