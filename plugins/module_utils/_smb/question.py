# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be asked on a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .smb2 import NAMES


class Question:
    """What to ask on a connection. One object serves all hosts, and keeps its request: it is compared by identity.

    Attributes:
        script: makes the exchange of a conversation, for this question and into its outcome; see ``scripts``. None: to have
            connected is all.
        offer: the dialects that are offered: SMB2 numbers or SMB1 strings.
        ciphers, signing, compression: ids that are offered with 3.1.1.
        then: what follows the negotiate: ``identity``, ``anonymous``, ``guest``.
        multi_protocol: SMB2 begins with an SMB1 NEGOTIATE.
        again: the repetition of one that gave no answer: it may take longer.
        user: of ``guest``.
        plain: offer no more than must be: for servers that refuse, against the protocol, what they do not know.
        text: the offer in words.
        requests: the frames made so far, by MessageId, in two pieces around the GUID.
    """

    __slots__ = (
        "_repeated", "_rests", "again", "ciphers", "compression", "multi_protocol", "offer", "plain", "requests", "script",
        "signing", "text", "then", "user",
    )  # fmt: skip

    def __init__(
        self,
        script: Callable[[Any, Question, Any], Any] | None,
        offer: tuple[Any, ...] = (),
        ciphers: tuple[int, ...] = (),
        signing: tuple[int, ...] = (),
        compression: tuple[int, ...] = (),
        then: tuple[str, ...] = (),
        multi_protocol: bool = False,
        again: bool = False,
        user: str = "",
        plain: bool = False,
    ) -> None:
        self.script = script
        self.offer = offer
        self.ciphers = ciphers
        self.signing = signing
        self.compression = compression
        self.then = then
        self.multi_protocol = multi_protocol
        self.again = again
        self.user = user
        self.plain = plain
        self.text = _offer_text(offer, multi_protocol)
        self.requests: dict[int, tuple[bytes, bytes]] = {}
        self._repeated: Question | None = None
        self._rests: dict[Any, Question] = {}

    def changed(self, **fields: Any) -> Question:
        """Return a question that differs in the named fields."""
        return Question(**{**{name: getattr(self, name) for name in _FIELDS}, **fields})

    def plainer(self) -> Question:
        """Return the same question without what 3.x has and 2.x has not; 3.1.1 keeps its ciphers."""
        return self.changed(signing=(), compression=(), plain=True, again=True)

    def repeated(self) -> Question:
        """Return the same question, to be asked with more patience."""
        if self._repeated is None:
            self._repeated = self.changed(again=True)
        return self._repeated

    def rest(self, dialect: int | str) -> Question:
        """Return the question that offers the same without one dialect, and ends with the negotiate."""
        found = self._rests.get(dialect)
        if found is None:
            offer = tuple(item for item in self.offer if item != dialect)
            fields: dict[str, Any] = {"offer": offer, "then": (), "again": False}
            if dialect == 0x0311:
                fields.update(ciphers=(), signing=(), compression=())
            found = self._rests[dialect] = self.changed(**fields)
        return found


_FIELDS = ("script", "offer", "ciphers", "signing", "compression", "then", "multi_protocol", "again", "user", "plain")


def name_of(dialect: int | str) -> str:
    """Return a dialect's name: SMB1's are names already."""
    return dialect if isinstance(dialect, str) else NAMES.get(dialect, f"0x{dialect:04X}")


def _offer_text(offer: tuple[Any, ...], multi_protocol: bool) -> str:
    if len(offer) > 2 and isinstance(offer[0], str):
        return f"offered {len(offer)} dialects, {offer[0]} to {offer[-1]}"
    names = ", ".join(name_of(dialect) for dialect in offer)
    return f"offered SMB 2.002, SMB 2.???, then {names}" if multi_protocol else f"offered {names}"
