# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file's text whose lines are replaced or added to; every other byte stays. Lines are those of ``grammar``."""

from __future__ import annotations

import re

from .grammar import Item

_COMMENT = re.compile(r"\s*[;#]")
_INDENT = re.compile(r"[ \t]*")
_HEAD = re.compile(r"([^=]*=)([ \t]*)")


class Document:
    """A text, and what shall become of its lines.

    A line's end is the one of its neighbour. Where the last line has none, a line after it has none either.
    """

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self._replaced: dict[int, tuple[int, str]] = {}
        self._added: dict[int, list[str]] = {}

    def replace(self, item: Item, value: str) -> None:
        """Let an item's lines be one, with its indentation and its name as it is spelled, and another value."""
        first, end = item.line, item.end
        if first < end == len(self.lines) and not self.lines[-1]:
            end -= 1  # a continuation into the end of the file: the last line still ends
        ending = "\r" if self.lines[end - 1].endswith("\r") or self.lines[first - 1].endswith("\r") else ""
        if end == len(self.lines) and not self.lines[-1].endswith("\r"):
            ending = ""
        self._replaced[first] = (end, (self._head(item) + value).rstrip(" \t") + ending)

    def _head(self, item: Item) -> str:
        """Return a parameter's line up to its value."""
        line = self.lines[item.line - 1]
        found = _HEAD.match(line.rstrip("\r"))
        if found is None:  # the name itself goes on in the next line
            return f"{self.indentation(item)}{item.name} = "
        return found[1] + (found[2] or (" " if found[1][-2:-1].isspace() and found.end() == len(found.string) else ""))

    def indentation(self, item: Item) -> str:
        """Return the blanks before an item."""
        found = _INDENT.match(self.lines[item.line - 1])
        return found[0] if found else ""

    def add(self, after: int, lines: list[str]) -> None:
        """Let lines follow line ``after`` (0: they are the first)."""
        self._added.setdefault(after, []).extend(lines)

    def above(self, item: Item) -> int:
        """Return the line after which something stands above an item and the comment that belongs to it."""
        line = item.line - 1
        while line and _COMMENT.match(self.lines[line - 1]):
            line -= 1
        return line or item.line - 1  # a comment at the top of a file belongs to the file

    def text(self) -> str:
        """Return the new text."""
        windows = self.lines[0].endswith("\r")
        found = list(self._added.get(0, ()))
        if windows:
            found = [line + "\r" for line in found]
        number = 1
        while number <= len(self.lines):
            end, line = self._replaced.get(number, (number, self.lines[number - 1]))
            added = self._added.get(end, ())
            ending = "\r" if line.endswith("\r") or (windows and end == len(self.lines)) else ""
            if added and end == len(self.lines):
                found.append(line if line.endswith("\r") else line + ending)
                found += [more + ending for more in added]
                found[-1] = found[-1].removesuffix("\r")
                if not line and end > 1:
                    found.append("")
            else:
                found.append(line)
                found += [more + ending for more in added]
            number = end + 1
        return "\n".join(found)
