# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one family of errors that a user may see.

Every message is one sentence of the form "<what failed> <where>: <what was seen>; <what to do>".
"""

from __future__ import annotations


class BreakwaterError(Exception):
    """Something a user can mend; ``str(error)`` is the whole sentence.

    Args:
        what: what failed, as a phrase ("Cannot read the exceptions file").
        where: file with line, host, or variable; empty when ``what`` says it.
        seen: what was found there.
        remedy: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", seen: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.seen = seen
        self.remedy = remedy
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """Return the message as one line of text."""
        text = self.what
        if self.where:
            text += f" ({self.where})"
        if self.seen:
            text += f": {self.seen}"
        if self.remedy:
            text += f"; {self.remedy}"
        return " ".join(text.split()) + ("" if text.endswith(".") else ".")


class BadInput(BreakwaterError):
    """A file, variable or option that the user wrote cannot be used."""


class HostError(BreakwaterError):
    """A host could not be read; the run goes on with the other hosts.

    ``section`` is the part of the host's record that the reason is filed under.
    """

    section = "host"


class Unreachable(HostError):
    """The connection failed before the collector answered."""

    section = "connection"


class GarbledAnswer(HostError):
    """The host answered, but not with a whole document."""

    section = "collector"


class StoreError(BreakwaterError):
    """A results file or the history database could not be read or written."""
