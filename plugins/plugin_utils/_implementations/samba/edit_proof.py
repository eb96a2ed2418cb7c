# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof before anything is written: the new texts say what is wanted, and otherwise what the old ones said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from .conf import Configuration, Values
from .edit_choice import Edit
from .merge import same
from .settings import Table

_LINE = re.compile(r":\d+(?=: )")
_CONSEQUENCES = {
    "samba.client_lanman_auth": {"samba.client_ntlmv2_auth"},
    "samba.client_plaintext_auth": {"samba.client_ntlmv2_auth", "samba.client_lanman_auth"},
    "samba.passdb_backend": {"samba.server_role"},
}
"""Values that Samba draws from others: they may change with these."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What would be otherwise than it should be: a fact of a section ("" for [global]); no fact: the whole file."""

    fact: str
    scope: str
    what: str


def flaws(
    old: Configuration, new: Configuration, edits: Iterable[Edit], kept: Set[tuple[str, str]], table: Table
) -> list[Flaw]:
    """Return where the new configuration is not the old one with exactly the edits' wishes fulfilled.

    Args:
        old, new: what the texts meant, and will mean.
        edits: what was written.
        kept: (fact, section) that has to stay, even where it would follow what is written.
        table: the property table.
    """
    whole = _whole(old, new)
    return [Flaw("", "", whole)] if whole else list(_Proof(old, new, edits, kept, table).flaws())


def _whole(old: Configuration, new: Configuration) -> str:
    if new.errors:
        return f"Samba would refuse the file: {new.errors[0]}"
    pairs = (
        ("warnings of Samba", list(map(_unnumbered, old.warnings)), list(map(_unnumbered, new.warnings))),
        ("includes", list(map(_unnumbered, old.conditional)), list(map(_unnumbered, new.conditional))),
        ("shares", list(old.shares), list(new.shares)),
        ("options", _plain(old.options), _plain(new.options)),
    )
    return next((f"the {name} would not be the same" for name, before, after in pairs if before != after), "")


def _unnumbered(text: str) -> str:
    return _LINE.sub("", text)


def _plain(values: Values) -> dict[str, Any]:
    return {name: value.value for name, value in values.items()}


class _Proof:
    def __init__(
        self, old: Configuration, new: Configuration, edits: Iterable[Edit], kept: Set[tuple[str, str]], table: Table
    ) -> None:
        self.old, self.new = old, new
        self.kept = kept
        self.settings = {setting.id: setting for setting in table.settings}
        self.wanted: dict[tuple[str, str], Any] = {}
        self.written: dict[str, list[Any]] = {}
        for edit in edits:
            self.written.setdefault(edit.setting.id, []).append(edit.value)
            for wish in edit.wishes:
                self.wanted[edit.setting.id, wish.scope] = edit.value

    def flaws(self) -> Iterator[Flaw]:
        for (fact, scope), value in self.wanted.items():
            given = self.new.value(scope, fact)
            found = given.value if given is not None else None
            if found is None or not same(self.settings[fact], found, value):
                yield Flaw(fact, scope, f"it would still be {found!r}")
        for scope in ("", *self.old.shares):
            yield from self._section(scope)

    def _section(self, scope: str) -> Iterator[Flaw]:
        before, after = _all(self.old, scope), _all(self.new, scope)
        for fact in before.keys() | after.keys():
            one, two = before.get(fact), after.get(fact)
            then, now = (one.value if one else None), (two.value if two else None)
            if then != now and not self._intended(fact, scope, now):
                where = f"[{self.old.shares[scope].name if scope else 'global'}]"
                name = self.settings[fact].name if fact in self.settings else fact
                yield Flaw(fact, scope, f"{name!r} of {where} would change from {then!r} to {now!r}")

    def _intended(self, fact: str, scope: str, now: Any) -> bool:
        """Whether a section's value may change: it is wanted, follows from what is wanted, or is taken over."""
        if (fact, scope) in self.wanted:
            return True  # whether it is the wanted one has been looked at
        if (fact, scope) in self.kept:
            return False
        if _CONSEQUENCES.get(fact, set()) & self.written.keys():
            return True
        setting = self.settings.get(fact)
        if setting is None or setting.context != "share":
            return False
        if not scope:
            return any(same(setting, now, value) for value in self.written.get(fact, ()))
        general = self.wanted.get((fact, ""))
        return general is not None and same(setting, now, general) and self._follows(fact, scope)

    def _follows(self, fact: str, scope: str) -> bool:
        """Whether a share had its value from where [global] has it."""
        own, general = self.old.value(scope, fact), self.old.value("", fact)
        return (own.origin if own else None) == (general.origin if general else None)


def _all(configuration: Configuration, scope: str) -> Values:
    return configuration.shares[scope].all() if scope else configuration.globals
